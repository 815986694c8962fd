"""Functions of a range: at each second they look at the samples of the last so many, both ends included.

`rate` and `increase` know two things that a difference does not. A counter that is smaller than before was started
anew, with its process, and what it has now was counted since. And samples do not lie just at the ends of the range:
what the first and the last say is stretched to it, by up to one gap between samples, but never to below zero.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from grading.answers.promql.values import Column

STRETCH = 1.1
"""Gaps between samples by which the ends may be missed."""


@dataclass(slots=True)
class Window:
    """A range of a series, from `begin` to `end`. Of the series' samples, which `seconds` and `values` hold all, those
    numbered `first` to `last` lie in it; there is at least one. `grown`: what a counter has added since the series
    began, over all its restarts."""

    begin: float
    end: float
    first: int
    last: int
    seconds: list[int]
    values: list[float]
    grown: list[float]

    def __len__(self) -> int:
        return self.last - self.first + 1

    def inside(self) -> list[float]:
        return self.values[self.first : self.last + 1]


Function = Callable[[Window], float | None]


def over(column: Column, range: float, offset: float, function: Function) -> Column:
    """`function` of the range before each second; None where it holds no sample."""
    return [None if each is None else function(each) for each in windows(column, range, offset)]


def windows(column: Column, range: float, offset: float) -> Iterator[Window | None]:
    seconds = [second for second, value in enumerate(column) if value is not None]
    values = [value for value in column if value is not None]
    grown = _grown(values)
    for now, _ in enumerate(column):
        begin, end = now - offset - range, now - offset
        first, last = bisect_left(seconds, begin), bisect_right(seconds, end) - 1
        yield Window(begin, end, first, last, seconds, values, grown) if first <= last else None


def _grown(values: list[float]) -> list[float]:
    """Of a counter: as if its process had never ended."""
    found: list[float] = []
    lost = 0.0
    for number, value in enumerate(values):
        if number and value < values[number - 1]:
            lost += values[number - 1]
        found.append(value + lost)
    return found


def increase(window: Window) -> float | None:
    return _stretched(window, window.grown[window.last] - window.grown[window.first], counter=True)


def rate(window: Window) -> float | None:
    added = increase(window)
    return None if added is None else added / (window.end - window.begin)


def delta(window: Window) -> float | None:
    return _stretched(window, window.values[window.last] - window.values[window.first], counter=False)


def _stretched(window: Window, change: float, counter: bool) -> float | None:
    if len(window) < 2:
        return None
    since, until = window.seconds[window.first], window.seconds[window.last]
    known = until - since
    gap = known / (len(window) - 1)
    before, after = since - window.begin, window.end - until
    oldest = window.values[window.first]
    if counter and change > 0 and oldest >= 0:
        before = min(before, known * oldest / change)  # so long ago it was zero
    stretched = sum(missed if missed < STRETCH * gap else gap / 2 for missed in (before, after))
    return change * ((known + stretched) / known)


def irate(window: Window) -> float | None:
    """Between the last two samples."""
    if len(window) < 2:
        return None
    now, before = window.last, window.last - 1
    return (window.grown[now] - window.grown[before]) / (window.seconds[now] - window.seconds[before])


def changes(window: Window) -> float:
    return float(sum(a != b for a, b in pairwise(window.inside())))


def resets(window: Window) -> float:
    return float(sum(b < a for a, b in pairwise(window.inside())))


FUNCTIONS: dict[str, Function] = {
    "rate": rate,
    "increase": increase,
    "irate": irate,
    "delta": delta,
    "changes": changes,
    "resets": resets,
    "avg_over_time": lambda window: sum(window.inside()) / len(window),
    "min_over_time": lambda window: min(window.inside()),
    "max_over_time": lambda window: max(window.inside()),
    "sum_over_time": lambda window: sum(window.inside()),
    "count_over_time": lambda window: float(len(window)),
    "last_over_time": lambda window: window.values[window.last],
    "present_over_time": lambda window: 1.0,
}
