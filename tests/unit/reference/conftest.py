"""What the unit tests of the reference are made with: fakes of its ports, and a clock that stands still."""

import asyncio
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from reference.platform.errors import PortError
from reference.platform.event_log import MemoryLog
from reference.platform.logs import JsonLog
from reference.platform.metrics import Metrics
from reference.platform.request_context import RequestContext
from reference.shortener.api import create_app
from reference.shortener.clicks import ClickBuffer
from reference.shortener.components import Answer, Link
from reference.shortener.repository import Deletion, LinkRecord, NewLink
from reference.shortener.service import Shortener
from reference.shortener.store import CountedLinks


@dataclass
class FakeClock:
    time: float = 1_800_000_000.25

    def now(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0)


@dataclass
class MemoryLinks:
    """`LinkRepository` in a dict. `errors`: raised by the next calls, one each."""

    rows: dict[str, NewLink] = field(default_factory=dict)
    deleted: set[str] = field(default_factory=set)
    errors: list[PortError] = field(default_factory=list)
    act_first: bool = False
    """An error of `insert` comes after it has happened."""

    def fail(self) -> None:
        if self.errors:
            raise self.errors.pop(0)

    async def prepare(self) -> None: ...

    async def insert(self, link: NewLink) -> bool:
        if self.act_first:
            self.rows.setdefault(link.code, link)
        self.fail()
        return self.rows.setdefault(link.code, link).token_hash == link.token_hash

    async def find(self, code: str) -> Link | None:
        self.fail()
        row = self.rows.get(code)
        return Link(code, row.long_url, row.expires_at) if row and code not in self.deleted else None

    async def delete(self, code: str, *, token_hash: str | None, owner: str | None, now: float) -> Deletion:
        self.fail()
        if code not in self.rows:
            return "unknown"
        if self.rows[code].token_hash != token_hash:
            return "forbidden"
        self.deleted.add(code)
        return "deleted"

    async def record(self, code: str) -> LinkRecord | None:
        self.fail()
        row = self.rows.get(code)
        if row is None or code in self.deleted:
            return None
        return LinkRecord(code, row.long_url, row.created_at, row.expires_at, row.owner)

    async def ping(self) -> None:
        self.fail()


@dataclass
class FakeRedirects:
    """The slot, filled with no cache at all. `errors`: raised by the next calls, one each."""

    links: Any
    clock: FakeClock
    errors: list[Exception] = field(default_factory=list)
    invalidated: list[str] = field(default_factory=list)
    wait: asyncio.Event | None = None
    cancelled: int = 0

    async def resolve(self, code: str) -> Answer:
        if self.errors:
            raise self.errors.pop(0)
        if self.wait is not None:
            try:
                await self.wait.wait()
            except asyncio.CancelledError:
                self.cancelled += 1
                raise
        return Answer.of(await self.links.find(code), self.clock.now())

    async def invalidate(self, code: str) -> None:
        self.invalidated.append(code)
        if self.errors:
            raise self.errors.pop(0)


@dataclass
class World:
    """An app server without processes: everything that a test may turn or look at."""

    clock: FakeClock
    links: MemoryLinks
    redirects: FakeRedirects
    clicks: ClickBuffer
    metrics: Metrics
    app: RequestContext
    http: httpx.AsyncClient
    states: dict[str, str]

    async def shorten(self, long_url: str = "https://example.org/", **more: str) -> Any:
        answer = await self.http.post("/api/v1/shorten", json={"long_url": long_url, **more})
        assert answer.status_code == 201, answer.text
        return answer.json()

    def metric(self, name: str, **labels: str) -> float:
        return self.metrics.registry.get_sample_value(name, labels) or 0.0


@pytest.fixture
async def world() -> AsyncIterator[World]:
    clock, links, metrics = FakeClock(), MemoryLinks(), Metrics()
    counted = CountedLinks(links, metrics)
    redirects = FakeRedirects(counted, clock)
    clicks = ClickBuffer(MemoryLog(2), 3, clock, random.Random(1), metrics)
    service = Shortener(
        links=counted,
        redirects=redirects,
        clicks=clicks,
        clock=clock,
        random=random.Random(2),
        metrics=metrics,
    )
    states = {"store": "ok", "cache": "ok", "log": "ok"}

    async def readiness() -> dict[str, str]:
        return states

    api = create_app(service, public_url="http://sho.rt", metrics=metrics, readiness=readiness)
    app = RequestContext(api, "app-7", metrics, JsonLog("app-7"), lambda: 0.0)
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as http:
        yield World(clock, links, redirects, clicks, metrics, app, http, states)
