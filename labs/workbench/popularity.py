"""How unevenly links are clicked: Zipf's law, computed and sampled.

The item of rank r (1 is the most popular) gets a share of the requests in proportion to 1 / r ** skew. With skew 0 all
are alike; around 1 is what web traffic often shows (L. Breslau et al., "Web Caching and Zipf-like Distributions",
INFOCOM 1999, found 0.64 to 0.83).
"""

from __future__ import annotations

import random
from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Iterator
from itertools import accumulate
from math import log, pow

EXACT_TERMS = 50


def harmonic(n: int, skew: float) -> float:
    """The sum of 1 / r ** skew for r = 1 … n.

    The first terms one by one, the rest by Euler and Maclaurin's formula: a relative error below 1e-9.
    """
    head = min(n, EXACT_TERMS)
    total = sum(pow(r, -skew) for r in range(1, head + 1))
    if n == head:
        return total
    a, b = float(head), float(n)
    flat = 1 - skew
    integral = log(b / a) if abs(flat) < 1e-9 else (pow(b, flat) - pow(a, flat)) / flat
    return (
        total
        + integral
        + (pow(b, -skew) - pow(a, -skew)) / 2
        + skew * (pow(a, -skew - 1) - pow(b, -skew - 1)) / 12
    )


class Zipf:
    """`items` links whose popularity falls off with exponent `skew` (0 or more)."""

    def __init__(self, items: int, skew: float) -> None:
        if items < 1:
            raise ValueError(f"items = {items}: at least 1")
        if skew < 0:
            raise ValueError(f"skew = {skew}: 0 (all alike) or more")
        self.items = items
        self.skew = skew

    def share(self, top: int | float) -> float:
        """The share of all requests that goes to the most popular: `top` of them, or that fraction if below 1.

        It is also the best hit rate that a cache of that size can have.
        """
        count = round(top * self.items) if 0 < top < 1 else int(top)
        return harmonic(min(count, self.items), self.skew) / harmonic(self.items, self.skew)

    @classmethod
    def with_share(cls, items: int, top: float, share: float) -> Zipf:
        """The law under which the fraction `top` of the items takes `share` of the requests.

        ValueError where no skew between 0 and 10 does that.
        """
        low, high = 0.0, 10.0
        if not cls(items, low).share(top) <= share <= cls(items, high).share(top):
            raise ValueError(
                f"no skew gives the top {100 * top:.1f} % of {items} items {100 * share:.1f} % of the requests"
            )
        for _ in range(60):
            middle = (low + high) / 2
            low, high = (middle, high) if cls(items, middle).share(top) < share else (low, middle)
        return cls(items, (low + high) / 2)

    def cold_hit_rate(self, requests: int) -> float:
        """The expected hit rate of the first `requests` requests on an empty cache that forgets nothing.

        Each item costs one miss if it is asked for at all. Takes time in proportion to `items`.
        """
        total = harmonic(self.items, self.skew)
        seen = sum(1 - (1 - pow(r, -self.skew) / total) ** requests for r in range(1, self.items + 1))
        return 1 - seen / requests

    def sampler(self, seed: int) -> Iterator[int]:
        """Ranks without end, from 0 (the most popular) on. The same seed gives the same ranks."""
        steps = list(accumulate(pow(r, -self.skew) for r in range(1, self.items + 1)))
        source = random.Random(seed)
        while True:
            yield min(bisect_left(steps, source.random() * steps[-1]), self.items - 1)

    def lru_hit_rate(self, size: int, requests: int, seed: int = 1) -> float:
        """The hit rate of a cache that holds `size` items and evicts the least recently used, by simulation.

        The first half of the requests warms it up and is not counted.
        """
        held: OrderedDict[int, None] = OrderedDict()
        hits = 0
        ranks = self.sampler(seed)
        for number in range(requests):
            rank = next(ranks)
            if rank in held:
                held.move_to_end(rank)
                hits += number >= requests // 2
            else:
                held[rank] = None
                if len(held) > size:
                    held.popitem(last=False)
        return hits / (requests - requests // 2)

    def __repr__(self) -> str:
        return f"Zipf({self.items:,} items, skew {self.skew:.2f})"
