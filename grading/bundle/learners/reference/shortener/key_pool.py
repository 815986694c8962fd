"""The key pool of the lessons: random codes in a set, taken out one by one.

Your course holds back the reference's own, for it is the solution of an exercise.
"""

from __future__ import annotations

import random

from redis.asyncio import Redis
from redis.exceptions import RedisError

from reference.platform.errors import Unavailable
from reference.shortener.components import CODE_LENGTH, Base62, Clock, KeyRanges, Namespace

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
        self.base62 = base62
        self.low_water = low_water

    async def new_code(self, long_url: str, namespace: Namespace) -> str:
        try:
            code = await self.pool.spop(UNUSED)
        except RedisError as error:
            raise Unavailable("the key pool is away") from error
        if not isinstance(code, str):
            raise Unavailable("the key pool is dry")
        await namespace.claim(code)
        return code

    async def generate(self) -> int:
        size = await self.pool.scard(UNUSED)
        if size >= self.low_water:
            return 0
        numbers = {random.randrange(62**CODE_LENGTH) for _ in range(2 * self.low_water - size)}
        return await self.pool.sadd(UNUSED, *(self.base62.encode(number, CODE_LENGTH) for number in numbers))
