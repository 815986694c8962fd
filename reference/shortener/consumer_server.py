"""The consumer as a process runs it: it counts, holds the click aggregator's slot, and shows its metrics over HTTP."""

from __future__ import annotations

from typing import Any

from reference.platform.event_log import EventLog
from reference.platform.holders import Holders
from reference.platform.http_server import HttpServer
from reference.platform.live import Live
from reference.platform.sql import Database
from reference.platform.tracing import Traces
from reference.shortener.consumer import ClickConsumer


class ConsumerServer:
    """A Runnable. Until the store can be reached, it waits."""

    def __init__(
        self,
        *,
        http: HttpServer,
        consumer: ClickConsumer,
        holders: Holders,
        log: EventLog,
        database: Database,
        live: Live,
        traces: Traces,
    ) -> None:
        self._http = http
        self._consumer = consumer
        self._holders = holders
        self._log = log
        self._database = database
        self._live = live
        self._traces = traces
        self._running = False

    async def start(self) -> dict[str, Any]:
        await self._holders.start()
        port = await self._http.start()
        await self._consumer.start()
        self._running = True
        return {"port": port}

    async def stop(self) -> None:
        if not self._running:
            return
        self._running = False
        await self._consumer.stop()
        await self._holders.stop()
        await self._http.stop()
        await self._log.close()
        await self._database.close()

    async def command(self, name: str, args: dict[str, Any]) -> Any:
        match name, args:
            case "set", {"name": str() as setting, "value": value}:
                return self._live.set(setting, value)
            case "settings", _:
                return self._live.now.model_dump()
            case "trace", {"id": str() as request_id}:
                return self._traces.spans(request_id)
        return await self._holders.command(name, args)

    def health(self) -> dict[str, Any]:
        return {"components": self._holders.names(), "partitions": sorted(self._consumer.owned)}
