"""Reference filling of `url-shortener/snowflake-codes`: time, worker, sequence, permuted.

| layout   | time                | worker  | sequence | each worker makes     | until | characters |
| short    | 29 bits of seconds  | 5 bits  | 7 bits   | 128 a second          | 2042  | 7          |
| standard | 41 bits of 1/1000 s | 10 bits | 12 bits  | 4,096 a millisecond   | 2094  | 11         |

Seven characters are 41 bits, 22 fewer than the standard layout has. They cost: 32 servers in place of 1,024, 17 years
in place of 69, and 128 codes a second and server, after AHEAD seconds' worth in one burst.

Time and sequence together are one number, the *moment*; the next one is the clock's, or the last one plus one if the
clock is not beyond that. So a full sequence borrows from the next tick, and a clock that steps back is not followed.

That no number comes twice does not rest on clocks at all. A server uses only instants that it has *reserved* with the
lease of its worker number; the next holder of that number begins after all that were ever reserved. LOOKAHEAD
seconds are reserved at a time and renewed, beside the work, when half of them are left. A server that was paused may
finish what it reserved, whoever holds its number by then. A crash costs the number, until its lease runs out.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from reference.platform.errors import Indefinite, LeaseLost, Unavailable
from reference.shortener.components import (
    CODE_LENGTH,
    SNOWFLAKE_EPOCH,
    Base62,
    Clock,
    Namespace,
    WorkerIds,
    WorkerLease,
)
from reference.shortener.permutation import Permutation

LOOKAHEAD = 4.0
"""Seconds that are reserved beyond what is needed: a busy server renews every two or three, an idle one never."""
AHEAD = 10.0
"""Seconds that the moments may run ahead of the clock: as far as it may step back unnoticed, or a burst may go."""
PATIENCE = 2.0
"""Seconds that a call waits at most for the clock to catch up, if it is further behind than AHEAD."""
ATTEMPTS = 8
"""Numbers that are tried for one link: somebody may have chosen the code of one for an alias."""


@dataclass(frozen=True, slots=True)
class Layout:
    tick: float
    """Seconds."""
    time_bits: int
    worker_bits: int
    sequence_bits: int
    length: int
    """Characters of the code."""

    def tick_of(self, instant: float) -> int:
        return int((instant - SNOWFLAKE_EPOCH) // self.tick)


LAYOUTS = {"short": Layout(1.0, 29, 5, 7, CODE_LENGTH), "standard": Layout(0.001, 41, 10, 12, 11)}


class SnowflakeCodes:
    def __init__(
        self, *, base62: Base62, workers: WorkerIds, clock: Clock, key: bytes, layout: str = "short"
    ) -> None:
        self.base62 = base62
        self.workers = workers
        self.clock = clock
        self.layout = LAYOUTS[layout]
        self.permutation = Permutation(62**self.layout.length, key)
        self.lease: WorkerLease | None = None
        self.last = -1
        """The last moment that was used under the lease."""
        self.reserved = -1
        """The last tick that may be used under the lease."""
        self.reserving: asyncio.Task[None] | None = None

    async def new_code(self, long_url: str, namespace: Namespace) -> str:
        for _ in range(ATTEMPTS):
            number = await self.next_number()
            code = self.base62.encode(self.permutation.of(number), self.layout.length)
            if await namespace.claim(code):
                return code
        raise Unavailable(f"{ATTEMPTS} codes in a row were taken")

    async def stop(self) -> None:
        if self.reserving is not None:
            self.reserving.cancel()
            await asyncio.gather(self.reserving, return_exceptions=True)

    # --- numbers

    async def next_number(self) -> int:
        """A number that nobody else ever gets. Raises Unavailable, and has then used none."""
        while True:
            moment = self.next_moment()
            tick = moment >> self.layout.sequence_bits
            wait = self.seconds_ahead(tick) - AHEAD
            if wait > PATIENCE:
                raise Unavailable(f"the clock is {wait + AHEAD:.0f} s behind what was made already")
            if self.lease is None or tick > self.reserved:
                await asyncio.shield(self.reserve())
                continue
            self.last = moment
            if self.reserved - tick < LOOKAHEAD / 2 / self.layout.tick:
                self.reserve()
            number = self.compose(moment, self.lease.worker)
            if wait > 0:
                await self.clock.sleep(wait)
            return number

    def next_moment(self) -> int:
        """(tick, sequence) as one number: a sequence that is full carries over into the next tick."""
        return max(self.last + 1, self.layout.tick_of(self.clock.now()) << self.layout.sequence_bits)

    def seconds_ahead(self, tick: int) -> float:
        return (tick - self.layout.tick_of(self.clock.now())) * self.layout.tick

    def compose(self, moment: int, worker: int) -> int:
        layout = self.layout
        tick, sequence = divmod(moment, 1 << layout.sequence_bits)
        if tick >> layout.time_bits or worker >> layout.worker_bits:
            raise Unavailable(f"tick {tick} or worker {worker} does not fit the layout")
        return (tick << layout.worker_bits | worker) << layout.sequence_bits | sequence

    # --- the worker number, and the instants reserved under it

    def reserve(self) -> asyncio.Task[None]:
        """The reservation under way, or a new one. Raises Unavailable."""
        if self.reserving is None or self.reserving.done():
            self.reserving = asyncio.create_task(self.reserve_more())
            self.reserving.add_done_callback(lambda task: task.cancelled() or task.exception())
        return self.reserving

    async def reserve_more(self) -> None:
        try:
            if self.lease is None:
                self.begin(await self.workers.lease())
            await self.renew()
        except LeaseLost:  # after a long pause; the next caller takes another number
            self.lease = None
        except Indefinite as error:  # perhaps reserved, and then not used: nothing was made of it
            raise Unavailable(f"no worker number: {error}") from error

    def begin(self, lease: WorkerLease) -> None:
        """Everything up to the floor's tick may have been made by an earlier holder."""
        floor = self.layout.tick_of(lease.floor)
        if self.seconds_ahead(floor) > AHEAD:
            raise Unavailable(
                f"worker {lease.worker} was used up to {lease.floor:.0f}: the clock is behind that"
            )
        self.lease, self.reserved = lease, floor
        self.last = (floor + 1 << self.layout.sequence_bits) - 1

    async def renew(self) -> None:
        assert self.lease is not None
        needed = self.next_moment() >> self.layout.sequence_bits
        until = SNOWFLAKE_EPOCH + needed * self.layout.tick + LOOKAHEAD
        self.lease = await self.workers.renew(self.lease, until)
        self.reserved = max(self.reserved, self.layout.tick_of(until))
