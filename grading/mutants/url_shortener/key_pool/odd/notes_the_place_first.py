"""Keeps its place in the range in Redis, and moves on before it adds."""

import asyncio

from redis.exceptions import RedisError

from reference.platform.errors import Unavailable
from reference.shortener.permutation import Permutation

UNUSED = "pool:unused"
PLACE = "pool:place"
MOVE = """
local begin = tonumber(redis.call('HGET', KEYS[1], 'begin') or '0')
local stop = math.min(begin + ARGV[1], tonumber(redis.call('HGET', KEYS[1], 'end') or '0'))
redis.call('HSET', KEYS[1], 'begin', stop)
return {begin, stop}
"""


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
        size, added = await self.pool.scard(UNUSED), 0
        if size >= self.low_water:
            return 0
        while size + added < 2 * self.low_water:
            begin, end = await self.pool.eval(MOVE, 1, PLACE, 2 * self.low_water - size - added)
            if begin == end:
                await self.next_range()
                continue
            added += await self.pool.sadd(UNUSED, *map(self.code_of, range(begin, end)))
        return added

    async def next_range(self):
        """Two generators at once may lose a range: nobody gets numbers twice."""
        numbers = await self.ranges.allot()
        await self.pool.hset(PLACE, mapping={"begin": numbers.start, "end": numbers.stop})

    def code_of(self, number):
        return self.base62.encode(self.permutation.of(number), 7)
