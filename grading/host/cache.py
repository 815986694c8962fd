"""The component's Redis: redis-py's own asyncio client, whose connections lead to the judge instead of a socket.

Everything above the byte stream is redis-py unmodified: pool, packing, parsing, time-outs, pipelines, scripts. The
judge gets the bytes of each write, and decides when they arrive, what comes back and when, or that nothing does.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Any

from redis.asyncio import Redis
from redis.asyncio.connection import AbstractConnection, ConnectionPool
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.maint_notifications import MaintNotificationsConfig

from grading.host import where

TIMEOUT = 0.25
"""Seconds that the client waits for an answer, as in the running system."""


class Wire:
    """The writing end of one connection; the judge feeds the reading end."""

    def __init__(self, number: int, links: Links) -> None:
        self.number = number
        self.links = links
        self.reader = asyncio.StreamReader()
        self.broken: Exception | None = None

    def writelines(self, chunks: Iterable[bytes]) -> None:
        if self.broken is not None:
            raise self.broken
        self.links.report("write", self.number, b"".join(chunks).decode("latin-1"))

    def write(self, chunk: bytes) -> None:
        self.writelines([chunk])

    async def drain(self) -> None:
        return None

    def close(self) -> None:
        if self.links.wires.pop(self.number, None) is not None:
            self.links.report("close", self.number, "")

    async def wait_closed(self) -> None:
        return None

    def is_closing(self) -> bool:
        return self.number not in self.links.wires

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return default

    def feed(self, data: str) -> None:
        self.reader.feed_data(data.encode("latin-1"))

    def break_off(self) -> None:
        """As when the server resets the connection."""
        self.broken = ConnectionResetError(104, "Connection reset by peer")
        self.reader.set_exception(self.broken)


class Links:
    """All connections of one instance of the component. `report(kind, connection, data)` tells the judge."""

    def __init__(self, report: Callable[[str, int, str], None], numbers: Callable[[], int]) -> None:
        self.report = report
        self.numbers = numbers
        self.wires: dict[int, Wire] = {}
        self.line: int | None = None
        """Of the component, where it sent its latest command: the write itself happens in a task of redis-py's."""

    def open(self) -> Wire:
        number = self.numbers()
        wire = self.wires[number] = Wire(number, self)
        return wire


class RelayConnection(AbstractConnection):
    """A redis-py connection over a `Wire`."""

    def __init__(self, *, links: Links, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.links = links

    async def _connect(self) -> None:
        wire = self.links.open()
        self._reader = wire.reader
        self._writer = wire  # type: ignore[assignment]  # has all that redis-py uses of a StreamWriter

    async def send_packed_command(self, command: Any, check_health: bool = True) -> None:
        self.links.line = where.running()
        await super().send_packed_command(command, check_health)

    def _host_error(self) -> str:
        return "the cache"

    def repr_pieces(self) -> list[tuple[str, str | int]]:
        return []


def client(links: Links) -> Redis:
    """As the running system makes it: text out, no retries, `TIMEOUT`."""
    pool = ConnectionPool(
        connection_class=RelayConnection,
        links=links,
        protocol=2,
        driver_info=None,
        decode_responses=True,
        socket_timeout=TIMEOUT,
        socket_connect_timeout=TIMEOUT,
        retry=Retry(NoBackoff(), 0),
        maint_notifications_config=MaintNotificationsConfig(enabled=False),
    )
    return Redis(connection_pool=pool)
