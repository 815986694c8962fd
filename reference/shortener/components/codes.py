"""The slots that make short codes: `base62`, and three strategies, `hash-codes`, `snowflake-codes`, `key-pool`.

A strategy returns a code that it has *claimed*: the store's atomic insert decides whether a code is free, and
nothing before it does. Custom aliases live in the same namespace, so even a number that nobody else can draw
may be taken.
"""

from __future__ import annotations

import random
import string
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from reference.shortener.components.links import Clock

if TYPE_CHECKING:
    from redis.asyncio import Redis

ALPHABET = string.digits + string.ascii_lowercase + string.ascii_uppercase
"""The 62 symbols, in the order of their values."""

CODE_LENGTH = 7
"""Characters of a code that the service makes. 62 ** 7 is 3,521,614,606,208."""


class Base62(Protocol):
    """Slot `url-shortener/base62`: numbers as text over ALPHABET, and back. Both methods are pure."""

    def __init__(self) -> None: ...

    def encode(self, number: int, length: int = 1) -> str:
        """The digits of `number`, most significant first, padded on the *left* with ALPHABET[0] to `length` at least.

        ValueError: `number` is negative."""
        ...

    def decode(self, text: str) -> int:
        """The number that `text` stands for; padding changes nothing.

        ValueError: empty, or a symbol not in ALPHABET."""
        ...


class Namespace(Protocol):
    """Port: all codes that there are, made or chosen, for one link that is about to be made.

    Promises: of all claims for one code by all links, at most one gets True; a claim that got True lasts for
    ever. The same link may repeat a claim of its own and gets the same answer.
    Errors: `reference.platform.errors.Unavailable` (not claimed), `Indefinite` (perhaps claimed, and then lost
    unless it is repeated).
    """

    async def claim(self, code: str) -> bool:
        """True: the code is this link's. False: somebody else has it."""
        ...

    async def taken(self, code: str) -> bool:
        """Whether the code had an owner at some instant during this call. By the answer's arrival it may have one."""
        ...


class HashCodes(Protocol):
    """Slot `url-shortener/hash-codes`: a code of CODE_LENGTH characters from a hash of the long URL.

    Every code of the whole space can come out, and who knows a URL cannot tell its code, for lack of `key`. Two
    links to one URL are two links: the second meets the first as a collision.
    """

    def __init__(self, *, base62: Base62, random: random.Random, key: bytes) -> None:
        """`key`: a secret, the same on all servers. `random`: unpredictable in service, seeded under the judge."""
        ...

    async def new_code(self, long_url: str, namespace: Namespace) -> str:
        """A code that `namespace.claim` has granted. `Unavailable` if none was to be had in 8 attempts."""
        ...


@dataclass(frozen=True, slots=True)
class WorkerLease:
    """The right to make identifiers as worker number `worker`, until the instant `expires_at` (POSIX seconds).

    `floor`: identifiers of instants up to this one may exist already, from an earlier holder: begin after it.
    `fence`: grows with each holder of the number."""

    worker: int
    fence: int
    expires_at: float
    floor: float


class WorkerIds(Protocol):
    """Port: worker numbers, each held by one server at a time.

    Promises: two leases of one number that are valid at one instant do not exist, by the store's record of
    time. Whoever takes over a number gets a `floor` at or above every `used_until` that was ever acknowledged
    for it.
    Errors (`reference.platform.errors`): `Unavailable`, `Indefinite`; `LeaseLost` from `renew`.
    """

    async def lease(self) -> WorkerLease:
        """A free number from range(workers). `Unavailable` if all are held."""
        ...

    async def renew(self, lease: WorkerLease, used_until: float) -> WorkerLease:
        """Extends the lease; records that identifiers of instants up to `used_until` may be made under it.

        `LeaseLost`: the number is somebody else's by now; nothing may be made under it any more."""
        ...


class SnowflakeCodes(Protocol):
    """Slot `url-shortener/snowflake-codes`: a code from time, worker and sequence, which no other server can make.

    `layout` "short": 41 bits, which fit CODE_LENGTH characters: seconds since SNOWFLAKE_EPOCH (29 bits), worker (5),
    sequence (7). `layout` "standard": milliseconds (41 bits), worker (10), sequence (12), in 11 characters, as in
    Twitter's Snowflake (2010). The number is permuted under `key`, so that neighbours in time are not neighbours
    in the code.
    """

    def __init__(
        self, *, base62: Base62, workers: WorkerIds, clock: Clock, key: bytes, layout: str = "short"
    ) -> None: ...

    async def new_code(self, long_url: str, namespace: Namespace) -> str:
        """A code that `namespace.claim` has granted. Never one number twice, also when the clock steps back, also
        after a crash. `Unavailable` if no worker number is to be had, or the clock is too far behind."""
        ...


SNOWFLAKE_EPOCH = 1_735_689_600.0
"""2025-01-01T00:00:00Z, in POSIX seconds."""


class KeyRanges(Protocol):
    """Port: where generators get numbers that nobody else has.

    Promises: two calls, from whatever process, never return overlapping ranges, not even after an error (the
    range is then lost). Errors: `Unavailable`, `Indefinite`.
    """

    async def allot(self) -> range:
        """Consecutive numbers below 62 ** 7, never given out before. `Unavailable` when there are none left."""
        ...


class KeyPool(Protocol):
    """Slot `url-shortener/key-pool`: codes that were generated beforehand and are handed out from a shared pool.

    Two kinds of process hold one: generators call `generate` now and then; app servers call `new_code`. They share
    one Redis (`pool`), in this layout: the set `pool:unused` holds codes of CODE_LENGTH characters that were never
    handed out. Handing out is atomic; a server takes `batch` codes at a time, and a crash costs what it holds.
    """

    def __init__(
        self,
        *,
        pool: Redis,
        ranges: KeyRanges,
        base62: Base62,
        clock: Clock,
        key: bytes,
        batch: int,
        low_water: int,
    ) -> None:
        """`pool`: a redis-py asyncio client with `decode_responses=True`. `batch`: codes that a server takes at once.
        `low_water`: codes; a pool with fewer is filled up to twice as many. Connects to nothing yet."""
        ...

    async def new_code(self, long_url: str, namespace: Namespace) -> str:
        """A code that `namespace.claim` has granted. `Unavailable` while the pool is dry or away and the local batch
        is used up."""
        ...

    async def generate(self) -> int:
        """Fills the pool up if it is below `low_water`. Returns how many codes were added. Raises PortError or
        `redis.exceptions.RedisError`; what was allotted and not added is lost, and never added later."""
        ...
