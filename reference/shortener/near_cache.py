"""The near cache: live links in the memory of one server, from which the fast path answers.

What it holds is never a guess. An entry comes from the cache's Redis, is dropped as soon as word comes that the link
was deleted (see `deletions`), and answers only while that word is known to have come: while the last proof is younger
than DELETION_BOUND. Its end it knows by itself. So nothing has to be refreshed: one PING keeps a hundred thousand
entries fresh.

Between reading an entry and keeping it, its link may be deleted. Codes of which word comes meanwhile are not kept.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from functools import partial

from redis.asyncio import Redis
from redis.exceptions import RedisError

from reference.platform.tasks import end
from reference.shortener.aliases import could_be_code
from reference.shortener.components import DELETION_BOUND, Link
from reference.shortener.redirects import is_one_line

CAPACITY = 131_072
"""Entries; some 400 bytes each, and their URL."""
CHANCES = 8
"""Entries that may escape one eviction because they were used: it must not take long."""
FILL_EVERY = 0.02
FILL = 200
"""Entries that are read from Redis at once at most, one MGET every FILL_EVERY seconds."""

steady: Callable[[], float] = (
    partial(time.clock_gettime, time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic
)
"""Seconds on a clock that nobody sets, and that goes on while the process is stopped or the machine sleeps."""

KEY = "redirect:"
"""Before a code: the key under which the reference redirect cache keeps its entry."""

ReadLinks = Callable[[list[str]], Awaitable[list[Link]]]
"""The live links among these codes that the cache's Redis holds. Errors are its own affair: it returns fewer."""


class Hot:
    """One entry. `used`: since it came, or was last in danger of being evicted."""

    __slots__ = ("code", "expires_at", "location", "used")

    def __init__(self, link: Link) -> None:
        self.code = link.code
        self.location = link.long_url.encode()
        self.expires_at = link.expires_at
        self.used = False


class NearCache:
    """`read`: from where it is filled. `entries`: by the path of the request, as bytes: what the fast path has."""

    def __init__(self, read: ReadLinks, capacity: int = CAPACITY) -> None:
        self._read = read
        self._capacity = capacity
        self.entries: OrderedDict[bytes, Hot] = OrderedDict()
        self.fresh_until = 0.0
        """On the clock `steady`: from then on no entry may be answered from."""
        self._wanted: dict[str, None] = {}
        self._asked = asyncio.Event()
        """Set while something may be wanted: a server that nobody asks sleeps."""
        self._deleted: set[str] | None = None
        """Of which word came while a fill was under way; None: there is none, or word may have been lost."""
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="near-cache")

    async def stop(self) -> None:
        self.clear()
        if self._task is not None:
            await end([self._task])
            self._task = None

    def clear(self) -> None:
        self.entries.clear()
        self._wanted.clear()
        self._deleted = None

    # --- word of deletions

    def deleted(self, code: str) -> None:
        self.entries.pop(path_of(code), None)
        if self._deleted is not None:
            self._deleted.add(code)

    def proven(self, asked: float) -> None:
        self.fresh_until = asked + DELETION_BOUND

    def lost(self) -> None:
        self.fresh_until = 0.0
        self.clear()

    # --- what it holds

    def want(self, path: bytes) -> None:
        """Somebody asked for `path`, and it was not there."""
        if len(self._wanted) < FILL and self.fresh_until and path.isascii():
            code = path[1:].decode()
            if could_be_code(code):
                self._wanted[code] = None
                self._asked.set()

    async def _run(self) -> None:
        while True:
            await self._asked.wait()
            await asyncio.sleep(FILL_EVERY)
            self._asked.clear()
            if self._wanted:
                await self.fill()

    async def fill(self) -> None:
        """Reads what is wanted, and keeps it."""
        codes, self._wanted, self._deleted = list(self._wanted), {}, set()
        links = await self._read(codes)
        if self._deleted is not None:
            for link in links:
                if link.code not in self._deleted:
                    self._keep(link)
        self._deleted = None

    def _keep(self, link: Link) -> None:
        path = path_of(link.code)
        if path not in self.entries and len(self.entries) >= self._capacity:
            self._evict()
        self.entries[path] = Hot(link)

    def _evict(self) -> None:
        """The oldest entry; one that was used since its last chance gets another one, at the end."""
        for _ in range(CHANCES):
            path, oldest = self.entries.popitem(last=False)
            if not oldest.used:
                return
            oldest.used = False
            self.entries[path] = oldest
        self.entries.popitem(last=False)


async def live_entries(cache: Redis, codes: list[str], now: float) -> list[Link]:
    """The live links among `codes` that the reference redirect cache has put into Redis. A ticket, a code that is
    unknown, something that is not ours: the slow path will see to it."""
    try:
        texts = await cache.mget([KEY + code for code in codes])
    except (RedisError, UnicodeDecodeError):
        return []
    found = []
    for code, text in zip(codes, texts, strict=True):
        try:
            link = link_of(code, str(text or ""))
        except (ValueError, RecursionError):
            continue
        if link is not None and link.expires_at > now and is_one_line(link.long_url):
            found.append(link)
    return found


def link_of(code: str, text: str) -> Link | None:
    """What the redirect cache has put under a code's key; None: that there is no such link. ValueError: it did not
    put it there. (The redirect cache has the like for itself: it is a component, which stands alone.)"""
    match json.loads(text):
        case None:
            return None
        case [str() as long_url, int() | float() as expires_at]:
            return Link(code, long_url, expires_at)
    raise ValueError(f"not an entry: {text[:40]!r}")


def path_of(code: str) -> bytes:
    return b"/" + code.encode()
