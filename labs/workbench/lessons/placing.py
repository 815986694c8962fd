"""Which shard has a code? Ways to choose one, how evenly they spread, and what moves when a shard is added."""

from __future__ import annotations

import hashlib
import random
import string
from collections import Counter
from collections.abc import Callable, Iterable, Sequence

ALPHABET = string.digits + string.ascii_lowercase + string.ascii_uppercase
FIVE_RANGES = ("0-9", "a-m", "n-z", "A-M", "N-Z")
"""Of the first character, as one write-up draws its partitions."""

Place = Callable[[str, Sequence[str]], str]
"""(code, shards) to one of the shards."""

EPOCH_BITS = 22
"""A Snowflake number: milliseconds since its epoch, then 10 bits of worker and 12 of sequence."""
YEAR_MS = 365 * 86_400_000


def random_codes(count: int, seed: int, length: int = 7) -> list[str]:
    source = random.Random(seed)
    return ["".join(source.choices(ALPHABET, k=length)) for _ in range(count)]


def snowflake_codes(years: float, days: float, count: int) -> list[str]:
    """`count` codes in the order of time, evenly over `days`, the first one `years` after the epoch."""
    first, last = years * YEAR_MS, years * YEAR_MS + days * 86_400_000
    return [base62(int(first + (last - first) * n / count) << EPOCH_BITS) for n in range(count)]


def base62(number: int) -> str:
    text = ""
    while number:
        number, rest = divmod(number, 62)
        text = ALPHABET[rest] + text
    return text or ALPHABET[0]


def range_of(code: str) -> str:
    """One of FIVE_RANGES. ValueError: the first character is not of base62."""
    first = code[0]
    if first in string.digits:
        return "0-9"
    for name in FIVE_RANGES[1:]:
        if name[0] <= first <= name[2]:
            return name
    raise ValueError(f"{first!r} is not a symbol of base62")


def rendezvous(code: str, shards: Sequence[str]) -> str:
    """The shard that bids highest for a code, each with a hash of its name and the code."""
    return max(shards, key=lambda shard: hashlib.blake2b(f"{shard}/{code}".encode(), digest_size=8).digest())


def spread(codes: Iterable[str], place: Place, shards: Sequence[str]) -> dict[str, float]:
    """The share of the codes on each shard."""
    counts = Counter(place(code, shards) for code in codes)
    return {shard: counts[shard] / counts.total() for shard in shards}


def moved_share(codes: Sequence[str], place: Place, before: Sequence[str], after: Sequence[str]) -> float:
    """The share of the codes whose shard is another one afterwards."""
    return sum(place(code, before) != place(code, after) for code in codes) / len(codes)
