"""`requirements(slot)`: what a component or an answer is judged by, as a table."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import Any

from grading.judge.report_html import marked


@dataclass(frozen=True, slots=True)
class Requirements:
    """`rows`: (points, id, what is promised)."""

    slot: str
    rows: tuple[tuple[float, str, str], ...]

    @property
    def points(self) -> float:
        return sum(points for points, _, _ in self.rows)

    def __str__(self) -> str:
        lines = [f"{points:>3g}  {id:<14} {promise}" for points, id, promise in self.rows]
        return "\n".join([f"{self.slot}: {self.points:g} points", *lines])

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        left = 'style="text-align:left"'
        body = "".join(
            f'<tr><td>{points:g}</td><th scope="row" {left}>{escape(id)}</th><td {left}>{marked(promise)}</td></tr>'
            for points, id, promise in self.rows
        )
        head = f'<tr><th scope="col">points</th><th scope="col" {left}>id</th><th scope="col" {left}>promise</th></tr>'
        caption = f"<caption>{escape(self.slot)}: {self.points:g} points</caption>"
        table = f"<table>{caption}<thead>{head}</thead><tbody>{body}</tbody></table>"
        return {"text/plain": str(self), "text/html": table}


def requirements(slot: str) -> Requirements:
    """Of a slot, or of an answer. ValueError: there is none of that name."""
    from grading.answers import ANSWERS, exercise
    from grading.checks import suite

    if slot in ANSWERS:
        return Requirements(slot, exercise(slot).parts)

    return Requirements(slot, tuple((r.points, r.id, r.promise) for r in suite(slot).requirements))
