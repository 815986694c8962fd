"""What an edge remembers: answers by URL, until they are stale or others need the room."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from reference.platform.freshness import age_of
from reference.platform.http1 import ResponseHead

ENTRIES = 10_000
BYTES = 32 << 20
LARGEST = 65_536
"""Bytes of an answer's body that is kept."""
REMEMBER_PASS = 10.0
"""Seconds for which it is known of a URL that its answers are not kept, so that nobody waits in vain for another's."""

Key = tuple[bytes, bytes]
"""Host and target of a request: the whole of its URL that the edge sees."""


@dataclass(frozen=True, slots=True)
class Stored:
    """An answer to a GET. `head` is None: what is known is only that the answer must not be kept."""

    head: ResponseHead | None
    body: bytes
    stored_at: float
    fresh_until: float

    @property
    def size(self) -> int:
        return (
            len(self.body) + 1024 + (sum(len(n) + len(v) for n, v in self.head.headers) if self.head else 0)
        )

    def age(self, now: float) -> int:
        """Whole seconds since the origin made it, as the header Age says it."""
        assert self.head is not None
        return int(age_of(self.head) + now - self.stored_at)


class EdgeCache:
    """Least recently used goes first. `now`: seconds, of a clock that never steps back."""

    def __init__(self, now: Callable[[], float], entries: int = ENTRIES, bytes: int = BYTES) -> None:
        self._now = now
        self._entries = entries
        self._bytes = bytes
        self._stored: OrderedDict[Key, Stored] = OrderedDict()
        self._flights: dict[Key, asyncio.Future[None]] = {}
        self._generation = 0
        self.size = 0

    def __len__(self) -> int:
        return len(self._stored)

    def get(self, key: Key) -> Stored | None:
        """What is known of it, if that is fresh."""
        found = self._stored.get(key)
        if found is None:
            return None
        if found.fresh_until <= self._now():
            self.drop(key)
            return None
        self._stored.move_to_end(key)
        return found

    def put(self, key: Key, head: ResponseHead, body: bytes, lifetime: float, *, generation: int) -> None:
        """`generation`: as it was when the origin was asked; an answer from before a `purge` is not kept."""
        now = self._now()
        if generation == self._generation:
            if lifetime > 0:
                self._keep(key, Stored(head, body, now, now + lifetime))
            else:
                self._keep(key, Stored(None, b"", now, now + REMEMBER_PASS))

    def _keep(self, key: Key, stored: Stored) -> None:
        self.drop(key)
        self._stored[key] = stored
        self.size += stored.size
        while len(self._stored) > self._entries or self.size > self._bytes:
            self.drop(next(iter(self._stored)))

    def drop(self, key: Key) -> None:
        if (stored := self._stored.pop(key, None)) is not None:
            self.size -= stored.size

    @property
    def generation(self) -> int:
        return self._generation

    def purge(self) -> int:
        """Forgets everything, and what is on its way. Returns how many entries there were."""
        self._generation += 1
        count = len(self._stored)
        self._stored.clear()
        self.size = 0
        return count

    # --- single flight: of many that miss at once, one asks

    async def turn(self, key: Key) -> bool:
        """True at once if nobody is asking for `key`: the caller asks now, and must call `landed`. False after whoever
        was asking has finished: look again."""
        if (flight := self._flights.get(key)) is not None:
            await asyncio.shield(flight)
            return False
        self._flights[key] = asyncio.get_running_loop().create_future()
        return True

    def landed(self, key: Key) -> None:
        self._flights.pop(key).set_result(None)
