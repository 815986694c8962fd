"""Looks for the reference's components in what is about to be handed out: as they stand, renamed, or in pieces.

A component's runs of tokens (see `grading.nbgrader.similar`) that are not in what learners get in its place are its
own. Where much of them turns up in any file, that file gives it away. Most plain variants are nearly whole solutions,
so they are looked for as well.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from grading.bundle.contents import HELD_BACK, IN_ITS_PLACE, SHORTENER, SHOWN_PLAIN
from grading.nbgrader.similar import runs

TOO_MUCH = 0.4
"""Share of a component's own runs."""


@dataclass(frozen=True, slots=True)
class Leak:
    """`share`: of what the component has and what stands in its place has not, from 0 to 1."""

    module: str
    path: str
    share: float


def leaks(root: Path, texts: Mapping[str, bytes]) -> list[Leak]:
    """What in a bundle's `texts` gives away a component of the project in `root`; the worst first."""
    found = []
    bytecode = [path for path in texts if path.endswith((".pyc", ".pyo")) or "__pycache__" in path]
    found += [Leak("bytecode", path, 1.0) for path in bytecode]
    read = {path: runs(text) for path, text in _sources(texts)}
    given = frozenset[tuple[str, ...]]().union(*(read[path] for path in in_their_place(texts)))
    for module in HELD_BACK:
        for variant in (module, *([] if module in SHOWN_PLAIN else [f"plain/{module}"])):
            own = runs((root / SHORTENER / f"{variant}.py").read_text("utf-8")) - given
            for path, theirs in read.items():
                share = len(own & theirs) / len(own) if own else 0.0
                if share > TOO_MUCH:
                    found.append(Leak(variant, path, share))
    return sorted(found, key=lambda leak: -leak.share)


def in_their_place(texts: Mapping[str, bytes]) -> list[str]:
    """What a bundle has where the solutions were, as far as it has it: the first cells of the exercises."""
    held = [f"{SHORTENER}/{module}.py" for module in HELD_BACK]
    return [path for path in held if texts.get(path, b"").startswith(IN_ITS_PLACE.encode())]


def _sources(texts: Mapping[str, bytes]) -> Iterator[tuple[str, str]]:
    """(path, Python) of every module, and of every notebook's cells together."""
    for path, data in texts.items():
        if path.endswith(".py"):
            yield path, data.decode("utf-8")
        elif path.endswith(".ipynb"):
            cells = [each for each in json.loads(data)["cells"] if each["cell_type"] == "code"]
            for number, cell in enumerate(cells):
                yield f"{path}, code cell {number}", "".join(cell["source"])
