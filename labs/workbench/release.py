"""`python -m workbench.release` (`make labs`): the notebooks of grading/source, without solutions, into labs.

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


def release(root: Path = ROOT, into: Path | None = None) -> list[Path]:
    """Writes every released notebook; `into`: another folder than labs. A notebook without a source is removed."""
    settings = config(root)
    target = into or root / RELEASE
    written = []
    for source in sorted((root / SOURCE).glob("*/*.ipynb")):
        path = target / source.relative_to(root / SOURCE)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(released(source, settings), "utf-8", newline="\n")
        written.append(path)
    for folder in {path.parent for path in written}:
        for path in set(folder.glob("*.ipynb")) - set(written):
            path.unlink()
    return written


if __name__ == "__main__":
    logging.disable(logging.INFO)
    for path in release():
        print(path.relative_to(ROOT))
    sys.exit(0)
