"""What a handler of notebook 04 is given: a cache, a table and a broker, as slow as they are told to be."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

HELD, TURNS = 0.2, 100
"""Seconds, and turns of the event loop, for which a silent broker may hold a redirect: then it counts as unanswered."""
SHORT_LIFE = 0.2
"""Seconds from the look-up of the link `mayfly` to its end."""


class AsyncCache:
    """The asynchronous client: it waits, and lets others go on meanwhile."""

    def __init__(self, redis: Cache) -> None:
        self._redis = redis

    async def get(self, key: str) -> str | None:
        await asyncio.sleep(self._redis.seconds)
        return self._redis.entries.get(key)

    async def setex(self, key: str, seconds: int, text: str) -> None:
        await asyncio.sleep(self._redis.seconds)
        self._redis.entries[key] = text


class Cache:
    """A pretended Redis, `seconds` away, there and back. Its client blocks, as `redis.Redis` does; `aio` is the other
    one, as `redis.asyncio.Redis`. Entries do not end here: no trial lasts for a day.

    `blocked`: the calls that have stopped an event loop; one from a thread beside it stops none."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.entries: dict[str, str] = {}
        self.blocked = 0
        self.aio = AsyncCache(self)

    def get(self, key: str) -> str | None:
        self._wait()
        return self.entries.get(key)

    def setex(self, key: str, seconds: int, text: str) -> None:
        self._wait()
        self.entries[key] = text

    def _wait(self) -> None:
        time.sleep(self.seconds)
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return
        self.blocked += 1


@dataclass(frozen=True, slots=True)
class Row:
    """Of the table of links. `expires_at`: with its time zone, as PostgreSQL's TIMESTAMPTZ arrives; None: never."""

    long_url: str
    expires_at: datetime | None


class Links:
    """The table: `page` ends in an hour, `forever` never, `mayfly` SHORT_LIFE seconds after it was looked up."""

    async def find(self, code: str) -> Row | None:
        now = datetime.now(UTC)
        ends = {
            "page": now + timedelta(hours=1),
            "forever": None,
            "mayfly": now + timedelta(seconds=SHORT_LIFE),
        }
        return Row(f"https://example.com/{code}", ends[code]) if code in ends else None


class Broker:
    """Takes events. `seconds`: until it acknowledges one; None: it never does. `up`: else it refuses."""

    def __init__(self, seconds: float | None = 0.0, up: bool = True) -> None:
        self.seconds = seconds
        self.up = up
        self.events: list[dict[str, Any]] = []
        self._silent = asyncio.Event()

    async def send(self, event: dict[str, Any]) -> None:
        if not self.up:
            raise ConnectionError("the broker is away")
        if self.seconds is None:
            self._silent.set()
            await asyncio.Event().wait()
        await asyncio.sleep(self.seconds or 0.0)
        self.events.append(event)

    async def holding(self) -> None:
        """Returns once it has been silent for HELD. By turns too, as a busy machine has long seconds."""
        await self._silent.wait()
        for _ in range(TURNS):
            await asyncio.sleep(0)
        await asyncio.sleep(HELD)
