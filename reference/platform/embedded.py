"""The services of the `embedded` profile, in one process: cache, event log and store."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from reference.platform.redis_server import FakeRedisServer
from reference.platform.settings import Settings
from reference.platform.sqlite_server import SqliteServer


class EmbeddedServices:
    """A Runnable. Cache and log are two Redis instances, so that flushing one cannot touch the other.

    Only the store outlives the process; without a `data_dir`, it does not either."""

    def __init__(self, settings: Settings) -> None:
        self._temporary: tempfile.TemporaryDirectory[str] | None = None
        if settings.data_dir is None:
            self._temporary = tempfile.TemporaryDirectory(prefix="workbench-")
        folder = settings.data_dir or Path(self._temporary.name if self._temporary else ".")
        self._cache = FakeRedisServer(settings.host, settings.cache_port)
        self._log = FakeRedisServer(settings.host, settings.log_port)
        self._store = SqliteServer(folder / "store.sqlite3", settings.host, settings.store_port)
        self._running = False

    async def start(self) -> dict[str, Any]:
        ports = {
            "cache": await self._cache.start(),
            "log": await self._log.start(),
            "store": await self._store.start(),
        }
        self._running = True
        return ports

    async def stop(self) -> None:
        if self._running:
            self._running = False
            await self._store.stop()
            await self._log.stop()
            await self._cache.stop()
        if self._temporary is not None:
            self._temporary.cleanup()

    async def command(self, name: str, args: dict[str, Any]) -> Any:
        raise ValueError(f"no command {name!r}: services take none")

    def health(self) -> dict[str, Any]:
        return {
            "cache": {"connections": len(self._cache.connections)},
            "log": {"connections": len(self._log.connections)},
            "store": {"connections": self._store.connections},
        }
