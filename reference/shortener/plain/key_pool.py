"""Plain filling of `url-shortener/key-pool`: a round trip to the pool for each code, and nothing in memory.

A crash costs one code at most, which is the best that this can do; and every link waits for the pool.
"""

from __future__ import annotations

from redis.asyncio import Redis
from redis.exceptions import RedisError

from reference.platform.errors import Unavailable
from reference.shortener.components import CODE_LENGTH, Base62, Clock, KeyRanges, Namespace
from reference.shortener.permutation import Permutation

UNUSED = "pool:unused"


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
        self.low_water = low_water

    async def new_code(self, long_url: str, namespace: Namespace) -> str:
        while True:
            try:
                code = await self.pool.spop(UNUSED)
            except RedisError as error:
                raise Unavailable(f"the key pool is away: {error}") from error
            if not isinstance(code, str):
                raise Unavailable("the key pool is dry")
            if await namespace.claim(code):  # else it is somebody's alias
                return code

    async def generate(self) -> int:
        added, size = 0, await self.pool.scard(UNUSED)
        if size >= self.low_water:
            return 0
        while size + added < 2 * self.low_water:
            numbers = (await self.ranges.allot())[:1000]  # the rest of the range is lost
            codes = [self.base62.encode(self.permutation.of(number), CODE_LENGTH) for number in numbers]
            added += await self.pool.sadd(UNUSED, *codes)
        return added
