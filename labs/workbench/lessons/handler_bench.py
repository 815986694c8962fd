"""A handler for redirects, asked in this process, over the services of `handler_services`.

A handler is a class: `Handler(cache, links, broker)`, and its method `follow` answers `GET /{code}`. It runs in an
event loop of its own, in a thread: what it blocks is that loop alone, and what it leaves behind ends with it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

import httpx
from fastapi import FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

from workbench.lessons.handler_services import Broker, Cache, Links

T = TypeVar("T")

Handler = Callable[[Cache, Links, Broker], Any]

HEADERS = {"User-Agent": "Firefox/150.0", "Referer": "https://news.example/front?reader=4711"}
"""Of every click."""


@dataclass(frozen=True, slots=True)
class Click:
    """What a visitor got. `error`: what the handler raised, if it did."""

    status: int
    location: str = ""
    error: str = ""

    def __str__(self) -> str:
        if not self.status:
            return "no answer: it waits for the broker"
        return " ".join(filter(None, (str(self.status), self.location or self.error)))


@dataclass(slots=True)
class Bench:
    """An app with the handler at `/{code}`, and an unrelated route at `/healthz`."""

    client: httpx.AsyncClient
    cache: Cache
    broker: Broker
    errors: list[BaseException] = field(default_factory=list)

    async def click(self, code: str) -> Click:
        before = len(self.errors)
        asking = asyncio.create_task(self.client.get(f"/{code}", headers=HEADERS))
        holding = asyncio.create_task(self.broker.holding())
        await asyncio.wait({asking, holding}, return_when=asyncio.FIRST_COMPLETED)
        holding.cancel()
        if not asking.done():
            asking.cancel()
            return Click(0)
        answer = asking.result()
        error = self.errors[before] if len(self.errors) > before else None
        told = f"{type(error).__name__}: {error}" if error else ""
        return Click(answer.status_code, answer.headers.get("location", ""), told)


@asynccontextmanager
async def bench(
    handler: Handler, cache_seconds: float = 0.0, broker: Broker | None = None
) -> AsyncIterator[Bench]:
    cache, broker = Cache(cache_seconds), broker or Broker()
    app = FastAPI()

    @app.get("/healthz")
    async def healthz() -> str:
        return "up"

    app.add_api_route("/{code}", handler(cache, Links(), broker).follow, response_model=None)
    errors: list[BaseException] = []
    transport = httpx.ASGITransport(Noting(app, errors))
    async with httpx.AsyncClient(transport=transport, base_url="http://bench") as client:
        yield Bench(client, cache, broker, errors)


class Noting:
    """Keeps what the app raised; by then it has answered 500."""

    def __init__(self, app: ASGIApp, errors: list[BaseException]) -> None:
        self.app = app
        self.errors = errors

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self.app(scope, receive, send)
        except Exception as error:
            self.errors.append(error)


async def apart(work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """The result of `work`, in an event loop of its own."""
    return await asyncio.to_thread(lambda: asyncio.run(work()))


async def clicks(handler: Handler, *codes: str, broker: Broker | None = None) -> list[Click]:
    """One click after the other, on these links of the table: see Links."""

    async def work() -> list[Click]:
        async with bench(handler, broker=broker) as tried:
            return [await tried.click(code) for code in codes]

    return await apart(work)


@dataclass(frozen=True, slots=True)
class Storm:
    """`other_ms`: how long an unrelated request waited that came with them. `behind`: the calls that stopped the event
    loop before it was answered."""

    statuses: list[int]
    other_ms: float
    behind: int


async def storm(handler: Handler, count: int = 20, cache_seconds: float = 0.05) -> Storm:
    """`count` clicks at once on a link that is cached, `cache_seconds` away; and with them a request to `/healthz`."""

    async def work() -> Storm:
        async with bench(handler, cache_seconds) as tried:
            await tried.client.get("/page")  # now it is cached
            blocked = tried.cache.blocked
            began = time.perf_counter()

            redirects = [
                asyncio.create_task(tried.client.get("/page", headers=HEADERS)) for _ in range(count)
            ]
            await asyncio.create_task(tried.client.get("/healthz"))  # the last in the line
            waited, behind = 1000 * (time.perf_counter() - began), tried.cache.blocked - blocked
            return Storm([answer.status_code for answer in await asyncio.gather(*redirects)], waited, behind)

    return await apart(work)
