"""Functions of a range: at each second they look at the samples of the last so many, both ends included.

`rate` and `increase` know two things that a difference does not. A counter that is smaller than before was started
anew, with its process, and what it has now was counted since. And samples do not lie just at the ends of the range:
what the first and the last say is stretched to it, by up to one gap between samples, but never to below zero.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from grading.answers.promql.values import Column

STRETCH = 1.1
"""Gaps between samples by which the ends may be missed."""


@dataclass(frozen=True, slots=True)
class Window:
    """The samples of one range, which ends at `end`. `grown`: what a counter has added since the series began, over all
    its restarts."""

    begin: float
    end: float
    seconds: list[int]
    values: list[float]
    grown: list[float]


Function = Callable[[Window], float | None]


def over(column: Column, range: float, offset: float, function: Function) -> Column:
    """`function` of the range before each second; None where it holds no sample."""
    return [None if each is None else function(each) for each in windows(column, range, offset)]


def windows(column: Column, range: float, offset: float) -> Iterator[Window | None]:
    seconds = [second for second, value in enumerate(column) if value is not None]
    values = [value for value in column if value is not None]
    grown = _grown(values)
    for now, _ in enumerate(column):
        end = now - offset
        first, last = bisect_left(seconds, end - range), bisect_right(seconds, end)
        part = slice(first, last)
        yield (Window(end - range, end, seconds[part], values[part], grown[part]) if first < last else None)


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
    return _stretched(window, window.grown[-1] - window.grown[0], counter=True)


def rate(window: Window) -> float | None:
    added = increase(window)
    return None if added is None else added / (window.end - window.begin)


def delta(window: Window) -> float | None:
    return _stretched(window, window.values[-1] - window.values[0], counter=False)


def _stretched(window: Window, change: float, counter: bool) -> float | None:
    if len(window.seconds) < 2:
        return None
    known = window.seconds[-1] - window.seconds[0]
    gap = known / (len(window.seconds) - 1)
    before, after = window.seconds[0] - window.begin, window.end - window.seconds[-1]
    if counter and change > 0 and window.values[0] >= 0:
        before = min(before, known * window.values[0] / change)  # so long ago it was zero
    stretched = sum(missed if missed < STRETCH * gap else gap / 2 for missed in (before, after))
    return change * ((known + stretched) / known)


def irate(window: Window) -> float | None:
    """Between the last two samples."""
    if len(window.seconds) < 2:
        return None
    return (window.grown[-1] - window.grown[-2]) / (window.seconds[-1] - window.seconds[-2])


def changes(window: Window) -> float:
    return float(sum(a != b for a, b in zip(window.values, window.values[1:], strict=False)))


def resets(window: Window) -> float:
    return float(sum(b < a for a, b in zip(window.values, window.values[1:], strict=False)))


FUNCTIONS: dict[str, Function] = {
    "rate": rate,
    "increase": increase,
    "irate": irate,
    "delta": delta,
    "changes": changes,
    "resets": resets,
    "avg_over_time": lambda window: sum(window.values) / len(window.values),
    "min_over_time": lambda window: min(window.values),
    "max_over_time": lambda window: max(window.values),
    "sum_over_time": lambda window: sum(window.values),
    "count_over_time": lambda window: float(len(window.values)),
    "last_over_time": lambda window: window.values[-1],
    "present_over_time": lambda window: 1.0,
}
