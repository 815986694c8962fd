"""A keeper: a process for the work that nobody waits for, such as filling the key pool, purging, moving links.

Each piece of work is a job. A job that fails is logged and started again: none may take the others down.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol

from reference.platform.clock import Clock
from reference.platform.holders import Holders
from reference.platform.http_server import HttpServer
from reference.platform.live import Live
from reference.platform.logs import JsonLog
from reference.platform.tasks import end

PAUSE = 1.0
"""Seconds after which a job that failed is started again."""


class Job(Protocol):
    """Work without end. Several keepers run the same jobs at the same time, and any may be killed at any instant:
    a job is safe against both."""

    async def run(self) -> None:
        """Returns never; raises what it cannot deal with, and is then begun anew."""
        ...


Command = Callable[[dict[str, Any]], Awaitable[Any]]


class KeeperServer:
    """A Runnable. `jobs` and `commands` by name; the latter beside those that every process takes."""

    def __init__(
        self,
        *,
        http: HttpServer,
        holders: Holders,
        jobs: Mapping[str, Job],
        commands: Mapping[str, Command],
        health: Callable[[], dict[str, Any]],
        close: Callable[[], Awaitable[None]],
        clock: Clock,
        record: JsonLog,
        live: Live,
    ) -> None:
        """`health`: what there is to tell beside the components. `close`: closes what the jobs work with."""
        self._http = http
        self._holders = holders
        self._jobs = jobs
        self._commands = commands
        self._health = health
        self._close = close
        self._clock = clock
        self._record = record
        self._live = live
        self._tasks: list[asyncio.Task[None]] = []
        self._running = False

    async def start(self) -> dict[str, Any]:
        await self._holders.start()
        port = await self._http.start()
        self._tasks = [asyncio.create_task(self._work(name), name=f"job-{name}") for name in self._jobs]
        self._running = True
        return {"port": port}

    async def _work(self, name: str) -> None:
        while True:
            try:
                await self._jobs[name].run()
            except Exception as error:
                self._record.write("warning", "a job failed", job=name, error=repr(error))
            await self._clock.sleep(PAUSE)

    async def stop(self) -> None:
        if not self._running:
            return
        self._running = False
        await end(self._tasks)
        await self._holders.stop()
        await self._http.stop()
        await self._close()

    async def command(self, name: str, args: dict[str, Any]) -> Any:
        match name, args:
            case "set", {"name": str() as setting, "value": value}:
                return self._live.set(setting, value)
            case "settings", _:
                return self._live.now.model_dump()
        if name in self._commands:
            return await self._commands[name](args)
        return await self._holders.command(name, args)

    def health(self) -> dict[str, Any]:
        return {"components": self._holders.names(), "jobs": sorted(self._jobs), **self._health()}
