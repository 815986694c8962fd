"""Operators: numbers with numbers, with each element of a vector, and vectors with vectors.

Two vectors meet element by element: those whose labels are the same, apart from the metric's name (or in those labels
that `on` names, or in all but those that `ignoring` names). Who meets nobody is left out.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable

from grading.answers.promql.syntax import COMPARISONS, SETS, Binary
from grading.answers.promql.values import (
    NAME,
    Column,
    Labels,
    Scalar,
    Value,
    Vector,
    merged,
    nameless,
    only,
    without,
)


def _divided(a: float, b: float) -> float:
    if b:
        return a / b
    return (
        math.nan
        if a == 0 or math.isnan(a) or math.isnan(b)
        else math.copysign(math.inf, a) * math.copysign(1, b)
    )


def _rest(a: float, b: float) -> float:
    return math.nan if not b or math.isinf(a) or math.isnan(a) else math.fmod(a, b)


def _power(a: float, b: float) -> float:
    try:
        return math.pow(a, b)
    except OverflowError:
        return -math.inf if a < 0 and b % 2 == 1 else math.inf
    except ValueError:  # of 0 to a negative power, or a root of a negative number
        return math.inf if a == 0 else math.nan


ARITHMETIC: dict[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": _divided,
    "%": _rest,
    "^": _power,
}
COMPARING: dict[str, Callable[[float, float], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    "<": operator.lt,
    ">=": operator.ge,
    "<=": operator.le,
}


def apply(found: Binary, left: Value, right: Value) -> Value:
    """NoValue: an element of one side meets several of the other."""
    if isinstance(left, Scalar) and isinstance(right, Scalar):
        pair = combine(found, keep_left=True)
        return Scalar([_number(pair(a, b)) for a, b in zip(left.values, right.values, strict=True)])
    if isinstance(right, Scalar):
        assert isinstance(left, dict)
        return _with_scalar(found, left, right, vector_first=True)
    if isinstance(left, Scalar):
        return _with_scalar(found, right, left, vector_first=False)
    return _sets(found, left, right) if found.operator in SETS else _one_to_one(found, left, right)


def combine(found: Binary, keep_left: bool) -> Callable[[float, float], float | None]:
    """Of two elements; None: the comparison is not true of them. `keep_left`: whose value is left if it is."""
    if found.operator in ARITHMETIC:
        return ARITHMETIC[found.operator]
    true = COMPARING[found.operator]
    if found.as_bool:
        return lambda a, b: float(true(a, b))
    return lambda a, b: (a if keep_left else b) if true(a, b) else None


def _number(value: float | None) -> float:
    assert value is not None
    return value


def drops_name(found: Binary) -> bool:
    """A comparison keeps elements as they are; everything else makes something new of them."""
    return found.operator not in COMPARISONS or found.as_bool


def _with_scalar(found: Binary, vector: Vector, scalar: Scalar, vector_first: bool) -> Vector:
    pair = combine(found, keep_left=vector_first)

    def column(values: Column) -> Column:
        both = zip(values, scalar.values, strict=True)
        if vector_first:
            return [None if value is None else pair(value, other) for value, other in both]
        return [None if value is None else pair(other, value) for value, other in both]

    columns = (
        (nameless(labels) if drops_name(found) else labels, column(each)) for labels, each in vector.items()
    )
    return merged(columns, found.operator)


def signature(found: Binary, labels: Labels) -> Labels:
    return only(labels, found.labels) if found.on else without(labels, (*found.labels, NAME))


def _one_to_one(found: Binary, left: Vector, right: Vector) -> Vector:
    what = f"{found.operator} finds several elements on the {{}} that look the same to it"
    partners = merged(
        ((signature(found, labels), each) for labels, each in right.items()), what.format("right")
    )
    pair = combine(found, keep_left=True)
    met: list[tuple[Labels, Column]] = []
    result: list[tuple[Labels, Column]] = []
    for labels, values in left.items():
        shared = signature(found, labels)
        if shared in partners:
            both = zip(values, partners[shared], strict=True)
            column = [None if a is None or b is None else pair(a, b) for a, b in both]
            met.append((shared, column))
            result.append((_result_labels(found, labels), column))
    merged(met, what.format("left"))
    return merged(result, found.operator)


def _result_labels(found: Binary, labels: Labels) -> Labels:
    if drops_name(found):
        labels = nameless(labels)
    return only(labels, found.labels) if found.on else without(labels, found.labels)


def _sets(found: Binary, left: Vector, right: Vector) -> Vector:
    """`and` keeps those on the left that have a partner on the right, `unless` the others; `or` adds those of the right
    that have none on the left."""
    if found.operator == "or":
        there = _presence(found, left)
        kept = [
            (labels, _where(column, there.get(signature(found, labels)), False))
            for labels, column in right.items()
        ]
        return merged([*left.items(), *kept], "or")
    there = _presence(found, right)
    wanted = found.operator == "and"
    return {
        labels: _where(column, there.get(signature(found, labels)), wanted) for labels, column in left.items()
    }


def _presence(found: Binary, vector: Vector) -> dict[Labels, list[bool]]:
    """By signature: at which seconds there is any element."""
    there: dict[Labels, list[bool]] = {}
    for labels, column in vector.items():
        shared = signature(found, labels)
        seen = there.get(shared, [False] * len(column))
        there[shared] = [was or value is not None for was, value in zip(seen, column, strict=True)]
    return there


def _where(column: Column, there: list[bool] | None, wanted: bool) -> Column:
    if there is None:
        return [None] * len(column) if wanted else column
    return [value if seen == wanted else None for value, seen in zip(column, there, strict=True)]
