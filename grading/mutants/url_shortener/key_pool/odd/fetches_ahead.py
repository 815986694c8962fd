"""Starts at once, and fetches the next batch in the background when half is left."""

import asyncio
from collections import deque

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
        self.codes = deque()
        self.fetching = None

    async def new_code(self, long_url, namespace):
        while True:
            code = await self.take()
            if await namespace.claim(code):
                return code

    async def take(self):
        for _ in range(100):
            if len(self.codes) <= self.batch // 2 and (self.fetching is None or self.fetching.done()):
                self.fetching = asyncio.create_task(self.fetch())
            if self.codes:
                return self.codes.popleft()
            fetching = self.fetching  # another one may have begun by the time we wake up
            await asyncio.wait([fetching])
            if not self.codes and fetching.exception():
                raise Unavailable("no codes") from fetching.exception()
        raise Unavailable("too many callers")

    async def start(self):
        self.fetching = asyncio.create_task(self.fetch())

    async def fetch(self):
        try:
            codes = await self.pool.spop(UNUSED, self.batch)
        except RedisError as error:
            raise Unavailable("the pool is away") from error
        if not codes:
            raise Unavailable("the pool is dry")
        self.codes.extend(codes)

    async def generate(self):
        size, added = await self.pool.scard(UNUSED), 0
        if size >= self.low_water:
            return 0
        while size + added < 2 * self.low_water:
            added += await self.pool.sadd(UNUSED, *map(self.code_of, await self.ranges.allot()))
        return added

    def code_of(self, number):
        return self.base62.encode(self.permutation.of(number), 7)
