"""The slot `snowflake-codes`: numbers from time, worker and sequence; and where a server gets its worker number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from reference.shortener.components.base62 import Base62
from reference.shortener.components.links import Clock
from reference.shortener.components.namespace import Namespace

SNOWFLAKE_EPOCH = 1_735_689_600.0
"""2025-01-01T00:00:00Z, in POSIX seconds."""


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
