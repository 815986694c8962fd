"""Functions of an instant vector, and the aggregations."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from grading.answers.promql.syntax import Expression, Selector
from grading.answers.promql.values import (
    NAME,
    Column,
    Labels,
    Scalar,
    Vector,
    labels_of,
    merged,
    nameless,
    only,
    without,
)

# --- of each element

Each = Callable[[float], float]
EACH: dict[str, Each] = {
    "abs": abs,
    "ceil": lambda value: float(math.ceil(value)) if math.isfinite(value) else value,
    "floor": lambda value: float(math.floor(value)) if math.isfinite(value) else value,
}


def each(vector: Vector, function: Each) -> Vector:
    columns = (
        (nameless(labels), [None if value is None else function(value) for value in column])
        for labels, column in vector.items()
    )
    return merged(columns, "a function of each element")


def clamped(vector: Vector, limit: Scalar, choose: Callable[[float, float], float]) -> Vector:
    def clamp(value: float, end: float) -> float:
        return math.nan if math.isnan(value) or math.isnan(end) else choose(value, end)

    columns = (
        (
            nameless(labels),
            [None if v is None else clamp(v, end) for v, end in zip(column, limit.values, strict=True)],
        )
        for labels, column in vector.items()
    )
    return merged(columns, "clamping")


# --- of a whole vector


def scalar(vector: Vector, seconds: int) -> Scalar:
    """The one element; NaN where there are none, or several."""
    rows = (_present(column[second] for column in vector.values()) for second in range(seconds))
    return Scalar([row[0] if len(row) == 1 else math.nan for row in rows])


def absent(vector: Vector, argument: Expression, seconds: int) -> Vector:
    """1 where there is no element, with the labels that the selector asked for by `=`."""
    column: Column = [
        None if any(each[second] is not None for each in vector.values()) else 1.0
        for second in range(seconds)
    ]
    return {_asked_for(argument): column}


def _asked_for(argument: Expression) -> Labels:
    if not isinstance(argument, Selector):
        return ()
    matchers = [each for each in argument.matchers if each.label != NAME]
    once = [each for each in matchers if [other.label for other in matchers].count(each.label) == 1]
    return labels_of({each.label: each.value for each in once if each.sign == "="})


def histogram_quantile(q: Scalar, vector: Vector) -> Vector:
    """Of each histogram, whose buckets differ in `le` alone; see `reference.platform.histograms` for what that can
    say."""
    histograms: dict[Labels, list[tuple[float, Column]]] = {}
    for labels, column in vector.items():
        if (bound := _bound(dict(labels).get("le", ""))) is not None:
            histograms.setdefault(without(labels, ("le", NAME)), []).append((bound, column))
    return {
        labels: [
            quantile(
                share, [(bound, value) for bound, column in buckets if (value := column[second]) is not None]
            )
            for second, share in enumerate(q.values)
        ]
        for labels, buckets in histograms.items()
    }


def _bound(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def quantile(q: float, buckets: Sequence[tuple[float, float]]) -> float | None:
    """`buckets`: (upper bound, count up to it). None: there are none. NaN: they cannot say it."""
    if not buckets:
        return None
    if math.isnan(q) or not 0 <= q <= 1:
        return math.nan if math.isnan(q) else math.copysign(math.inf, q)
    bounds, counts = _rising(buckets)
    if not math.isinf(bounds[-1]) or len(bounds) < 2 or not counts[-1] > 0:
        return math.nan
    rank = q * counts[-1]
    at = next((i for i, count in enumerate(counts[:-1]) if count >= rank), len(counts) - 1)
    if at == len(counts) - 1:
        return bounds[-2]
    if at == 0 and bounds[0] <= 0:
        return bounds[0]
    low, before = (bounds[at - 1], counts[at - 1]) if at else (0.0, 0.0)
    inside = counts[at] - before
    return low + (bounds[at] - low) * ((rank - before) / inside) if inside else math.nan


def _rising(buckets: Sequence[tuple[float, float]]) -> tuple[list[float], list[float]]:
    """In order, each bound once; a count is never less than the one before (rates are computed one by one)."""
    added: dict[float, float] = {}
    for bound, count in buckets:
        added[bound] = added.get(bound, 0.0) + count
    bounds = sorted(added)
    counts = [added[bound] for bound in bounds]
    for number in range(1, len(counts)):
        counts[number] = max(counts[number], counts[number - 1])
    return bounds, counts


# --- aggregations


def aggregate(operator: str, vector: Vector, labels: tuple[str, ...], by: bool) -> Vector:
    groups: dict[Labels, list[Column]] = {}
    for own, column in vector.items():
        shared = only(own, labels) if by else without(own, (*labels, NAME))
        groups.setdefault(shared, []).append(column)
    fold = AGGREGATIONS[operator]
    return {
        shared: [fold(row) if (row := _present(values)) else None for values in zip(*columns, strict=True)]
        for shared, columns in groups.items()
    }


def _present(values: object) -> list[float]:
    return [value for value in values if value is not None]  # type: ignore[attr-defined]


def _extreme(choose: Callable[[list[float]], float]) -> Callable[[list[float]], float]:
    """NaN counts only where there is nothing else."""

    def fold(row: list[float]) -> float:
        numbers = [value for value in row if not math.isnan(value)]
        return choose(numbers) if numbers else math.nan

    return fold


AGGREGATIONS: dict[str, Callable[[list[float]], float]] = {
    "sum": sum,
    "avg": lambda row: sum(row) / len(row),
    "min": _extreme(min),
    "max": _extreme(max),
    "count": lambda row: float(len(row)),
}
