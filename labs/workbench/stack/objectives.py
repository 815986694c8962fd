"""How the objectives of a running case stand, as a table in text and HTML."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from reference.platform.objectives import Attainment
from workbench.stack.tables import aligned, as_html

MARKS = {True: "✓ met", False: "✗ missed", None: "– nothing yet"}
HEAD = ("objective", "state", "good", "of", "share", "target", "budget left", "p50", "p95", "p99")


class Objectives:
    """`.rows`: a dict for each, with name, says, target, good, total, share, met, budget_left and perhaps p50, p95, p99
    in seconds. `.met`: whether none is missed."""

    def __init__(self, found: Sequence[Attainment]) -> None:
        self.rows: list[dict[str, Any]] = [attainment.json() for attainment in found]

    @property
    def met(self) -> bool:
        return not any(row["met"] is False for row in self.rows)

    def __getitem__(self, name: str) -> dict[str, Any]:
        for row in self.rows:
            if row["name"] == name:
                return row
        raise KeyError(f"no objective {name!r}; there are: {', '.join(row['name'] for row in self.rows)}")

    def _cells(self) -> Iterator[tuple[str, ...]]:
        for row in self.rows:
            yield (
                row["says"],
                MARKS[row["met"]],
                f"{row['good']:.0f}",
                f"{row['total']:.0f}",
                percent(row["share"], 3),
                percent(row["target"], 3),
                percent(row["budget_left"], 0),
                *(milliseconds(row.get(name)) for name in ("p50", "p95", "p99")),
            )

    def text(self) -> str:
        return "\n".join(aligned([HEAD, *self._cells()]))

    def html(self) -> str:
        return as_html("Objectives, as the servers measure them", [HEAD, *self._cells()])

    __str__ = __repr__ = text

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        return {"text/plain": self.text(), "text/html": self.html()}


def percent(share: float | None, digits: int) -> str:
    return "" if share is None else f"{100 * share:.{digits}f} %"


def milliseconds(seconds: float | None) -> str:
    return "" if seconds is None else f"{1000 * seconds:.1f} ms"
