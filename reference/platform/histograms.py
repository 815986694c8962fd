"""What a histogram of counted buckets can say, and how surely.

A bucket counts the observations up to its bound; where inside it they lie is not kept. So a quantile is known to lie
between two bounds, and the value given is the point between them that it would have if the bucket were evenly filled.
The share within a limit is exact if the limit is a bound: objectives are set at bounds.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple


class Quantile(NamedTuple):
    """Seconds, or whatever was observed. `low` and `high`: between them it lies for sure."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Buckets:
    """`bounds`: rising, the last one infinite. `counts`: of the observations up to each bound, not of those between."""

    bounds: tuple[float, ...]
    counts: tuple[float, ...]

    @classmethod
    def of(cls, pairs: Iterable[tuple[float, float]]) -> Buckets:
        """From pairs of bound and count in any order; those with the same bound are added up."""
        added: dict[float, float] = {}
        for bound, count in pairs:
            added[bound] = added.get(bound, 0.0) + count
        ordered = sorted(added.items())
        return cls(tuple(bound for bound, _ in ordered), tuple(count for _, count in ordered))

    @property
    def total(self) -> float:
        return self.counts[-1] if self.counts else 0.0

    def quantile(self, q: float) -> Quantile | None:
        """`q`: 0 to 1. None: nothing was observed. Beyond the last finite bound: that bound."""
        if not 0 <= q <= 1:
            raise ValueError(f"a quantile lies between 0 and 1, not at {q}")
        if not self.total:
            return None
        rank = q * self.total
        at = next(i for i, count in enumerate(self.counts) if count >= rank and count > 0)
        low, before = (self.bounds[at - 1], self.counts[at - 1]) if at else (0.0, 0.0)
        high = self.bounds[at]
        if math.isinf(high):
            return Quantile(low, low, high)
        inside = self.counts[at] - before
        return Quantile(low + (high - low) * ((rank - before) / inside if inside else 1.0), low, high)

    def within(self, limit: float) -> float:
        """How many observations were `limit` at most, for sure: those up to the last bound that is not above it."""
        at = bisect_left(self.bounds, limit)
        if at < len(self.bounds) and math.isclose(self.bounds[at], limit):
            return self.counts[at]
        return self.counts[at - 1] if at else 0.0
