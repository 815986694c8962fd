"""What became of each statement, as a table in text and HTML."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any, Literal

from grading.answers.requirements import ended

State = Literal["kept", "broken", "not shown"]
SIGNS: dict[State, str] = {"kept": "✓", "broken": "✗", "not shown": "?"}
WIDTH = 100


@dataclass(frozen=True, slots=True)
class Tried:
    """`figures`: what was seen, in a sentence or two. "not shown": the run could tell neither; `figures` says why."""

    state: State
    figures: str


@dataclass(frozen=True, slots=True)
class Promise:
    """One statement and what a run said of it."""

    id: str
    sentence: str
    tried: Tried

    @property
    def state(self) -> State:
        return self.tried.state


class Promises(Sequence[Promise]):
    """`promises["redirects-fast"].state`: by id, too. `.broken`: the ids of those that were broken."""

    def __init__(self, rows: Sequence[Promise], seconds: float) -> None:
        self.rows = tuple(rows)
        self.seconds = seconds

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, which: Any) -> Any:
        if not isinstance(which, str):
            return self.rows[which]
        for row in self.rows:
            if row.id == which:
                return row
        raise KeyError(f"no statement {which!r}; there are: {', '.join(row.id for row in self.rows)}")

    @property
    def broken(self) -> list[str]:
        return [row.id for row in self.rows if row.state == "broken"]

    def headline(self) -> str:
        states = [row.state for row in self.rows]
        counted = ", ".join(f"{states.count(state)} {state}" for state in SIGNS)
        return f"Your {len(self.rows)} statements, tried on this stack in {self.seconds:.0f} s: {counted}."

    def _lines(self) -> Iterator[str]:
        yield self.headline()
        for row in self.rows:
            yield ""
            yield from textwrap.wrap(
                f"{SIGNS[row.state]} {row.state}: {row.id}. {ended(row.sentence)}",
                WIDTH,
                subsequent_indent="    ",
            )
            yield from textwrap.wrap(
                row.tried.figures, WIDTH, initial_indent="    ", subsequent_indent="    "
            )

    def __str__(self) -> str:
        return "\n".join(self._lines())

    __repr__ = __str__

    def html(self) -> str:
        left = 'style="text-align:left"'
        heads = ("statement", "this stack", "what was seen")
        head = "".join(f'<th scope="col" {left}>{each}</th>' for each in heads)
        body = "".join(
            f'<tr><th scope="row" {left}>{escape(row.id)}: <span style="font-weight:normal">'
            f"{escape(ended(row.sentence))}</span></th>"
            f'<td style="text-align:left;white-space:nowrap">{SIGNS[row.state]} {row.state}</td>'
            f"<td {left}>{escape(row.tried.figures)}</td></tr>"
            for row in self.rows
        )
        caption = f"<caption>{escape(self.headline())}</caption>"
        return f"<table>{caption}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        return {"text/plain": str(self), "text/html": self.html()}
