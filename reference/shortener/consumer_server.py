"""The consumer as a process runs it: it counts, and shows its metrics over HTTP."""

from __future__ import annotations

from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from reference.platform.event_log import EventLog
from reference.platform.http_server import HttpServer
from reference.platform.metrics import Metrics
from reference.platform.sql import Database
from reference.shortener.consumer import ClickConsumer


def create_app(metrics: Metrics) -> Starlette:
    async def healthz(request: Request) -> Response:
        return Response("ok\n", media_type="text/plain")

    async def prometheus(request: Request) -> Response:
        return Response(metrics.text(), media_type=metrics.content_type)

    return Starlette(routes=[Route("/healthz", healthz), Route("/metrics", prometheus)])


class ConsumerServer:
    """A Runnable. Until an app server has made the tables, it waits as if the store were away."""

    def __init__(
        self, *, http: HttpServer, consumer: ClickConsumer, log: EventLog, database: Database
    ) -> None:
        self._http = http
        self._consumer = consumer
        self._log = log
        self._database = database
        self._running = False

    async def start(self) -> dict[str, Any]:
        port = await self._http.start()
        await self._consumer.start()
        self._running = True
        return {"port": port}

    async def stop(self) -> None:
        if not self._running:
            return
        self._running = False
        await self._consumer.stop()
        await self._http.stop()
        await self._log.close()
        await self._database.close()

    async def command(self, name: str, args: dict[str, Any]) -> Any:
        raise ValueError(f"no command {name!r}: a consumer takes none")

    def health(self) -> dict[str, Any]:
        return {"partitions": sorted(self._consumer.owned)}
