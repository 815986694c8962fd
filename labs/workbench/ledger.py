"""The ledger of claims: what the write-ups of a case say, what came out, and in which cell one can see it.

`labs/claims.yaml` is its text; `make labs` makes a page of it for each case, `labs/<case>/claims.md`, whose links lead
to the cells.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import yaml

LEDGER = Path(__file__).parents[1] / "claims.yaml"
PAGE = "claims.md"
STEPS = {
    "requirements": "Requirements",
    "estimation": "Estimation",
    "high-level": "High-level design",
    "detailed": "Detailed design",
    "scaling": "Scaling",
    "cross-cutting": "Beyond one case",
    "practice": "On practising",
}
MARKS = {"upheld": "✓ upheld", "refuted": "✗ refuted", "depends": "◐ depends"}


@dataclass(frozen=True, slots=True)
class Claim:
    """`cell`: `NOTEBOOK#CELL-ID`, both without folder and extension. `case`: where that notebook lies."""

    id: str
    case: str
    step: str
    says: str
    finding: Literal["upheld", "refuted", "depends"]
    because: str
    cell: str

    @property
    def notebook(self) -> str:
        return self.cell.partition("#")[0]

    @property
    def cell_id(self) -> str:
        return self.cell.partition("#")[2]

    @property
    def link(self) -> str:
        """From the page to the cell, as JupyterLab reads it."""
        return f"{self.notebook}.ipynb#cell-id={self.cell_id}"


def claims(path: Path = LEDGER) -> list[Claim]:
    """All that are in the ledger. TypeError or ValueError: an entry that is none."""
    entries: list[dict[str, Any]] = yaml.safe_load(path.read_text("utf-8"))
    found = [Claim(**entry) for entry in entries]
    for claim in found:
        if claim.finding not in MARKS or claim.step not in STEPS or not claim.cell_id:
            raise ValueError(f"{claim.id}: its finding, step or cell is none")
    return found


def page(case: str, found: list[Claim]) -> str:
    """The page of one case, in Markdown."""
    mine = [claim for claim in found if claim.case == case]
    count = {finding: sum(claim.finding == finding for claim in mine) for finding in MARKS}
    lines = [
        "# What they say, and what came out",
        "",
        f"{len(mine)} claims that write-ups of this system make, each computed, measured or argued in a notebook: "
        f"{count['upheld']} upheld, {count['refuted']} refuted, {count['depends']} that depend. "
        "A link leads to the cell.",
        "",
        "*Made by `make labs` from `labs/claims.yaml`. It tells the results: read it after the notebooks.*",
    ]
    for step, title in STEPS.items():
        rows = [claim for claim in mine if claim.step == step]
        if rows:
            lines += ["", f"## {title}", "", "| claim | finding | because | where |", "|---|---|---|---|"]
            lines += [_row(claim) for claim in rows]
    return "\n".join(lines) + "\n"


def _row(claim: Claim) -> str:
    cells = (claim.says, MARKS[claim.finding], claim.because, f"[{claim.notebook}]({claim.link})")
    return f"| {' | '.join(cell.replace('|', '&#124;') for cell in cells)} |"
