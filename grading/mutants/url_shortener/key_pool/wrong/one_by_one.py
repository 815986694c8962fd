"""One SPOP for each code."""

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

    async def new_code(self, long_url, namespace):
        while True:
            code = await self.fetch()
            if await namespace.claim(code):
                return code

    async def fetch(self):
        try:
            code = await self.pool.spop(UNUSED)
        except RedisError as error:
            raise Unavailable("the pool is away") from error
        if not code:
            raise Unavailable("the pool is dry")
        return code

    async def generate(self):
        size, added = await self.pool.scard(UNUSED), 0
        if size >= self.low_water:
            return 0
        while size + added < 2 * self.low_water:
            added += await self.pool.sadd(UNUSED, *map(self.code_of, await self.ranges.allot()))
        return added

    def code_of(self, number):
        return self.base62.encode(self.permutation.of(number), 7)
