"""Reference filling of `url-shortener/key-pool`: codes are made before anybody asks for them.

Generators take numbers from disjoint ranges (`KeyRanges`), permute them under a key, and put them into the pool. That
a code never comes twice follows from the ranges. The Redis set cannot see to it: it forgets what it handed out, so
codes *drawn at random* would meet codes in use, more often the more there are. A number leaves its generator's range
before it is added, and is not added again, whatever becomes of the command. Where a range stands is kept in memory
only: a generator that dies loses the rest of it, 10,000 numbers of 3.5 million million.

A server takes `batch` codes with one SPOP, so the pool costs a link a hundredth of a round trip. When a quarter of
them is left, the next batch is fetched beside the work. What is popped is gone from the pool: a server that dies
costs the codes that it holds, and no code is in two hands. Where a Redis is restored from an old copy, it *is*, and
then the claim decides, as it does where somebody has chosen one of the codes for an alias.
"""

from __future__ import annotations

import asyncio

from redis.asyncio import Redis
from redis.exceptions import RedisError

from reference.platform.errors import Definite, Unavailable
from reference.shortener.components import CODE_LENGTH, Base62, Clock, KeyRanges, Namespace
from reference.shortener.permutation import Permutation

UNUSED = "pool:unused"
CHUNK = 1000
"""Codes in one SADD. Redis does one command at a time: a hundred thousand in one would make everybody wait."""


class KeyPool:
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
        self.pool = pool
        self.ranges = ranges
        self.base62 = base62
        self.permutation = Permutation(62**CODE_LENGTH, key)
        self.batch = batch
        self.low_water = low_water
        self.numbers = range(0)
        """What is left of this generator's range."""
        self.codes: list[str] = []
        """What this server has popped and not handed out."""
        self.refilling: asyncio.Task[None] | None = None

    # --- a server hands codes out

    async def new_code(self, long_url: str, namespace: Namespace) -> str:
        while True:
            code = await self.take()
            try:
                if await namespace.claim(code):  # else it is somebody's alias: on to the next
                    return code
            except Definite:  # not claimed, so it is still good
                self.codes.append(code)
                raise

    async def take(self) -> str:
        while not self.codes:
            # The shield: a caller that goes away must not take the batch away from those who wait for it.
            await asyncio.shield(self.refill())
        code = self.codes.pop()
        if len(self.codes) < self.batch / 4:
            self.refill()
        return code

    def refill(self) -> asyncio.Task[None]:
        """The refill under way, or a new one. Raises Unavailable."""
        if self.refilling is None or self.refilling.done():
            self.refilling = asyncio.create_task(self.pop_batch())
            self.refilling.add_done_callback(lambda task: task.cancelled() or task.exception())
        return self.refilling

    async def pop_batch(self) -> None:
        """An answer that does not come may cost a batch; nobody else gets it either."""
        try:
            popped = await self.pool.spop(UNUSED, self.batch)
        except RedisError as error:
            raise Unavailable(f"the key pool is away: {error}") from error
        if not popped:
            raise Unavailable("the key pool is dry")
        self.codes.extend(str(code) for code in popped)

    async def drain(self) -> None:
        """Puts back what was not handed out. Codes whose claim has an unknown outcome are not among them."""
        if self.refilling is not None:
            await asyncio.gather(self.refilling, return_exceptions=True)
        codes, self.codes = self.codes, []
        for begin in range(0, len(codes), CHUNK):
            await self.pool.sadd(UNUSED, *codes[begin : begin + CHUNK])

    async def stop(self) -> None:
        if self.refilling is not None:
            self.refilling.cancel()
            await asyncio.gather(self.refilling, return_exceptions=True)

    # --- a generator fills the pool

    async def generate(self) -> int:
        added = 0
        size = await self.pool.scard(UNUSED)
        if size >= self.low_water:
            return 0
        while size < 2 * self.low_water:  # counted anew each time: others fill the same pool
            codes = await self.next_codes(min(CHUNK, 2 * self.low_water - size))
            added += await self.pool.sadd(UNUSED, *codes)
            size = await self.pool.scard(UNUSED)
        return added

    async def next_codes(self, count: int) -> list[str]:
        """The next codes of this generator's range, `count` at most."""
        if not self.numbers:
            self.numbers = await self.ranges.allot()
        numbers, self.numbers = self.numbers[:count], self.numbers[count:]
        return [self.base62.encode(self.permutation.of(number), CODE_LENGTH) for number in numbers]
