"""What an expression comes to, at every second of a run at once.

A scalar is a column of numbers. A vector is a column for each set of labels, with None where it has no element at that
second. What Prometheus computes for one instant is one row of this.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

Labels = tuple[tuple[str, str], ...]
"""Sorted pairs of name and value; a metric's name is that of `__name__`."""
Column = list[float | None]
Vector = dict[Labels, Column]
NAME = "__name__"


@dataclass(frozen=True, slots=True)
class Scalar:
    values: list[float]


Value = Scalar | Vector


class NoValue(ValueError):
    """The expression makes no sense for these samples, as where two elements would have the same labels."""


def labels_of(pairs: Mapping[str, str]) -> Labels:
    """A label that is empty is one that is not there."""
    return tuple(sorted((name, value) for name, value in pairs.items() if value))


def without(labels: Labels, names: Iterable[str]) -> Labels:
    dropped = frozenset(names)
    return tuple(pair for pair in labels if pair[0] not in dropped)


def only(labels: Labels, names: Iterable[str]) -> Labels:
    kept = frozenset(names)
    return tuple(pair for pair in labels if pair[0] in kept)


def nameless(labels: Labels) -> Labels:
    return without(labels, (NAME,))


def merged(columns: Iterable[tuple[Labels, Column]], what: str) -> Vector:
    """One column for each set of labels. NoValue: two of them have an element at the same second."""
    found: Vector = {}
    for labels, column in columns:
        if labels not in found:
            found[labels] = column
            continue
        before = found[labels]
        if any(a is not None and b is not None for a, b in zip(before, column, strict=True)):
            raise NoValue(f"{what}: several elements would have the labels {shown(labels)}")
        found[labels] = [b if a is None else a for a, b in zip(before, column, strict=True)]
    return found


def shown(labels: Labels) -> str:
    name = dict(labels).get(NAME, "")
    return name + "{" + ", ".join(f'{label}="{value}"' for label, value in nameless(labels)) + "}"
