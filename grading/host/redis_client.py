"""The component's Redis: redis-py's own asyncio client, whose connections lead to the judge instead of a socket.

Everything above the byte stream is redis-py unmodified: pool, packing, parsing, time-outs, pipelines, scripts. Only
slots that have a Redis import this: redis-py takes longer to load than all the rest of the host.
"""

from __future__ import annotations

from typing import Any

from redis.asyncio import Redis
from redis.asyncio.connection import AbstractConnection, ConnectionPool
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.maint_notifications import MaintNotificationsConfig

from grading.host import where
from grading.host.wires import Links

TIMEOUT = 0.25
"""Seconds that the client waits for an answer, as in the running system."""


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
