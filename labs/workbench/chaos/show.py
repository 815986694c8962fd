"""The table of journeys and faults in a notebook: `await journeys(stack, "cache cut off", "shard killed")`."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import Any

from workbench.chaos import table
from workbench.chaos.faults import FAULTS
from workbench.chaos.run import Outcome, run
from workbench.chaos.table import JOURNEYS, Cell
from workbench.stack import Stack
from workbench.stack.tables import aligned, as_html

MARKS = {"works": "✓", "degraded": "~", "fails": "✗"}
HEAD = ("fault", *JOURNEYS, "clicks answered, counted")
ORDER = ("works", "degraded", "fails")


async def journeys(stack: Stack, *faults: str, before: Journeys | None = None) -> Journeys:
    """Puts `stack` under load, and one fault after the other upon it (all, without names): some 15 s each.

    `before`: an earlier table, such as that of the reference's own component; cells that turned worse are marked.
    ValueError: there is no such fault."""
    if unknown := [name for name in faults if name not in FAULTS]:
        raise ValueError(f"no fault {', '.join(unknown)}; there are: {', '.join(FAULTS)}")
    outcomes = []
    for name in faults or FAULTS:
        print(f"{name} …", flush=True)
        outcomes.append(await run(name, FAULTS[name], stack))
    return Journeys(stack.profile, outcomes, before)


class Journeys:
    """What became of each journey of a user while each fault lasted. `.cells[fault][journey]`: state (works, degraded,
    fails), errors (a share) and p99 (seconds). `.broken`: promises that were not kept."""

    def __init__(self, profile: str, outcomes: list[Outcome], before: Journeys | None = None) -> None:
        self.profile = profile
        self.cells: dict[str, dict[str, Cell]] = {each.name: table.row(each) for each in outcomes}
        self.broken = [f"{each.name}: {what}" for each in outcomes for what in each.broken]
        self.unmet = [each.name for each in outcomes if not each.met]
        self.counted = {each.name: (each.answered, each.counted) for each in outcomes}
        self.before = before

    def worse(self) -> list[tuple[str, str]]:
        """The cells, as (fault, journey), whose state is worse than before."""
        earlier = self.before.cells if self.before is not None else {}
        return [
            (fault, journey)
            for fault, row in self.cells.items()
            for journey, found in row.items()
            if fault in earlier and ORDER.index(found.state) > ORDER.index(earlier[fault][journey].state)
        ]

    def _rows(self) -> Iterator[tuple[str, ...]]:
        worse = set(self.worse())
        for fault, row in self.cells.items():
            cells = []
            for journey in JOURNEYS:
                found = row[journey]
                text = f"{MARKS[found.state]} {found.state}: {found.errors:.0%} failed, p99 {1000 * found.p99:.0f} ms"
                cells.append(f"{text} (worse)" if (fault, journey) in worse else text)
            answered, counted = self.counted[fault]
            yield (fault, *cells, f"{answered}, {counted}")

    def _notes(self) -> list[str]:
        notes = [f"Broken: {what}" for what in self.broken] or ["No promise was broken."]
        notes += [f"{fault}: the fault met no work, so this row says nothing" for fault in self.unmet]
        return notes

    def text(self) -> str:
        return "\n".join([*aligned([HEAD, *self._rows()]), *self._notes()])

    def html(self) -> str:
        notes = "".join(f"<p>{escape(note)}</p>" for note in self._notes())
        return as_html(f"Journeys and faults, on {self.profile}", [HEAD, *self._rows()]) + notes

    __str__ = __repr__ = text

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        return {"text/plain": self.text(), "text/html": self.html()}
