"""Right for a while, then an endless loop without an await."""

from reference.shortener.components import Answer


class RedirectCache:
    def __init__(self, *, cache, links, clock, random, ttl):
        self.links, self.clock, self.asked = links, clock, 0

    async def resolve(self, code):
        self.asked += 1
        while self.asked > 1:
            pass
        return Answer.of(await self.links.find(code), self.clock.now())

    async def invalidate(self, code):
        return None
