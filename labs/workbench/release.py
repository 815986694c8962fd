"""`python -m workbench.release` (`make labs`): the notebooks of grading/source, without solutions, into labs; and for
each case the page of its claims, from labs/claims.yaml.

nbgrader's own steps do it, configured as `workbench course generate` is; only the gradebook is left out, so that the
same source always gives the same bytes, on any machine.
"""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import Any

import nbformat
from nbgrader.converters import GenerateAssignment
from nbgrader.preprocessors import SaveCells
from traitlets.config import Config
from traitlets.config.loader import PyFileConfigLoader

from workbench.ledger import PAGE, claims, page

ROOT = Path(__file__).parents[2]
SOURCE = "grading/source"
RELEASE = "labs"


def config(root: Path = ROOT) -> Config:
    """What the course tells nbgrader."""
    return PyFileConfigLoader("nbgrader_config.py", str(root / "grading/nbgrader")).load_config()


def released(source: Path, settings: Config) -> str:
    """The text of the notebook that a learner gets for the notebook `source`."""
    formats: Any = nbformat  # untyped
    notebook = formats.read(source, as_version=4)
    resources: Any = {
        "nbgrader": {"assignment": source.parent.name, "notebook": source.stem, "student": "."},
        "unique_key": source.stem,
        "metadata": {"path": str(source.parent), "name": source.stem},
    }
    for step in GenerateAssignment(config=settings).preprocessors:
        if step is not SaveCells:  # what the gradebook has to know, `workbench course` tells it
            notebook, resources = step(config=settings).preprocess(notebook, resources)
    return str(formats.writes(notebook, version=4)) + "\n"


def sources(root: Path = ROOT) -> list[Path]:
    """The notebooks with solutions: those of the cases, a folder each, and what belongs to none of them."""
    folder = root / SOURCE
    return sorted([*folder.glob("*.ipynb"), *folder.glob("*/*.ipynb")])


def release(root: Path = ROOT, into: Path | None = None) -> list[Path]:
    """Writes every released notebook, and the pages of claims; `into`: another folder than labs. A notebook without a
    source is removed."""
    settings = config(root)
    target = into or root / RELEASE
    written = []
    for source in sources(root):
        path = target / source.relative_to(root / SOURCE)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(released(source, settings), "utf-8", newline="\n")
        written.append(path)
    for folder in {path.parent for path in written}:
        for path in set(folder.glob("*.ipynb")) - set(written):
            path.unlink()
    found = claims(root / RELEASE / "claims.yaml")
    for case in sorted({claim.case for claim in found}):
        path = target / case / PAGE
        path.write_text(page(case, found), "utf-8", newline="\n")
        written.append(path)
    return written


if __name__ == "__main__":
    logging.disable(logging.INFO)
    for path in release():
        print(path.relative_to(ROOT))
    sys.exit(0)
