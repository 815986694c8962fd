"""A Redis hash per link; the field `fill` names who may fill it. The last who misses wins."""

import asyncio
from contextlib import suppress

from redis.exceptions import RedisError

from reference.shortener.components import Answer, Link

FILL = """
local owner, fields = ARGV[1], {unpack(ARGV, 3)}
if redis.call('HGET', KEYS[1], 'fill') ~= owner then return 0 end
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], unpack(fields))
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1
"""


class RedirectCache:
    def __init__(self, *, cache, links, clock, random, ttl):
        self.cache, self.links, self.clock, self.random, self.ttl = cache, links, clock, random, ttl
        self.waiting = {}

    async def resolve(self, code):
        now = self.clock.now()
        task, stale = self.waiting.get(code, (None, now))
        if now >= stale:
            task = asyncio.ensure_future(self.look_up(code))
            self.waiting[code] = task, now + 1
            task.add_done_callback(lambda done: self.forget(code, done))
        link = await asyncio.shield(task)
        return Answer.of(link, self.clock.now())

    def forget(self, code, task):
        if code in self.waiting and self.waiting[code][0] is task:
            del self.waiting[code]
        if not task.cancelled():
            task.exception()

    async def look_up(self, code):
        key, owner = f"link#{code}", None
        try:
            row = await self.cache.hgetall(key)
            if "url" in row and "expires_at" in row:
                return Link(code, row["url"], float(row["expires_at"]))
            if "absent" in row:
                return None
            owner = "%032x" % self.random.getrandbits(128)
            async with self.cache.pipeline(transaction=True) as together:
                together.delete(key).hset(key, "fill", owner).pexpire(key, 5_000)
                await together.execute()
        except (RedisError, ValueError):
            owner = None
        link = await self.links.find(code)
        if owner:
            fields = ["absent", "1"]
            if link:
                fields = ["url", link.long_url, "expires_at", repr(link.expires_at)]
            with suppress(RedisError):
                await self.cache.eval(FILL, 1, key, owner, self.lifetime(link), *fields)
        return link

    def lifetime(self, link):
        left = link.expires_at - self.clock.now() if link else 0
        longest = self.ttl - self.random.random() * self.ttl / 4
        return max(1, round(1000 * min(longest, left if left > 0 else 15)) - 1)

    async def invalidate(self, code):
        self.waiting.pop(code, None)
        await self.cache.unlink(f"link#{code}")
