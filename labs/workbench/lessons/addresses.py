"""What is left of a person when the address is hashed, or cut off."""

from __future__ import annotations

import hashlib
import random
import time
from collections import Counter
from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass

from reference.shortener.agents import NAMES

ALL_IPV4 = 2**32


def digest_of(address: str) -> str:
    """SHA-256, as a table "without addresses" would hold it."""
    return hashlib.sha256(address.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Search:
    """`found`: the address, "" if it was none of those that were tried."""

    found: str
    tried: int
    seconds: float

    @property
    def minutes_for_all(self) -> float:
        """That every IPv4 address would take at this rate, on one core."""
        return ALL_IPV4 / self.tried * self.seconds / 60


def search(digest: str, first: int, second: int) -> Search:
    """Hashes each of the 65,536 addresses that begin with these two numbers, to the last one."""
    wanted = bytes.fromhex(digest)
    sha256 = hashlib.sha256
    found = ""
    began = time.perf_counter()
    for third in range(256):
        for last in range(256):
            address = f"{first}.{second}.{third}.{last}"
            if sha256(address.encode()).digest() == wanted:
                found = address
    return Search(found, 65_536, time.perf_counter() - began)


@dataclass(frozen=True, slots=True)
class Seen:
    """What a row of clicks tells after the cut: a network of 256 addresses, a browser, an hour of the day."""

    network: str
    agent: str
    hour: int


def crowd(visitors: int, networks: int, seed: int = 1) -> Iterator[Seen]:
    """An invented day: so many people, one click each, from so many networks; three in four use the two most common
    browsers, and the hour is any between 8 and 22."""
    source = random.Random(seed)
    common, rest = ("Chrome", "Safari"), [name for name in NAMES if name not in ("Chrome", "Safari")]
    for _ in range(visitors):
        agent = source.choice(common) if source.random() < 0.75 else source.choice(rest)
        yield Seen(f"203.0.{source.randrange(networks)}.0/24", agent, source.randrange(8, 22))


def alone(keys: Iterable[Hashable]) -> float:
    """The share of the keys that nobody else has."""
    counts = Counter(keys)
    return sum(count == 1 for count in counts.values()) / max(1, counts.total())
