"""When the claim fails, the code goes back into the pool."""

import asyncio

from redis.exceptions import RedisError

from reference.platform.errors import PortError, Unavailable
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
            try:
                if await namespace.claim(code):
                    return code
            except PortError:
                await self.pool.sadd(UNUSED, code)
                raise

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
        size, added = await self.pool.scard(UNUSED), 0
        if size >= self.low_water:
            return 0
        while size + added < 2 * self.low_water:
            added += await self.pool.sadd(UNUSED, *map(self.code_of, await self.ranges.allot()))
        return added

    def code_of(self, number):
        return self.base62.encode(self.permutation.of(number), 7)
