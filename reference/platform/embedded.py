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
        ports = {name: await server.start() for name, server in (self._redis | self._sql).items()}
        self._running = True
        return ports

    async def stop(self) -> None:
        if self._running:
            self._running = False
            for server in (*self._sql.values(), *self._redis.values()):
                await server.stop()
        if self._temporary is not None:
            self._temporary.cleanup()

    async def command(self, name: str, args: dict[str, Any]) -> Any:
        raise ValueError(f"no command {name!r}: services take none")

    def health(self) -> dict[str, Any]:
        redis = {name: {"connections": len(server.connections)} for name, server in self._redis.items()}
        return redis | {name: {"connections": server.connections} for name, server in self._sql.items()}
