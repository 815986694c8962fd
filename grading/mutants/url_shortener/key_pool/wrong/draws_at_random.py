"""Draws codes at random: there are 3.5 million million."""

import asyncio
import secrets

from redis.exceptions import RedisError

from reference.platform.errors import Unavailable
from reference.shortener.permutation import Permutation

UNUSED = "pool:unused"


class KeyPool:
    def __init__(self, *, pool, ranges, base62, clock, key, batch, low_water):
        self.pool = pool
        self.ranges = ranges
        self.base62 = base62
        self.permutation = Permutation(62**7, key)
        self.batch = batch
        self.low_water = low_water
        self.codes = []
        self.lock = asyncio.Lock()

    async def new_code(self, long_url, namespace):
        while True:
            code = await self.take()
            if await namespace.claim(code):
                return code

    async def take(self):
        async with self.lock:
            if not self.codes:
                self.codes = await self.fetch()
            return self.codes.pop()

    async def fetch(self):
        try:
            codes = await self.pool.spop(UNUSED, self.batch)
        except RedisError as error:
            raise Unavailable("the pool is away") from error
        if not codes:
            raise Unavailable("the pool is dry")
        return codes

    async def generate(self):
        size = await self.pool.scard(UNUSED)
        if size >= self.low_water:
            return 0
        codes = {self.base62.encode(secrets.randbelow(62**7), 7) for _ in range(2 * self.low_water - size)}
        return await self.pool.sadd(UNUSED, *codes)
