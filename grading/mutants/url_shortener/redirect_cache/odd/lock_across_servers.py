"""Single flight over all servers: a lock in Redis, whose losers look again for a while and then ask the store."""

import asyncio
import json
from contextlib import suppress

from redis.exceptions import RedisError

from reference.shortener.components import Answer, Link

FILL_AND_UNLOCK = """
if redis.call('GET', KEYS[2]) ~= ARGV[1] then return 0 end
redis.call('DEL', KEYS[2])
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 1
"""


class RedirectCache:
    def __init__(self, *, cache, links, clock, random, ttl):
        self.cache, self.links, self.clock, self.random, self.ttl = cache, links, clock, random, ttl
        self.here = {}

    async def resolve(self, code):
        began, task = self.here.get(code, (0.0, None))
        if task is None or self.clock.now() > began + 1.5:
            task = asyncio.create_task(self.look_up(code))
            self.here[code] = self.clock.now(), task
            task.add_done_callback(lambda task: self.done(code, task))
        return Answer.of(await asyncio.shield(task), self.clock.now())

    def done(self, code, task):
        if self.here.get(code, (0.0, None))[1] is task:
            del self.here[code]
        if not task.cancelled():
            task.exception()

    async def look_up(self, code):
        entry, lock = f"{{{code}}}:entry", f"{{{code}}}:lock"
        me = f"{self.random.getrandbits(96):x}"
        mine = False
        try:
            for _ in range(10):
                found = await self.cache.get(entry)
                with suppress(ValueError, TypeError, KeyError):
                    row = json.loads(found)
                    return Link(code, row["u"], row["e"]) if row["u"] is not None else None
                mine = await self.cache.set(lock, me, nx=True, px=3_000)
                if mine:
                    break
                await self.clock.sleep(0.03)
        except RedisError:
            mine = False
        link = await self.links.find(code)
        if mine:
            with suppress(RedisError):
                row = {"u": link.long_url, "e": link.expires_at} if link else {"u": None}
                await self.cache.eval(
                    FILL_AND_UNLOCK, 2, entry, lock, me, json.dumps(row), self.lifetime(link)
                )
        return link

    def lifetime(self, link):
        left = link.expires_at - self.clock.now() if link else -1
        part = self.random.triangular(0.5, 1.0)
        return max(1, int(1000 * (min(part * self.ttl, left) if left > 0 else part * min(self.ttl, 45))))

    async def invalidate(self, code):
        self.here.pop(code, None)
        await self.cache.delete(f"{{{code}}}:entry", f"{{{code}}}:lock")
