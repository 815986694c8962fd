"""Answers as soon as the store has, and fills afterwards. Entry and ticket lie under two keys, read by one MGET."""

import asyncio
import json
from contextlib import suppress

from redis.exceptions import RedisError

from reference.shortener.components import Answer, Link

FILL = """
if redis.call('GET', KEYS[2]) == ARGV[1] then
    redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
end
"""


class RedirectCache:
    def __init__(self, *, cache, links, clock, random, ttl):
        self.cache, self.links, self.clock, self.random, self.ttl = cache, links, clock, random, ttl
        self.current = {}  # code: (began, future of the link); kept until the fill is over
        self.work = set()

    async def resolve(self, code):
        began, link = self.current.get(code, (0.0, None))
        if link is None or self.clock.now() - began > 1.0:
            link = asyncio.get_running_loop().create_future()
            self.current[code] = self.clock.now(), link
            task = asyncio.create_task(self.look_up(code, link))
            self.work.add(task)
            task.add_done_callback(self.work.discard)
        return Answer.of(await asyncio.shield(link), self.clock.now())

    async def look_up(self, code, answer):
        try:
            keys, ticket = (f"{code}|entry", f"{code}|ticket"), None
            try:
                entry, ticket = await self.cache.mget(*keys)
                with suppress(ValueError, TypeError):
                    url, until = json.loads(entry)
                    answer.set_result(Link(code, url, until) if url is not None else None)
                    return
                if ticket is None:
                    fresh = f"{self.random.getrandbits(64):x}"
                    await self.cache.set(keys[1], fresh, px=7_000)
                    ticket = fresh
            except RedisError:
                ticket = None
            link = await self.links.find(code)
            answer.set_result(link)
            if ticket:
                text = json.dumps([link.long_url, link.expires_at] if link else [None, 0])
                with suppress(RedisError):
                    await self.cache.eval(FILL, 2, *keys, ticket, text, self.lifetime(link))
        except Exception as error:
            answer.set_exception(error)
            answer.exception()
        finally:
            if self.current.get(code, (0.0, None))[1] is answer:
                del self.current[code]

    def lifetime(self, link):
        life = link.expires_at - self.clock.now() if link else 0
        return max(1, int(1000 * min(self.ttl, life if life > 0 else 35) * self.random.uniform(0.8, 1.0)))

    async def invalidate(self, code):
        self.current.pop(code, None)
        await self.cache.delete(f"{code}|entry", f"{code}|ticket")

    async def drain(self):
        await asyncio.gather(*self.work, return_exceptions=True)
