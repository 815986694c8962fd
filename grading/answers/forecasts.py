"""Forecasts: what a learner expects of the running stack, as ranges, before anything is measured.

They earn no marks, for what comes out differs from machine to machine. They are scored beside the measurement: whether
it lies in the range, and how narrow that was.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from grading.answers.estimates import BLANK, understood, written
from grading.answers.quantities import NotAQuantity, Quantity, digits, parse
from grading.answers.reading import Unreadable, read
from grading.judge.report import Verdict

NARROW = 3.0
"""A range whose ends differ by this factor at most says something."""


@dataclass(frozen=True, slots=True)
class Foreseen:
    """One thing that will be measured."""

    id: str
    title: str
    unit: str


@dataclass(frozen=True, slots=True)
class Score:
    """A forecast beside what was measured."""

    foreseen: Foreseen
    forecast: str
    measured: Quantity | None
    says: str


@dataclass(frozen=True, slots=True)
class Forecasts:
    """An exercise of kind `forecasts`."""

    id: str
    asked: tuple[Foreseen, ...]
    kind: str = "forecasts"

    @classmethod
    def load(cls, path: Path) -> Forecasts:
        data = tomllib.loads(path.read_text("utf-8"))
        return cls(data["id"], tuple(Foreseen(**each) for each in data["asked"]))

    @property
    def parts(self) -> tuple[tuple[float, str, str], ...]:
        return tuple((0.0, each.id, each.title) for each in self.asked)

    def read_back(self, text: str) -> list[tuple[str, str]]:
        try:
            values = read(text).values
        except Unreadable as error:
            return [("not readable", str(error))]
        return [(each.id, _told(each, values.get(each.id, BLANK))) for each in self.asked]

    def judge(self, text: str) -> Verdict:
        """Without points: a forecast cannot be right before it was measured."""
        return Verdict(self.id, 0.0, 0.0, "data", (), ())

    def score(self, text: str, measured: Mapping[str, str]) -> Scores:
        """`measured`: id to quantity as text, such as "1,900 redirects/s". ValueError: a measurement that is none."""
        try:
            values = read(text).values
        except Unreadable as error:
            raise ValueError(f"the forecasts cannot be read: {error}") from None
        found = []
        for each in self.asked:
            seen = parse(measured[each.id]).in_unit(each.unit) if each.id in measured else None
            found.append(_scored(each, written(values.get(each.id, BLANK)), seen))
        return Scores(tuple(found))


@dataclass(frozen=True, slots=True)
class Scores:
    """All forecasts beside their measurements, as a table."""

    scores: tuple[Score, ...]

    @property
    def right(self) -> int:
        return sum(score.says.startswith("right") for score in self.scores)

    def _rows(self) -> list[tuple[str, str, str, str]]:
        return [
            (s.foreseen.title, s.forecast or "–", str(s.measured) if s.measured else "–", s.says)
            for s in self.scores
        ]

    def __str__(self) -> str:
        return "\n".join(" | ".join(row) for row in [HEAD, *self._rows()])

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        left = 'style="text-align:left"'
        head = "".join(f'<th scope="col" {left}>{cell}</th>' for cell in HEAD)
        body = "".join(
            "<tr>" + "".join(f"<td {left}>{escape(cell)}</td>" for cell in row) + "</tr>"
            for row in self._rows()
        )
        table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        return {"text/plain": str(self), "text/html": table}


HEAD = ("what", "you expected", "measured", "score")


def _told(asked: Foreseen, value: object) -> str:
    found = understood(value, asked.unit)
    if not isinstance(found, Quantity):
        return found or "no forecast yet"
    return str(found) + ("" if found.is_range else " (a range would be wiser: how sure are you?)")


def _scored(asked: Foreseen, text: str, measured: Quantity | None) -> Score:
    if text in ("", BLANK):
        return Score(asked, "", measured, "no forecast")
    try:
        quantity = parse(text).in_unit(asked.unit)
    except NotAQuantity as error:
        return Score(asked, text, measured, str(error))
    if measured is None:
        return Score(asked, str(quantity), None, "not measured")
    value = measured.middle
    if quantity.low <= value <= quantity.high or 0.9 <= value / (quantity.middle or 1e-300) <= 1.1:
        wide = quantity.high / quantity.low if quantity.low > 0 else float("inf")
        spans = f"spans a factor of {digits(wide)}" if quantity.low > 0 else "begins at nothing"
        how = "right" if wide <= NARROW else f"right, but the range {spans}"
        return Score(asked, str(quantity), measured, how)
    if not quantity.middle or not value:
        return Score(asked, str(quantity), measured, "missed")
    end = quantity.high if value > quantity.high else quantity.low
    off = max(value / end, end / value) if end else float("inf")
    much = "too low" if value > quantity.high else "too high"
    return Score(asked, str(quantity), measured, f"missed: {much} by a factor of {digits(off)}")
