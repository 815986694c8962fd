"""What the unit tests of the reference are made with: fakes of its ports, and a clock that stands still."""

import asyncio
import random
import sqlite3
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from redis.exceptions import ConnectionError as RedisConnectionError

from reference.build.api import STORE_TABLES, api, shortener
from reference.platform.errors import PortError
from reference.platform.identity import administrator_token
from reference.platform.live import Live
from reference.platform.logs import JsonLog
from reference.platform.memory_log import MemoryLog
from reference.platform.metrics import Metrics
from reference.platform.request_context import RequestContext
from reference.platform.settings import LiveSettings, Settings
from reference.platform.sql import NotMatched, Row, Statement, Value, statement
from reference.platform.sqlite_server import attempt
from reference.shortener.clicks import ClickBuffer
from reference.shortener.components import Answer, Link
from reference.shortener.links import Deletion, LinkRecord, NewLink
from reference.shortener.random_codes import RandomCodes
from reference.shortener.store import CountedLinks

SECRET = "the secret of the unit tests"


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
        return self.rows.setdefault(link.code, link) == link and link.code not in self.deleted

    async def find(self, code: str) -> Link | None:
        self.fail()
        row = self.rows.get(code)
        return Link(code, row.long_url, row.expires_at) if row and code not in self.deleted else None

    async def taken(self, code: str) -> bool:
        self.fail()
        return code in self.rows

    async def record(self, code: str) -> LinkRecord | None:
        self.fail()
        row = self.rows.get(code)
        return recorded(row) if row is not None and code not in self.deleted else None

    async def delete(self, code: str, *, token_hash: str | None, owner: str | None, now: float) -> Deletion:
        self.fail()
        row = self.rows.get(code)
        if row is None:
            return "unknown"
        by_anybody = token_hash is None and owner is None
        if not (by_anybody or row.token_hash == token_hash or (owner and row.owner == owner)):
            return "forbidden"
        self.deleted.add(code)
        return "deleted"

    async def owned_by(self, owner: str, after: str, limit: int) -> list[LinkRecord]:
        self.fail()
        mine = [
            row for code, row in sorted(self.rows.items()) if row.owner == owner and code not in self.deleted
        ]
        return [recorded(row) for row in mine if row.code > after][:limit]

    async def ping(self) -> None:
        self.fail()


def recorded(row: NewLink) -> LinkRecord:
    return LinkRecord(row.code, row.long_url, row.created_at, row.expires_at, row.owner)


class MemoryDatabase:
    """The store that all servers share, in this process. `errors`: raised by the next calls, one each; before they
    act, or with `act_first` after it."""

    share_lock = ""

    def __init__(self) -> None:
        self.sqlite = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        self.sqlite.row_factory = sqlite3.Row
        self.errors: list[PortError] = []
        self.act_first = False
        self.calls = 0

    async def define(self, tables: Sequence[str]) -> None:
        self.run([statement(table) for table in tables])

    async def query(self, sql: str, *values: Value) -> list[Row]:
        [rows] = await self.transaction([statement(sql, *values)])
        return rows

    async def transaction(self, statements: Sequence[Statement]) -> list[list[Row]]:
        self.calls += 1
        await asyncio.sleep(0)
        results = self.run(statements) if self.act_first or not self.errors else []
        if self.errors:
            raise self.errors.pop(0)
        await asyncio.sleep(0)
        return results

    def run(self, statements: Sequence[Statement]) -> list[list[Row]]:
        asked = [{"sql": each.sql, "rows": each.rows, "must_match": each.must_match} for each in statements]
        answer = attempt(self.sqlite, asked)
        if answer.get("error") == "not_matched":
            raise NotMatched
        assert "error" not in answer, answer
        results: list[list[Row]] = answer["results"]
        return results

    async def close(self) -> None:
        self.sqlite.close()


class NoRedis:
    """A Redis that is away."""

    async def eval(self, *_: Any) -> Any:
        raise RedisConnectionError("away")


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
    store: MemoryDatabase
    codes: RandomCodes
    redirects: FakeRedirects
    log: MemoryLog
    clicks: ClickBuffer
    metrics: Metrics
    live: Live
    app: RequestContext
    http: httpx.AsyncClient
    states: dict[str, str]
    administrator: dict[str, str] = field(default_factory=lambda: bearer(administrator_token(SECRET)))

    async def shorten(self, long_url: str = "https://example.org/", **more: str) -> Any:
        answer = await self.http.post("/api/v1/shorten", json={"long_url": long_url, **more})
        assert answer.status_code == 201, answer.text
        return answer.json()

    async def person(self, name: str = "Ada", role: str = "user") -> dict[str, str]:
        """The headers of somebody with a new account."""
        body = {"name": name, "role": role}
        answer = await self.http.post("/api/v1/principals", json=body, headers=self.administrator)
        assert answer.status_code == 201, answer.text
        return bearer(answer.json()["token"])

    def metric(self, name: str, **labels: str) -> float:
        return self.metrics.registry.get_sample_value(name, labels) or 0.0


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture
async def world() -> AsyncIterator[World]:
    made = await make_world()
    async with made.http:
        yield made
    await made.store.close()


async def make_world() -> World:
    clock, links, metrics, store = FakeClock(), MemoryLinks(), Metrics(), MemoryDatabase()
    await store.define(STORE_TABLES)
    counted = CountedLinks(links, metrics)
    redirects = FakeRedirects(counted, clock)
    log = MemoryLog(2)
    clicks = ClickBuffer(log, 3, clock, random.Random(1), metrics)
    settings = Settings(public_url="http://sho.rt", secret=SECRET)
    codes = RandomCodes(random.Random(2))
    live = Live(LiveSettings())
    service = shortener(
        settings,
        links=counted,
        codes=codes,
        redirects=redirects,
        clicks=clicks,
        store=store,
        clock=clock,
        metrics=metrics,
    )
    states = {"links": "ok", "store": "ok", "cache": "ok", "log": "ok"}

    async def readiness() -> dict[str, str]:
        return states

    made = api(
        settings,
        service,
        store=store,
        cache=NoRedis(),  # type: ignore[arg-type]
        clock=clock,
        metrics=metrics,
        readiness=readiness,
        live=lambda: live.now,
    )
    app = RequestContext(made, "app-7", metrics, JsonLog("app-7"), lambda: 0.0)
    http = httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://test")
    return World(clock, links, store, codes, redirects, log, clicks, metrics, live, app, http, states)
