"""Word of deletions, from the server that makes one to all servers.

A server that keeps links in its own memory (`near_cache`) must hear of it when one is deleted, and must know whether
it would have heard. So deletions are published on a channel of the cache's Redis, and each server subscribes, and asks
the same connection again and again for a PONG. Redis sends what it has for a connection in order. When the PONG comes,
everything that was published before its PING was sent has come too: what a server holds then is *proven* as of the
sending. If the connection breaks, nothing is proven any more, and what was held is forgotten.

An acknowledged deletion was published before it was acknowledged. A server that answers from memory only while its
proof is younger than DELETION_BOUND therefore keeps that bound, however it is cut off, stopped or slowed down.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

from redis.asyncio import Connection, Redis
from redis.exceptions import RedisError

from reference.platform.tasks import end
from reference.shortener.components import Answer
from reference.shortener.redirects import Redirects

CHANNEL = "deletions"
PING_EVERY = 0.25
"""Seconds. Much less than DELETION_BOUND: a lost second must not turn the fast path off."""
RETRY = 0.3
PAUSES = (0.1, 0.2, 0.4, 0.8)
"""Seconds between attempts to publish: that the cache is away for a moment is no reason to refuse a deletion."""


class Listener(Protocol):
    def deleted(self, code: str) -> None: ...

    def proven(self, asked: float) -> None:
        """Nothing was deleted before the instant `asked` that `deleted` has not told of."""
        ...

    def lost(self) -> None:
        """From now on, and since the last proof, deletions may have been missed."""
        ...


@dataclass(frozen=True, slots=True)
class AnnouncedRedirects:
    """`redirects`, whose invalidations all servers hear of."""

    redirects: Redirects
    cache: Redis
    here: Listener

    async def resolve(self, code: str) -> Answer:
        return await self.redirects.resolve(code)

    async def invalidate(self, code: str) -> None:
        """In this order: whoever hears of it and looks into the cache again must not find what was there before."""
        self.here.deleted(code)
        await self.redirects.invalidate(code)
        for pause in PAUSES:
            with suppress(RedisError):
                await self.cache.publish(CHANNEL, code)
                return
            await asyncio.sleep(pause)
        await self.cache.publish(CHANNEL, code)


class DeletionNews:
    """The task that listens. `now`: a clock that never steps, and goes on while a process is stopped."""

    def __init__(self, cache: Redis, listener: Listener, now: Callable[[], float]) -> None:
        """`cache`: a client whose deadline for a reply is longer than PING_EVERY."""
        self._cache = cache
        self._listener = listener
        self._now = now
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="deletion-news")

    async def stop(self) -> None:
        if self._task is not None:
            await end([self._task])
            self._task = None

    async def _run(self) -> None:
        while True:
            connection = self._cache.connection_pool.make_connection()  # type: ignore[no-untyped-call]
            try:
                await self._listen(connection)
            except (RedisError, OSError):
                pass
            finally:
                self._listener.lost()
                await connection.disconnect(nowait=True)
            await asyncio.sleep(RETRY)

    async def _listen(self, connection: Connection) -> None:
        """Until something goes wrong, which is raised."""
        await connection.connect()  # type: ignore[no-untyped-call]
        asked: deque[float] = deque()
        await connection.send_command("SUBSCRIBE", CHANNEL)
        pinging = asyncio.create_task(self._ping(connection, asked), name="deletion-news-ping")
        try:
            while True:
                match await connection.read_response():
                    case ["message", _, str() as code]:
                        self._listener.deleted(code)
                    case ["pong", _]:
                        self._listener.proven(asked.popleft())
                    case ["subscribe", _, _]:
                        pass  # the first PONG proves it
                    case other:  # such as +PONG: whoever answers does not know that we have subscribed
                        raise RedisError(f"no subscriber would hear {other!r:.80}")
        finally:
            pinging.cancel()
            await asyncio.gather(pinging, return_exceptions=True)

    async def _ping(self, connection: Connection, asked: deque[float]) -> None:
        while True:
            asked.append(self._now())
            await connection.send_command("PING")
            await asyncio.sleep(PING_EVERY)
