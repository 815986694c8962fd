"""Keeps the last 50 answers in the server for one second as well: shorter than a deletion may take."""

import asyncio
import json
from collections import OrderedDict
from contextlib import suppress

from redis.exceptions import RedisError

from reference.shortener.components import Answer, Link

FILL = """
if redis.call('GET', KEYS[1]) == ARGV[1] then
    redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
end
"""


class RedirectCache:
    SIZE, AGE = 50, 1.0

    def __init__(self, *, cache, links, clock, random, ttl):
        self.cache, self.links, self.clock, self.random, self.ttl = cache, links, clock, random, ttl
        self.recent = OrderedDict()  # code: (when the look-up began, task); a task that is done is the memory

    async def resolve(self, code):
        now = self.clock.now()
        began, task = self.recent.get(code, (0.0, None))
        if task is None or not began <= now < began + self.AGE or self.failed(task):
            task = asyncio.create_task(self.look_up(code))
            self.recent[code] = now, task
            self.recent.move_to_end(code)
            task.add_done_callback(self.failed)
            while len(self.recent) > self.SIZE:
                self.recent.popitem(last=False)
        return Answer.of(await asyncio.shield(task), self.clock.now())

    @staticmethod
    def failed(task):
        return task.done() and (task.cancelled() or task.exception() is not None)

    async def look_up(self, code):
        key, ticket = f"short:{code}", None
        with suppress(RedisError):
            found = await self.cache.get(key) or ""
            with suppress(ValueError, TypeError, LookupError):
                entry = json.loads(found)
                return Link(code, entry["url"], entry["until"]) if entry["url"] else None
            ticket = found if found.startswith("?") else f"?{self.random.getrandbits(80):x}"
            if ticket != found:
                await self.cache.set(key, ticket, px=8_000)
        link = await self.links.find(code)
        if ticket:
            entry = {"url": link and link.long_url, "until": link and link.expires_at}
            with suppress(RedisError):
                await self.cache.eval(FILL, 1, key, ticket, json.dumps(entry), self.lifetime(link))
        return link

    def lifetime(self, link):
        left = link.expires_at - self.clock.now() if link else 0
        longest = min(self.ttl, left) if left > 0 else min(self.ttl, 20)
        return max(1, int(1000 * longest * (1 - self.random.random() / 5)))

    async def invalidate(self, code):
        self.recent.pop(code, None)
        await self.cache.delete(f"short:{code}")
