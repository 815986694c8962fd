"""Look aside as the textbooks tell it: GET, else query and SET with a fixed TTL; DEL when a link changes."""

from reference.shortener.components import Answer


class RedirectCache:
    def __init__(self, *, cache, links, clock, random, ttl):
        self.cache, self.links, self.clock, self.ttl = cache, links, clock, int(ttl)

    async def resolve(self, code):
        long_url = await self.cache.get(f"url:{code}")
        if long_url is not None:
            return Answer("live", long_url)
        answer = Answer.of(await self.links.find(code), self.clock.now())
        if answer.state == "live":
            await self.cache.set(f"url:{code}", answer.long_url, ex=self.ttl)
        return answer

    async def invalidate(self, code):
        await self.cache.delete(f"url:{code}")
