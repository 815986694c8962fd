"""An app server of the URL shortener, as a process runs it."""

from __future__ import annotations

import asyncio
from typing import Any, Protocol

from reference.platform.clock import SkewedClock
from reference.platform.errors import PortError
from reference.platform.holders import Holders
from reference.platform.http_server import HttpServer
from reference.platform.live import Live
from reference.platform.logs import JsonLog
from reference.platform.modules import ComponentRejected
from reference.platform.tasks import end
from reference.platform.tracing import Traces
from reference.shortener.app_services import Services
from reference.shortener.clicks import ClickBuffer
from reference.shortener.fast_path import FastPath
from reference.shortener.live_routing import LiveRouting
from reference.shortener.slots import REDIRECT_CACHE, SHARD_ROUTER

PREPARE_RETRY = 0.3


class Front(Protocol):
    """The fast path with all that runs for it: see `reference.build.fast_path`."""

    path: FastPath

    async def start(self) -> None: ...
    async def stop(self) -> None: ...


class AppServer:
    """A Runnable."""

    def __init__(
        self,
        *,
        http: HttpServer,
        front: Front,
        holders: Holders,
        services: Services,
        routing: LiveRouting,
        clicks: ClickBuffer,
        clock: SkewedClock,
        record: JsonLog,
        live: Live,
        traces: Traces,
    ) -> None:
        self._http = http
        self._front = front
        self._holders = holders
        self._services = services
        self._routing = routing
        self._clicks = clicks
        self._clock = clock
        self._record = record
        self._live = live
        self._traces = traces
        self._preparing: asyncio.Task[None] | None = None
        self._running = False

    async def start(self) -> dict[str, Any]:
        await self._holders.start()
        await self._clicks.start()
        await self._front.start()
        self._preparing = asyncio.create_task(self._prepare(), name="prepare-stores")
        port = await self._http.start()
        self._running = True
        return {"port": port}

    async def _prepare(self) -> None:
        """Makes the tables, as soon as the stores are there."""
        while True:
            try:
                return await self._services.prepare()
            except PortError as error:
                self._record.write("warning", "a store is away", error=str(error))
                await self._clock.sleep(PREPARE_RETRY)

    async def stop(self) -> None:
        if not self._running:
            return
        self._running = False
        await self._http.stop()
        if self._preparing is not None:
            await end([self._preparing])
        await self._front.stop()
        await self._holders.stop()
        await self._clicks.stop()
        await self._services.close()

    def health(self) -> dict[str, Any]:
        components = self._holders.names()
        if self._routing.label != "nothing":  # the routing has been read
            components[SHARD_ROUTER.name] = self._routing.label
        return {
            "components": components,
            "click_buffer_events": len(self._clicks),
            "fast_path": self._front.path.state(),
        }

    async def command(self, name: str, args: dict[str, Any]) -> Any:
        try:
            return await self._command(name, args)
        finally:
            self._front.path.look()

    async def _command(self, name: str, args: dict[str, Any]) -> Any:
        match name, args:
            case "set", {"name": str() as setting, "value": value}:
                return await self._set(setting, value)
            case "settings", _:
                return self._live.now.model_dump()
            case "trace", {"id": str() as request_id}:
                return self._traces.spans(request_id)
            case "clock", {"ahead": int() | float() as seconds}:
                self._clock.skew(seconds)
                return None
            case "routing", _:  # it would find out by itself, with the next request that a shard refuses
                await self._routing.renew(await self._routing.current())
                return self._routing.label
        return await self._holders.command(name, args)

    async def _set(self, setting: str, value: Any) -> dict[str, Any]:
        before = self._live.now
        told = self._live.set(setting, value)
        if before.cache_ttl != self._live.now.cache_ttl:
            try:
                await self._holders.at(
                    REDIRECT_CACHE.name
                ).again()  # it is told its TTL when it is constructed
            except ComponentRejected:
                self._live.now = before
                raise
        return told
