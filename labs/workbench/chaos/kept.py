"""What was measured on each profile, on file: for whoever has no engine, and to hold one's own run against."""

from __future__ import annotations

import json
from html import escape
from pathlib import Path
from typing import Any

from workbench.chaos.fidelity import Records, differing, reasons, said
from workbench.chaos.table import JOURNEYS, predictions
from workbench.stack.tables import aligned, as_html

FOLDER = Path(__file__).parent / "measured"


def path_of(profile: str) -> Path:
    return FOLDER / f"{profile}.json"


def records(profile: str) -> Records:
    """By fault; nothing if nothing is on file."""
    path = path_of(profile)
    found: Records = json.loads(path.read_text("utf-8"))["faults"] if path.is_file() else {}
    return found


def side_by_side(one: str = "embedded", other: str = "compose", *faults: str) -> Fidelity:
    """Of these faults (all that are on file for both, without names). ValueError: one is not on file."""
    mine, theirs = records(one), records(other)
    both = [fault for fault in mine if fault in theirs]
    if unknown := [fault for fault in faults if fault not in both]:
        raise ValueError(f"not on file: {', '.join(unknown)}; there are: {', '.join(both)}")
    chosen = faults or both
    return Fidelity(one, other, {f: mine[f] for f in chosen}, {f: theirs[f] for f in chosen})


class Fidelity:
    """Each cell of two tables of journeys and faults: where they say the same, and where not, and why.

    `.differing`: (fault, journey) of the cells whose states are not the same. `.agreement`: the share of those that
    are."""

    def __init__(self, one: str, other: str, mine: Records, theirs: Records) -> None:
        self.names = one, other
        self.mine, self.theirs = mine, theirs
        self.differing = differing(mine, theirs)
        self.agreement = 1 - len(self.differing) / (len(mine) * len(JOURNEYS)) if mine else 1.0
        self.reasons = reasons(self.differing, predictions())

    def _rows(self) -> list[tuple[str, ...]]:
        head = ("fault", "journey", *self.names)
        return [head, *((f, j, said(self.mine[f], j), said(self.theirs[f], j)) for f, j in self.differing)]

    def _title(self) -> str:
        cells = len(self.mine) * len(JOURNEYS)
        same = cells - len(self.differing)
        return f"{same} of {cells} cells are the same on {self.names[0]} and {self.names[1]}"

    def text(self) -> str:
        why = (f"{fault}: {text}" for fault, text in self.reasons.items())
        return "\n".join([self._title(), *aligned(self._rows()), *why])

    def html(self) -> str:
        why = "".join(
            f"<p><b>{escape(fault)}</b>: {escape(text)}</p>" for fault, text in self.reasons.items()
        )
        return as_html(f"{self._title()}; here are the others", self._rows()) + why

    __str__ = __repr__ = text

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        return {"text/plain": self.text(), "text/html": self.html()}
