"""An app server of the URL shortener, as a process runs it."""

from __future__ import annotations

import asyncio
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import RedisError

from reference.platform.clock import Clock
from reference.platform.errors import PortError
from reference.platform.event_log import EventLog
from reference.platform.http_server import HttpServer
from reference.platform.logs import JsonLog
from reference.platform.modules import ComponentRejected
from reference.platform.settings import LiveSettings
from reference.platform.slots import ComponentFactory, SlotHolder
from reference.platform.sql import Database
from reference.shortener.clicks import ClickBuffer
from reference.shortener.repository import LinkRepository

PREPARE_RETRY = 0.3


class Live:
    """The live settings as they are now."""

    def __init__(self, settings: LiveSettings) -> None:
        self.now = settings


class Services:
    """The services that an app server needs, together."""

    def __init__(self, links: LinkRepository, database: Database, cache: Redis, log: EventLog) -> None:
        self.links = links
        self.database = database
        self.cache = cache
        self.log = log

    async def states(self) -> dict[str, str]:
        """Of each service "ok", or what went wrong."""
        names = ("store", "cache", "log")
        pings = (self.links.ping(), self.cache.ping(), self.log.ping())
        found = await asyncio.gather(*pings, return_exceptions=True)
        return {name: self._state(each) for name, each in zip(names, found, strict=True)}

    def _state(self, outcome: Any) -> str:
        if isinstance(outcome, PortError | RedisError):
            return f"away: {outcome}"
        if isinstance(outcome, BaseException):
            raise outcome
        return "ok"

    async def close(self) -> None:
        await self.log.close()
        await self.cache.aclose()
        await self.database.close()


class AppServer:
    """A Runnable. `replace`: what fills the slot instead of the reference, from the start."""

    def __init__(
        self,
        *,
        http: HttpServer,
        holder: SlotHolder,
        services: Services,
        clicks: ClickBuffer,
        clock: Clock,
        record: JsonLog,
        live: Live,
        replace: ComponentFactory | None = None,
    ) -> None:
        self._http = http
        self._holder = holder
        self._services = services
        self._clicks = clicks
        self._clock = clock
        self._record = record
        self._live = live
        self._replace = replace
        self._preparing: asyncio.Task[None] | None = None
        self._running = False

    async def start(self) -> dict[str, Any]:
        if self._replace is not None:
            await self._holder.put("replaced", self._replace)
        else:
            await self._holder.fill("reference")
        await self._clicks.start()
        self._preparing = asyncio.create_task(self._prepare(), name="prepare-store")
        port = await self._http.start()
        self._running = True
        return {"port": port}

    async def _prepare(self) -> None:
        """Makes the tables, as soon as the store is there."""
        while True:
            try:
                return await self._services.links.prepare()
            except PortError as error:
                self._record.write("warning", "the store is away", error=str(error))
                await self._clock.sleep(PREPARE_RETRY)

    async def stop(self) -> None:
        if not self._running:
            return
        self._running = False
        await self._http.stop()
        if self._preparing is not None:
            self._preparing.cancel()
            await asyncio.gather(self._preparing, return_exceptions=True)
        await self._holder.stop()
        await self._clicks.stop()
        await self._services.close()

    def health(self) -> dict[str, Any]:
        return {
            "components": {self._holder.slot.name: self._holder.filling},
            "click_buffer_events": len(self._clicks),
        }

    # --- commands

    async def command(self, name: str, args: dict[str, Any]) -> Any:
        match name, args:
            case "swap", {"slot": slot, "source": str() as source, **rest}:
                return await self._at(slot).put_source(source, str(rest.get("label") or "yours"))
            case "swap", {"slot": slot, "filling": str() as filling}:
                return await self._at(slot).fill(filling)
            case "unswap", {"slot": slot}:
                return await self._at(slot).fill("reference")
            case "set", {"name": str() as setting, "value": value}:
                return await self._set(setting, value)
            case "settings", _:
                return self._live.now.model_dump()
        raise ValueError(f"no command {name!r} with {', '.join(args) or 'no arguments'}")

    def _at(self, slot: Any) -> SlotHolder:
        if slot != self._holder.slot.name:
            raise ValueError(f"no slot {slot!r}; there is: {self._holder.slot.name}")
        return self._holder

    async def _set(self, setting: str, value: Any) -> dict[str, Any]:
        before, self._live.now = self._live.now, self._live.now.with_value(setting, value)
        if before.cache_ttl != self._live.now.cache_ttl:
            try:
                await self._holder.again()  # a component is told its TTL when it is constructed
            except ComponentRejected:
                self._live.now = before
                raise
        return self._live.now.model_dump()
