"""Looks up anew, now and then, shortly before an entry dies, so that a hot one is never missing (XFetch).

A. Vattani, F. Chierichetti, K. Lowenstein, "Optimal Probabilistic Cache Stampede Prevention", VLDB 2015.
Each value is unique by a nonce, so what was seen under the key is itself the ticket that a fill must find there.
"""

import asyncio
import json
import math
from contextlib import suppress

from redis.exceptions import RedisError

from reference.shortener.components import Answer, Link

SWAP = "if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3]) end"


class RedirectCache:
    def __init__(self, *, cache, links, clock, random, ttl):
        self.cache, self.links, self.clock, self.random, self.ttl = cache, links, clock, random, ttl
        self.flights = {}

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

    async def look_up(self, code):
        key, seen = f"x:{code}", None
        with suppress(RedisError):
            seen = await self.cache.get(key)
            with suppress(ValueError, TypeError, LookupError):
                _, url, expires_at, dies_at, life = json.loads(seen or "")
                early = 0.01 * life * -math.log(1.0 - self.random.random())
                if self.clock.now() + early < dies_at:
                    return Link(code, url, expires_at) if url is not None else None
            if not seen or not seen.startswith("["):
                seen = json.dumps([self.nonce()])
                await self.cache.set(key, seen, px=6_000)
        link = await self.links.find(code)
        if seen:
            with suppress(RedisError):
                await self.cache.eval(SWAP, 1, key, seen, *self.entry(link))
        return link

    def nonce(self):
        return self.random.getrandbits(62)

    def entry(self, link):
        now = self.clock.now()
        life = link.expires_at - now if link else 0
        seconds = min(self.ttl, life if life > 0 else 25) * self.random.uniform(0.85, 1.0)
        body = [self.nonce(), link and link.long_url, link and link.expires_at, now + seconds, seconds]
        return json.dumps(body), max(1, int(1000 * seconds))

    async def invalidate(self, code):
        self.flights.pop(code, None)
        await self.cache.delete(f"x:{code}")
