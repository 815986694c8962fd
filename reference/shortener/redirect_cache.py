"""Reference filling of `url-shortener/redirect-cache`: look aside, with tickets.

A value read from the store may be old by the time it reaches the cache: in between, somebody may have
deleted the link. So a fill needs a *ticket*. Whoever misses first puts a ticket, a random text, under the
key, and only then asks the store. The fill replaces that very ticket, in one atomic step, or does nothing.
An invalidation deletes the key, ticket and all: every fill that began earlier, on any server, comes too
late, however long its command is under way. An eviction takes the ticket too, and costs one more miss.
A ticket is not a lock: a second server that finds one uses the same, and nobody waits if its owner dies.

After the leases of R. Nishtala et al., "Scaling Memcache at Facebook", NSDI 2013.
"""

from __future__ import annotations

import asyncio
import json
import random
from contextlib import suppress
from dataclasses import dataclass

from redis.asyncio import Redis
from redis.exceptions import RedisError

from reference.shortener.components import DELETION_BOUND, Answer, Clock, Link, LinkReader

TICKET = "ticket:"
TICKET_TTL = 10.0
"""Seconds within which a fill must follow its ticket; far longer than a query may take."""

NEGATIVE_TTL = 40.0
"""Seconds that "unknown" is remembered: with a fill that arrives 10 s late still below `NEGATIVE_TTL_MAX`."""

REPLACE_TICKET = """
if redis.call('GET', KEYS[1]) == ARGV[1] then
    redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
end
"""
"""Runs inside Redis (the command EVAL), where nothing comes between GET and SET."""


@dataclass(frozen=True, slots=True)
class Flight:
    """One look-up that several callers share."""

    task: asyncio.Task[Link | None]
    began: float


class RedirectCache:
    def __init__(
        self, *, cache: Redis, links: LinkReader, clock: Clock, random: random.Random, ttl: float
    ) -> None:
        self.cache = cache
        self.links = links
        self.clock = clock
        self.random = random
        self.ttl = ttl
        self.joinable: dict[str, Flight] = {}
        self.tasks: set[asyncio.Task[Link | None]] = set()

    async def resolve(self, code: str) -> Answer:
        # The shield: a caller that goes away must not take the look-up away from those who joined it.
        link = await asyncio.shield(self.flight(code))
        return Answer.of(link, self.clock.now())

    async def invalidate(self, code: str) -> None:
        self.joinable.pop(code, None)  # whoever asks from now on looks anew
        await self.cache.delete(self.key(code))

    async def stop(self) -> None:
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)

    # --- single flight

    def flight(self, code: str) -> asyncio.Task[Link | None]:
        """The look-up under way for `code`, or a new one.

        One that began DELETION_BOUND ago may answer from before a deletion acknowledged elsewhere.
        """
        now = self.clock.now()
        current = self.joinable.get(code)
        if current is not None and now - current.began < DELETION_BOUND:
            return current.task
        task = asyncio.create_task(self.look_up(code))
        mine = self.joinable[code] = Flight(task, now)
        self.tasks.add(task)

        def landed(task: asyncio.Task[Link | None]) -> None:
            self.tasks.discard(task)
            if self.joinable.get(code) is mine:
                del self.joinable[code]
            if not task.cancelled():
                task.exception()  # every caller may have gone: a failure that nobody awaits is no news

        task.add_done_callback(landed)
        return task

    # --- look aside

    async def look_up(self, code: str) -> Link | None:
        """The link, from the cache or the store. A failing cache costs time and nothing else."""
        key = self.key(code)
        ticket = None
        with suppress(RedisError):
            found = await self.get(key)
            try:
                return decode(code, found)
            except ValueError:  # nothing there, a ticket, or something that is not ours
                ticket = found if found.startswith(TICKET) else await self.put_ticket(key)
        link = await self.links.find(code)
        if ticket is not None:
            with suppress(RedisError):
                await self.cache.eval(REPLACE_TICKET, 1, key, ticket, encode(link), self.milliseconds(link))
        return link

    def key(self, code: str) -> str:
        return f"redirect:{code}"

    async def get(self, key: str) -> str:
        """The text under `key`; empty if there is none."""
        try:
            found = await self.cache.get(key)
        except UnicodeDecodeError:  # somebody else's bytes
            return ""
        return found if isinstance(found, str) else ""

    async def put_ticket(self, key: str) -> str:
        """It may overwrite a newer ticket or entry: that one fill is lost, no answer is wrong."""
        ticket = f"{TICKET}{self.random.getrandbits(64):x}"
        await self.cache.set(key, ticket, px=int(1000 * min(TICKET_TTL, self.ttl)))
        return ticket

    def milliseconds(self, link: Link | None) -> int:
        """How long the entry may stay. The jitter: what was filled together must not die together."""
        jitter = self.random.uniform(0.8, 1.0)
        remaining = 0.0 if link is None else link.expires_at - self.clock.now()
        if remaining > 0:
            return max(1, int(1000 * min(self.ttl * jitter, remaining)))
        return int(1000 * min(self.ttl, NEGATIVE_TTL) * jitter)  # unknown, or expired for good


def encode(link: Link | None) -> str:
    return json.dumps(None if link is None else [link.long_url, link.expires_at])


def decode(code: str, text: str) -> Link | None:
    """The inverse of `encode`. ValueError if `text` does not come from there."""
    match json.loads(text):
        case None:
            return None
        case [str() as long_url, int() | float() as expires_at]:
            return Link(code, long_url, expires_at)
    raise ValueError(f"not an entry: {text[:40]!r}")
