"""Connections that are kept for the next user. Whatever goes wrong while one is used, it is thrown away.

A connection on which a reply is still under way must never be given to somebody else: so a time-out or a
cancelled caller costs a connection, and no more.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Generic, Protocol, TypeVar


class Connection(Protocol):
    @property
    def is_open(self) -> bool: ...

    def abort(self) -> None:
        """Drop it at once, waiting for nothing."""
        ...


C = TypeVar("C", bound=Connection)


class Pool(Generic[C]):
    """At most `size` connections, the one used last taken first. Further users wait their turn."""

    def __init__(self, connect: Callable[[], Awaitable[C]], size: int) -> None:
        self._connect = connect
        self._idle: list[C] = []
        self._turns = asyncio.Semaphore(size)
        self._closed = False

    @asynccontextmanager
    async def use(self) -> AsyncIterator[C]:
        """A connection; it goes back only if the block ends without an exception. Raises what `connect` raises."""
        async with self._turns:
            connection = self._take() or await self._connect()
            try:
                yield connection
            except BaseException:
                connection.abort()
                raise
            if connection.is_open and not self._closed:
                self._idle.append(connection)
            else:
                connection.abort()

    def _take(self) -> C | None:
        while self._idle:
            connection = self._idle.pop()
            if connection.is_open:
                return connection
            connection.abort()
        return None

    def close(self) -> None:
        """Drops the idle ones at once, and those in use when their users are done."""
        self._closed = True
        while self._idle:
            self._idle.pop().abort()
