"""Looks for the reference's components in what is about to be handed out: as they stand, renamed, or in pieces.

A component's runs of tokens (see `grading.nbgrader.similar`) that its plain variant does not have are its own. Where
much of them turns up in another file, that file gives it away.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from grading.bundle.contents import HELD_BACK, SHORTENER
from grading.nbgrader.similar import runs

TOO_MUCH = 0.4
"""Share of a component's own runs."""


@dataclass(frozen=True, slots=True)
class Leak:
    """`share`: of what the component has and its plain variant has not, from 0 to 1."""

    module: str
    path: str
    share: float


def leaks(root: Path, texts: Mapping[str, bytes]) -> list[Leak]:
    """What in a bundle's `texts` gives away a component of the project in `root`; the worst first."""
    found = []
    bytecode = [path for path in texts if path.endswith((".pyc", ".pyo")) or "__pycache__" in path]
    found += [Leak("bytecode", path, 1.0) for path in bytecode]
    read = {path: runs(text) for path, text in _sources(texts)}
    for module in HELD_BACK:
        plain = runs((root / SHORTENER / "plain" / f"{module}.py").read_text("utf-8"))
        own = runs((root / SHORTENER / f"{module}.py").read_text("utf-8")) - plain
        for path, theirs in read.items():
            share = len(own & theirs) / len(own) if own else 0.0
            if share > TOO_MUCH:
                found.append(Leak(module, path, share))
    return sorted(found, key=lambda leak: -leak.share)


def _sources(texts: Mapping[str, bytes]) -> Iterator[tuple[str, str]]:
    """(path, Python) of every module, and of every notebook's cells together."""
    for path, data in texts.items():
        if path.endswith(".py"):
            yield path, data.decode("utf-8")
        elif path.endswith(".ipynb"):
            cells = [each for each in json.loads(data)["cells"] if each["cell_type"] == "code"]
            for number, cell in enumerate(cells):
                yield f"{path}, code cell {number}", "".join(cell["source"])
