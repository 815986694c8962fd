"""Plain filling of `url-shortener/snowflake-codes`: one call at a time, and nothing done in advance.

The first code of each tick renews the lease, while everybody waits; a sequence that is full waits for the next tick.
"""

from __future__ import annotations

import asyncio

from reference.platform.errors import Indefinite, LeaseLost, Unavailable
from reference.shortener.components import SNOWFLAKE_EPOCH, Base62, Clock, Namespace, WorkerIds, WorkerLease
from reference.shortener.permutation import Permutation

LAYOUTS = {"short": (1.0, 29, 5, 7, 7), "standard": (0.001, 41, 10, 12, 11)}
"""Seconds of a tick; bits of time, worker and sequence; characters."""
PATIENCE = 2.0
"""Seconds that the clock may be behind what was made already."""


class SnowflakeCodes:
    def __init__(
        self, *, base62: Base62, workers: WorkerIds, clock: Clock, key: bytes, layout: str = "short"
    ) -> None:
        self.base62 = base62
        self.workers = workers
        self.clock = clock
        self.seconds, self.time_bits, self.worker_bits, self.sequence_bits, self.length = LAYOUTS[layout]
        self.permutation = Permutation(62**self.length, key)
        self.lock = asyncio.Lock()
        self.lease: WorkerLease | None = None
        self.tick = 0
        self.unused = 0
        """Numbers of the tick that are left."""

    async def new_code(self, long_url: str, namespace: Namespace) -> str:
        while True:
            code = self.base62.encode(self.permutation.of(await self.next_number()), self.length)
            if await namespace.claim(code):  # else it is somebody's alias
                return code

    async def next_number(self) -> int:
        async with self.lock:
            try:
                lease = self.lease or await self.first_lease()
                if self.tick < self.tick_of(self.clock.now()) or not self.unused:
                    lease = await self.next_tick(lease)
            except LeaseLost as error:
                self.lease = None
                raise Unavailable("the worker number was lost: try again") from error
            except Indefinite as error:
                raise Unavailable(f"no worker number: {error}") from error
            self.unused -= 1
            if self.tick >> self.time_bits or lease.worker >> self.worker_bits:
                raise Unavailable(f"tick {self.tick} or worker {lease.worker} does not fit the layout")
            return ((self.tick << self.worker_bits) + lease.worker << self.sequence_bits) + self.unused

    async def first_lease(self) -> WorkerLease:
        """A worker number, of which everything up to the floor's tick may be used up."""
        lease = await self.workers.lease()
        self.lease, self.tick, self.unused = lease, self.tick_of(lease.floor), 0
        return lease

    async def next_tick(self, lease: WorkerLease) -> WorkerLease:
        """Waits until the clock is beyond the last tick, and reserves the one that it shows then."""
        while (now := self.clock.now()) and self.tick_of(now) <= self.tick:
            if (self.tick - self.tick_of(now)) * self.seconds > PATIENCE:
                raise Unavailable("the clock is behind what was made already")
            await self.clock.sleep(self.seconds / 10)
        self.lease = await self.workers.renew(lease, now)
        self.tick, self.unused = self.tick_of(now), 1 << self.sequence_bits
        return self.lease

    def tick_of(self, instant: float) -> int:
        return int((instant - SNOWFLAKE_EPOCH) // self.seconds)
