"""Collisions of codes that are drawn at random, or cut off a hash: the birthday problem, computed and tried."""

from __future__ import annotations

import math
from collections.abc import Callable


def collision_chance(drawn: float, space: float) -> float:
    """That two of `drawn` codes out of `space` are the same: 1 - exp(-n (n - 1) / 2 space), good to 1 in `space`."""
    return -math.expm1(-drawn * (drawn - 1) / (2 * space))


def collisions_expected(drawn: float, space: float) -> float:
    """How many of `drawn` codes, on average, were drawn before already."""
    return drawn - space * -math.expm1(drawn * math.log1p(-1 / space))


def drawn_for(chance: float, space: float) -> float:
    """How many codes make a collision that likely. ValueError unless 0 < chance < 1."""
    if not 0 < chance < 1:
        raise ValueError(f"a chance lies between 0 and 1, not {chance}")
    return 0.5 + math.sqrt(0.25 - 2 * space * math.log1p(-chance))


def first_collision(
    code_of: Callable[[str], object], urls: str = "https://example.com/{}", start: int = 0
) -> int:
    """How many URLs it takes, counted from `start`, until two have the same code."""
    seen: set[object] = set()
    number = 0
    while True:
        code = code_of(urls.format(start + number))
        number += 1
        if code in seen:
            return number
        seen.add(code)
