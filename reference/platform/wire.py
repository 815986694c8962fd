"""One TCP connection of a proxy: bytes that have come, and a way to wait for more.

`asyncio.StreamReader` and `StreamWriter` do the same and cost a proxy half of its time: a proxy handles a small message
and then waits, twice a request, and here a wait is one future and one timer. (tests/bench/bench_balancer.py has both.)
"""

from __future__ import annotations

import asyncio
from typing import cast

READ_AHEAD = 131_072
"""Bytes that may lie here unread before the sender is made to wait."""


class Wire(asyncio.Protocol):
    """A connection, used by one task at a time for reading. Reads as a StreamReader does, with deadlines.

    What waits raises IncompleteReadError (an EOFError) if the other side is gone, and TimeoutError after `timeout`
    seconds without a byte; None: however long it takes.
    """

    transport: asyncio.Transport

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self.buffer = bytearray()
        self.ended = False
        """Nothing more will come. What came before may still lie in the buffer."""
        self._reader: asyncio.Future[None] | None = None
        self._writer: asyncio.Future[None] | None = None
        self._held = False
        self._full = False

    # --- what asyncio calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self.keep(data)
        wake(self._reader)

    def keep(self, data: bytes) -> None:
        """Puts it with what lies here, and wakes nobody."""
        self.buffer += data
        if len(self.buffer) > READ_AHEAD and not self._held:
            self._held = True
            self.transport.pause_reading()

    def eof_received(self) -> None:
        self.hung_up()

    def connection_lost(self, error: Exception | None) -> None:
        self.hung_up()
        wake(self._writer)

    def hung_up(self) -> None:
        """The other side will send no more; a half-open connection counts as closed."""
        self.ended = True
        wake(self._reader)

    def pause_writing(self) -> None:
        self._full = True

    def resume_writing(self) -> None:
        self._full = False
        wake(self._writer)

    # --- reading

    async def more(self, timeout: float | None) -> None:
        """Returns once more bytes have come than there are now."""
        had = len(self.buffer)
        if self._held:
            self._held = False
            self.transport.resume_reading()
        if not self.ended:
            self._reader = self._loop.create_future()
            try:
                await self._within(timeout, self._reader)
            finally:
                self._reader = None
        if len(self.buffer) == had:
            raise asyncio.IncompleteReadError(bytes(self.buffer), None)

    def take(self, length: int) -> bytes:
        """The first `length` bytes of what is there."""
        taken = bytes(self.buffer[:length])
        del self.buffer[:length]
        return taken

    async def readuntil(self, end: bytes, limit: int, timeout: float | None) -> bytes:
        """All bytes up to and with `end`. ValueError if that is more than `limit`."""
        searched = 0
        while (found := self.buffer.find(end, searched)) < 0:
            if len(self.buffer) > limit:
                raise ValueError("too long")
            searched = max(0, len(self.buffer) - len(end))
            await self.more(timeout)
        if found + len(end) > limit:
            raise ValueError("too long")
        return self.take(found + len(end))

    async def read(self, length: int, timeout: float | None) -> bytes:
        """At least one byte and at most `length`; b"" at the end."""
        if not self.buffer and not self.ended:
            try:
                await self.more(timeout)
            except asyncio.IncompleteReadError:
                return b""
        return self.take(length)

    # --- writing

    def write(self, data: bytes) -> None:
        self.transport.write(data)

    async def drain(self, timeout: float | None) -> None:
        """Waits while the other side reads more slowly than we write. ConnectionResetError: it is gone."""
        while self._full and not self.transport.is_closing():
            self._writer = self._loop.create_future()
            try:
                await self._within(timeout, self._writer)
            finally:
                self._writer = None
        if self.transport.is_closing():
            raise ConnectionResetError("the other side is gone")

    async def _within(self, timeout: float | None, future: asyncio.Future[None]) -> None:
        if timeout is None:
            return await future
        timer = self._loop.call_later(timeout, expire, future)
        try:
            await future
        finally:
            timer.cancel()

    @property
    def is_open(self) -> bool:
        return not self.ended and not self.transport.is_closing()

    def close(self) -> None:
        """Sends what is written, then closes."""
        self.transport.close()

    def abort(self) -> None:
        self.transport.abort()


def wake(future: asyncio.Future[None] | None) -> None:
    if future is not None and not future.done():
        future.set_result(None)


def expire(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_exception(TimeoutError())
