"""Notes what it holds in Redis; after an error it puts the note's codes back into the pool."""

import asyncio
import uuid

from redis.exceptions import RedisError

from reference.platform.errors import Unavailable
from reference.shortener.permutation import Permutation

UNUSED = "pool:unused"
TAKE = """
local codes = redis.call('SPOP', KEYS[1], ARGV[1])
for _, code in ipairs(codes) do redis.call('SADD', KEYS[2], code) end
return codes
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
        self.held = f"pool:held:{uuid.uuid4()}"
        self.doubtful = False

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
            if self.doubtful and (
                codes := await self.pool.smembers(self.held)
            ):  # they may not have reached us
                await self.pool.sadd(UNUSED, *codes)
                await self.pool.delete(self.held)
                self.doubtful = False
            self.doubtful = True
            codes = await self.pool.eval(TAKE, 2, UNUSED, self.held, self.batch)
            self.doubtful = False
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
