"""Reads a submitted notebook that may be anything: from its bytes come cell types, source texts and grade ids.

Outputs, attachments, and every other piece of metadata stay behind: they can carry scripts and false marks.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

MAX_BYTES = 20_000_000
MAX_CELLS = 2_000
CELL_TYPES = ("code", "markdown", "raw")


@dataclass(frozen=True, slots=True)
class SubmittedCell:
    """One cell as handed in. `grade_id`: what it claims to be; `claims`: its other nbgrader metadata, unchecked."""

    cell_type: str
    source: str
    grade_id: str | None = None
    claims: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Submission:
    """The cells of one notebook. `problem`: why the file could not be read (then there are no cells)."""

    cells: tuple[SubmittedCell, ...] = ()
    problem: str | None = None


def read(path: Path) -> Submission:
    """Reads `path`. Never raises for what a learner can put there."""
    if path.is_symlink() or not path.is_file():
        return Submission(problem="The submitted notebook is not an ordinary file.")
    if (size := path.stat().st_size) > MAX_BYTES:
        return Submission(
            problem=f"The notebook has {size / 1e6:.0f} MB; at most {MAX_BYTES / 1e6:.0f} are read."
            " Clear its outputs and hand it in again."
        )
    return parse(path.read_bytes())


def parse(data: bytes) -> Submission:
    """The cells in the bytes of an .ipynb file (nbformat 4)."""
    if not data.strip():
        return Submission(
            problem="The submitted notebook is empty (no bytes). Save it in JupyterLab and hand it in again."
        )
    try:
        tree = json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError):  # not UTF-8, not JSON, a number too long, nested too deep
        return Submission(problem="The submitted file is not a notebook: it cannot be read as JSON.")
    if not isinstance(tree, dict) or not isinstance(tree.get("cells"), list):
        return Submission(problem="The submitted file is not a notebook: it has no list of cells.")
    if tree.get("nbformat") != 4:
        return Submission(
            problem="The notebook is not in notebook format 4. Open it in JupyterLab, save it, and hand it in again."
        )
    if len(tree["cells"]) > MAX_CELLS:
        return Submission(problem=f"The notebook has more than {MAX_CELLS:,} cells.")
    return Submission(tuple(cell for raw in tree["cells"] if (cell := _cell(raw)) is not None))


def _cell(raw: Any) -> SubmittedCell | None:
    if not isinstance(raw, dict) or raw.get("cell_type") not in CELL_TYPES:
        return None
    source = raw.get("source", "")
    if isinstance(source, list):
        source = "".join(line for line in source if isinstance(line, str))
    if not isinstance(source, str):
        return None
    metadata = raw.get("metadata")
    claims = metadata.get("nbgrader") if isinstance(metadata, dict) else None
    if not isinstance(claims, dict):
        claims = {}
    grade_id = claims.get("grade_id")
    return SubmittedCell(
        cell_type=raw["cell_type"],
        # JSON can hold half a surrogate pair, which no file and no pipe can.
        source=source.encode("utf-8", "replace").decode("utf-8"),
        grade_id=grade_id if isinstance(grade_id, str) and grade_id else None,
        claims=claims,
    )
