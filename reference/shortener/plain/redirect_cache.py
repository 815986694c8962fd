"""Plain filling of `url-shortener/redirect-cache`: no cache. Right, and every redirect costs the store a query."""

from __future__ import annotations

import random

from redis.asyncio import Redis

from reference.shortener.components import Answer, Clock, LinkReader


class RedirectCache:
    def __init__(
        self, *, cache: Redis, links: LinkReader, clock: Clock, random: random.Random, ttl: float
    ) -> None:
        self.links = links
        self.clock = clock

    async def resolve(self, code: str) -> Answer:
        link = await self.links.find(code)
        return Answer.of(link, self.clock.now())

    async def invalidate(self, code: str) -> None:
        return None
