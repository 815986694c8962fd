"""One MGET for all codes that are asked for in the same turn of the event loop."""

import asyncio
import json
from contextlib import suppress

from redis.exceptions import RedisError

from reference.shortener.components import Answer, Link

FILL = """
if redis.call('GET', KEYS[1]) == ARGV[1] then
    return redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
end
"""


class RedirectCache:
    def __init__(self, *, cache, links, clock, random, ttl):
        self.cache, self.links, self.clock, self.random, self.ttl = cache, links, clock, random, ttl
        self.asked = {}
        self.flights = {}
        self.batches = set()

    async def resolve(self, code):
        began, flight = self.flights.get(code, (0.0, None))
        if flight is None or self.clock.now() - began > 1.0:
            flight = asyncio.create_task(self.look_up(code))
            self.flights[code] = self.clock.now(), flight
            flight.add_done_callback(lambda flight: self.landed(code, flight))
        return Answer.of(await asyncio.shield(flight), self.clock.now())

    def landed(self, code, flight):
        if self.flights.get(code, (0.0, None))[1] is flight:
            del self.flights[code]
        if not flight.cancelled():
            flight.exception()

    def get(self, code):
        """A future of the text under `code`'s key; it travels with all others of this turn."""
        if not self.asked:
            batch = asyncio.create_task(self.get_many())
            self.batches.add(batch)
            batch.add_done_callback(self.batches.discard)
        answer = asyncio.get_running_loop().create_future()
        self.asked.setdefault(code, []).append(answer)
        return answer

    async def get_many(self):
        asked, self.asked = self.asked, {}
        try:
            texts = await self.cache.mget([f"b:{code}" for code in asked])
        except (RedisError, UnicodeDecodeError):
            texts = [None] * len(asked)
        for answers, text in zip(asked.values(), texts, strict=True):
            for answer in answers:
                if not answer.done():
                    answer.set_result(text or "")

    async def look_up(self, code):
        found, ticket = await self.get(code), None
        with suppress(ValueError, TypeError, LookupError):
            url, expires_at = json.loads(found)
            return Link(code, url, expires_at) if url is not None else None
        with suppress(RedisError):
            ticket = found if found.startswith("t") else f"t{self.random.getrandbits(64)}"
            if ticket != found:
                await self.cache.set(f"b:{code}", ticket, px=9_000)
        link = await self.links.find(code)
        life = link.expires_at - self.clock.now() if link else 0
        seconds = min(self.ttl, life if life > 0 else 30) * self.random.uniform(0.8, 1.0)
        if ticket:
            text = json.dumps([link.long_url, link.expires_at] if link else [None, 0])
            with suppress(RedisError):
                await self.cache.eval(FILL, 1, f"b:{code}", ticket, text, max(1, int(1000 * seconds)))
        return link

    async def invalidate(self, code):
        self.flights.pop(code, None)
        await self.cache.delete(f"b:{code}")
