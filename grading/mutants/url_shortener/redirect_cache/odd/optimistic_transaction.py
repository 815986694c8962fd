"""No Lua: WATCH the key before the store is asked; the fill's MULTI/EXEC does nothing if it was touched since."""

import asyncio
import json
from contextlib import suppress

from redis.exceptions import RedisError

from reference.shortener.components import Answer, Link


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
        return Answer.of(await asyncio.shield(flight), self.clock.now())

    def landed(self, code, flight):
        if self.flights.get(code, (0.0, None))[1] is flight:
            del self.flights[code]
        if not flight.cancelled():
            flight.exception()

    async def look_up(self, code):
        key = f"l/{code}"
        try:
            found = await self.cache.get(key)
        except RedisError:
            return await self.links.find(code)
        with suppress(ValueError, TypeError):
            url, expires_at = json.loads(found)
            return Link(code, url, expires_at) if url is not None else None
        async with self.cache.pipeline(transaction=True) as transaction:
            watched = False
            with suppress(RedisError):
                await transaction.watch(key)
                watched = True
            link = await self.links.find(code)
            if watched:
                with suppress(RedisError):  # WatchError is one of them
                    transaction.multi()
                    transaction.set(key, self.entry(link), px=self.lifetime(link))
                    await transaction.execute()
        return link

    def entry(self, link):
        return json.dumps((link.long_url, link.expires_at) if link else (None, 0))

    def lifetime(self, link):
        seconds = self.ttl * self.random.uniform(0.7, 1.0)
        life = link.expires_at - self.clock.now() if link else 0
        seconds = min(seconds, life) if life > 0 else min(seconds, self.random.uniform(20, 30))
        return max(1, int(seconds * 1000))

    async def invalidate(self, code):
        self.flights.pop(code, None)
        # Deleting a key that is not there would not touch it, and a WATCH would not notice.
        await self.cache.set(f"l/{code}", "gone", px=1)
