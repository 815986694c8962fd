"""The slot `key-pool`: codes that are generated beforehand; and where generators get numbers for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from reference.shortener.components.base62 import Base62
from reference.shortener.components.links import Clock
from reference.shortener.components.namespace import Namespace

if TYPE_CHECKING:
    from redis.asyncio import Redis


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
