"""The services of the `embedded` profile, in one process: cache, event log, key pool, store, and every shard."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from reference.platform.redis_server import FakeRedisServer
from reference.platform.settings import Settings
from reference.platform.sqlite_server import SqliteServer


class EmbeddedServices:
    """A Runnable. Each service is an instance of its own, so that flushing the cache cannot touch the log.

    Only store and shards outlive the process; without a `data_dir`, they do not either."""

    def __init__(self, settings: Settings) -> None:
        self._temporary: tempfile.TemporaryDirectory[str] | None = None
        if settings.data_dir is None:
            self._temporary = tempfile.TemporaryDirectory(prefix="workbench-")
        folder = settings.data_dir or Path(self._temporary.name if self._temporary else ".")
        port_of = settings.service_ports.get
        self._redis = {
            name: FakeRedisServer(settings.host, port_of(name, 0)) for name in ("cache", "log", "pool")
        }
        self._sql = {
            name: SqliteServer(folder / f"{name}.sqlite3", settings.host, port_of(name, 0))
            for name in ("store", *settings.every_shard)
        }
        self._running = False

    async def start(self) -> dict[str, Any]:
        ports = {name: await redis.start() for name, redis in self._redis.items()}
        ports |= {name: await database.start() for name, database in self._sql.items()}
        self._running = True
        return ports

    async def stop(self) -> None:
        if self._running:
            self._running = False
            for database in self._sql.values():
                await database.stop()
            for redis in self._redis.values():
                await redis.stop()
        if self._temporary is not None:
            self._temporary.cleanup()

    async def command(self, name: str, args: dict[str, Any]) -> Any:
        raise ValueError(f"no command {name!r}: services take none")

    def health(self) -> dict[str, Any]:
        connections = {name: len(redis.connections) for name, redis in self._redis.items()}
        connections |= {name: database.connections for name, database in self._sql.items()}
        return {name: {"connections": number} for name, number in connections.items()}
