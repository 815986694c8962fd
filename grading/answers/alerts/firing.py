"""From an expression's values to an alert: pending while it is true, firing once it has been so for long enough.

Each set of labels that the expression has is an alert of its own, as in Prometheus: ten servers that are down for a
second each, one after the other, never add up to one that is down for ten.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from grading.answers.alerts.rules import Rule
from grading.answers.promql.evaluate import Samples, evaluate
from grading.answers.promql.syntax import COMPARISONS, SETS, Binary, Expression
from grading.answers.promql.values import Column, NoValue, Scalar, Vector, labels_of, merged, nameless


@dataclass(frozen=True, slots=True)
class Told:
    """What a rule said of one run. `firing`: at which seconds. `error`: why it said nothing."""

    rule: Rule
    firing: tuple[bool, ...]
    error: str = ""

    def first(self, begin: float = 0, end: float = math.inf) -> int | None:
        """The first second from `begin` to `end`, both included, at which it fires."""
        return next((n for n, fires in enumerate(self.firing) if fires and begin <= n <= end), None)

    def spans(self) -> list[tuple[int, int]]:
        """(first, last) second of each time that it fired."""
        found: list[tuple[int, int]] = []
        for second, fires in enumerate(self.firing):
            if fires and found and found[-1][1] == second - 1:
                found[-1] = (found[-1][0], second)
            elif fires:
                found.append((second, second))
        return found


def told(rule: Rule, samples: Samples) -> Told:
    try:
        alerts = _alerts(rule, samples)
    except NoValue as error:
        return Told(rule, (False,) * samples.seconds, str(error))
    columns = [held(column, rule.hold) for column in alerts.values()]
    return Told(rule, tuple(any(column[second] for column in columns) for second in range(samples.seconds)))


def _alerts(rule: Rule, samples: Samples) -> Vector:
    """By the labels of the alert: those of the expression, but for the metric's name, and over them the rule's own."""
    value = evaluate(rule.expression, samples)
    if isinstance(value, Scalar):
        return {(): list(value.values)}
    columns = ((labels_of(dict(nameless(labels)) | rule.labels), column) for labels, column in value.items())
    return merged(columns, "its alerts")


def held(column: Column, hold: float) -> list[bool]:
    """Whether there has been a value for `hold` seconds on end. 0 is a value too: what counts is that it is there."""
    found: list[bool] = []
    since: int | None = None
    for second, value in enumerate(column):
        since = None if value is None else second if since is None else since
        found.append(since is not None and second - since >= hold)
    return found


def watched(found: Expression) -> Expression:
    """What stands on the left of the first comparison, which one would like to see over time; else all of it."""
    inner = found
    while isinstance(inner, Binary) and inner.operator in SETS:
        inner = inner.left
    return inner.left if isinstance(inner, Binary) and inner.operator in COMPARISONS else found


def highest(found: Expression, samples: Samples) -> list[float | None]:
    """The largest value at each second; None where there is none, or where it cannot be told."""
    try:
        value = evaluate(found, samples)
    except NoValue:
        return [None] * samples.seconds
    if isinstance(value, Scalar):
        return list(value.values)
    rows: Sequence[tuple[float | None, ...]] = list(zip(*value.values(), strict=True))
    known = [[each for each in row if each is not None and not math.isnan(each)] for row in rows]
    return [max(row, default=None) for row in known] or [None] * samples.seconds
