"""Trusts the cache to be there: its error becomes the caller's."""

import asyncio
import json
from contextlib import suppress

from reference.shortener.components import NEGATIVE_TTL_MAX, Answer, Link

FILL = """
if redis.call('GET', KEYS[1]) == ARGV[1] then
    redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
end
"""


class RedirectCache:
    def __init__(self, *, cache, links, clock, random, ttl):
        self.cache, self.links, self.clock, self.random, self.ttl = cache, links, clock, random, ttl
        self.flights = {}

    async def resolve(self, code):
        began, flight = self.flights.get(code, (0.0, None))
        if flight is None or self.clock.now() - began > 1.0:
            flight = asyncio.create_task(self.look_up(code))
            self.flights[code] = self.clock.now(), flight
            flight.add_done_callback(lambda done: self.landed(code, done))
        link = await asyncio.shield(flight)
        return Answer.of(link, self.clock.now())

    def landed(self, code, flight):
        if code in self.flights and self.flights[code][1] is flight:
            del self.flights[code]
        if not flight.cancelled():
            flight.exception()

    async def look_up(self, code):
        ticket = await self.cache.get(f"redirect:{code}") or ""
        with suppress(ValueError, TypeError, LookupError):
            return self.decode(code, ticket)
        if not ticket.startswith("ticket:"):
            ticket = f"ticket:{self.random.getrandbits(64)}"
            await self.cache.set(f"redirect:{code}", ticket, px=10_000)
        link = await self.links.find(code)
        await self.cache.eval(FILL, 1, f"redirect:{code}", ticket, self.encode(link), self.px(link))
        return link

    def encode(self, link):
        return json.dumps(link and [link.long_url, link.expires_at])

    def decode(self, code, text):
        entry = json.loads(text)
        return entry and Link(code, entry[0], entry[1])

    def px(self, link):
        life = link.expires_at - self.clock.now() if link else 0
        longest = min(self.ttl, life if life > 0 else NEGATIVE_TTL_MAX / 2)
        return max(1, int(1000 * longest * self.random.uniform(0.8, 1.0)))

    async def invalidate(self, code):
        self.flights.pop(code, None)
        await self.cache.delete(f"redirect:{code}")
