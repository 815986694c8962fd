"""Which requests are recorded, what of them, and that nothing is kept of all others."""

import asyncio
import random
from collections.abc import Sequence
from typing import Any

import httpx
import pytest
from fakeredis import FakeAsyncRedis, FakeServer
from redis.exceptions import ConnectionError as RedisConnectionError

from reference.platform import tracing
from reference.platform.errors import Unavailable
from reference.platform.memory_log import MemoryLog
from reference.platform.metrics import Metrics
from reference.platform.packs import Row, Stem
from reference.platform.redis_client import CountingRedis
from reference.platform.sql import Statement, Value, statement
from reference.platform.traced_sql import TracedDatabase, summary
from reference.platform.tracing import (
    REQUESTS,
    SPANS,
    Near,
    Recording,
    Traces,
    asks,
    current,
    recorded,
    remark,
)
from reference.shortener.clicks import ClickBuffer
from reference.shortener.privacy import Visitor

pytestmark = pytest.mark.anyio


def names(recording: Recording | None) -> list[str]:
    return [span["name"] for span in recording.spans] if recording is not None else []


# --- which requests


@pytest.mark.parametrize("request_id", ["trace-1", "trace-" + "x" * 122])
def test_a_request_asks_by_its_id(request_id: str) -> None:
    assert asks(request_id)


@pytest.mark.parametrize("request_id", ["", "mine", "Trace-1", "trace-" + "x" * 123, None, 7, ["trace-1"]])
def test_others_do_not_ask(request_id: object) -> None:
    """Also what came out of a log that somebody else wrote to, and is no text at all."""
    assert not asks(request_id)


@pytest.mark.parametrize(
    ("peer", "forwarded", "local"),
    [
        ("127.0.0.1", "", True),
        ("127.0.0.1", "127.0.0.1", True),
        ("::1", "127.0.0.1, ::1", True),
        ("127.0.0.1", "203.0.113.9", False),
        ("127.0.0.1", "203.0.113.9, 127.0.0.1", False),
        ("127.0.0.1", "127.0.0.1, 203.0.113.9", False),
        ("10.0.0.3", "127.0.0.1", False),
        ("127.0.0.1", "127.0.0.1.evil.example", False),
        ("::ffff:127.0.0.1", "", True),
        ("", "", False),
    ],
)
def test_only_from_this_machine(peer: str, forwarded: str, local: bool) -> None:
    assert Near().holds(peer, forwarded) is local


def test_and_from_networks_that_were_named() -> None:
    near = Near(("127.0.0.0/8", "10.213.0.0/16"))
    assert near.holds("10.213.7.1", "10.213.9.9, 127.0.0.1")
    assert not near.holds("10.213.7.1", "10.214.0.1")
    with pytest.raises(ValueError, match="somewhere"):
        Near(["somewhere"])


# --- what is kept


def test_spans_are_in_the_order_in_which_they_began_and_say_what_failed() -> None:
    recording = Recording()
    with recorded(recording, "outer", a=1) as outer:
        assert current() is recording
        with recording.span("inner", "cache") as inner:
            inner["answer"] = "x"
        with pytest.raises(ValueError, match="no"), recording.span("bad"):
            raise ValueError("no")
        remark(rows=3)
        recording.moment("now")
    assert current() is None
    assert names(recording) == ["outer", "inner", "bad", "now"]
    assert (outer["a"], inner["to"], inner["answer"]) == (1, "cache", "x")
    assert recording.spans[2] | {"rows": 3, "failed": "ValueError"} == recording.spans[2]
    assert outer["began"] <= inner["began"]
    assert outer["seconds"] >= inner["seconds"] >= 0


def test_a_remark_outside_of_a_request_is_lost() -> None:
    remark(rows=3)
    assert current() is None


def test_the_number_of_spans_and_of_requests_is_bounded() -> None:
    recording, traces = Recording(), Traces()
    for _ in range(SPANS + 5):
        recording.moment("again")
    assert len(recording.spans) == SPANS
    for n in range(REQUESTS + 5):
        traces.begin(f"trace-{n}")
    assert traces.of("trace-4") is None
    assert traces.of("trace-5") is not None
    assert traces.spans("trace-nobody") == []


def test_a_batch_is_one_recording_for_all_that_are_in_it() -> None:
    traces = Traces()
    traces.begin("trace-1", "trace-2").moment("count")
    assert traces.spans("trace-1") == traces.spans("trace-2") != []
    assert traces.begin("trace-1") is traces.of("trace-2")


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (None, "nothing"),
        (True, "True"),
        (3, 3),
        ("x" * 100, "x" * 80),
        (b"abc", "3 bytes"),
        ([1, 2], "2 items"),
    ],
)
def test_an_answer_in_short(answer: Any, said: Any) -> None:
    assert tracing.shown(answer) == said


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("GET", "redirect:a"), ("GET", "redirect:a", "")),
        (("set", "redirect:a", "ticket:1", "PX", 10), ("SET", "redirect:a", "ticket:1")),
        (("EVAL", "return 1", 1, "redirect:a", "x"), ("EVAL", "redirect:a", "")),
        (("CONFIG GET", "save"), ("CONFIG", "GET", "")),
        (("PING",), ("PING", "", "")),
        ((), ("", "", "")),
    ],
)
def test_a_command_in_short(args: tuple[Any, ...], said: tuple[str, str, str]) -> None:
    assert tracing.described(args) == said


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("SELECT epoch, code FROM shard_epoch LEFT JOIN links ON code = $1", "SELECT shard_epoch, links"),
        (
            "INSERT INTO links (code) SELECT $1 WHERE (SELECT epoch FROM shard_epoch) = $2 ON CONFLICT (code) "
            "DO UPDATE SET token_hash = links.token_hash RETURNING code",
            "INSERT links",
        ),
        ("UPDATE shard_epoch SET epoch = $1", "UPDATE shard_epoch"),
        ("SELECT event_id FROM raw_clicks JOIN json_each($1) ON key = event_id", "SELECT raw_clicks"),
        ("", "?"),
    ],
)
def test_a_statement_in_short(sql: str, said: str) -> None:
    assert summary(sql) == said


# --- who takes notes


class Store:
    share_lock = ""

    async def define(self, tables: Sequence[str]) -> None: ...

    async def query(self, sql: str, *values: Value) -> list[dict[str, Any]]:
        return [{"one": 1}]

    async def transaction(self, statements: Sequence[Statement]) -> list[list[dict[str, Any]]]:
        raise Unavailable("away")

    async def close(self) -> None: ...


async def test_calls_of_a_store_are_round_trips() -> None:
    recording, store = Recording(), TracedDatabase(Store(), "shard-2")
    assert await store.query("SELECT 1 FROM links") == [{"one": 1}]
    with recorded(recording, "handle"):
        assert await store.query("SELECT 1 FROM links") == [{"one": 1}]
        with pytest.raises(Unavailable):
            await store.transaction([statement("UPDATE a SET b = 1"), statement("INSERT INTO c VALUES (1)")])
    assert names(recording) == ["handle", "SELECT links", "UPDATE a; INSERT c"]
    assert [span["to"] for span in recording.spans] == ["", "shard-2", "shard-2"]
    assert recording.spans[1]["rows"] == 1
    assert recording.spans[2]["failed"] == "Unavailable"


class Cache(FakeAsyncRedis, CountingRedis):  # type: ignore[misc]
    """`CountingRedis` over a Redis in this process."""


async def test_commands_are_round_trips_and_are_counted_all_the_same() -> None:
    server, counted = FakeServer(), []
    cache = Cache(server=server, decode_responses=True)
    cache.count, cache.service = lambda *command: counted.append(command), "cache"
    recording = Recording()
    await cache.get("a")
    with recorded(recording, "handle"):
        await cache.set("a", "ticket:1")
        await cache.get("a")
        server.connected = False
        with pytest.raises(RedisConnectionError):
            await cache.get("b")
    server.connected = True
    await cache.aclose()
    told = [
        (span["name"], span.get("key"), span.get("answer"), span.get("failed"))
        for span in recording.spans[1:]
    ]
    assert told == [
        ("SET", "a", "True", None),
        ("GET", "a", "ticket:1", None),
        ("GET", "b", None, "ConnectionError"),
    ]
    assert recording.spans[1]["value"] == "ticket:1"
    assert counted == [("GET", "ok"), ("SET", "ok"), ("GET", "ok"), ("GET", "error")]


class Log(MemoryLog):
    errors = 0

    async def append_rows(self, stem: Stem, rows: Sequence[Row]) -> None:
        if self.errors:
            self.errors -= 1
            raise Unavailable("away")
        await super().append_rows(stem, rows)


class Clock:
    def now(self) -> float:
        return 1000.0

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0)


async def test_a_click_is_followed_into_the_log() -> None:
    log, recording = Log(1), Recording()
    log.errors = 2
    clicks = ClickBuffer(log, 3, Clock(), random.Random(1), Metrics())
    visitor = Visitor("", "", "")
    clicks.offer("abc", "", visitor)
    with recorded(recording, "handle"):
        assert clicks.offer("abc", "trace-1", visitor)
        clicks.offer("abc", "", visitor)
        assert not clicks.offer("abc", "trace-2", visitor)
    await clicks.start()
    await clicks.stop()
    told = [(span["name"], span.get("taken"), span.get("events")) for span in recording.spans[1:]]
    assert told[:3] == [("click", True, None), ("click", True, None), ("click", False, None)]
    assert ("append", None, 3) in told
    assert clicks._followed == {}


async def test_a_server_records_who_asks_and_nobody_else(world: Any) -> None:
    world.app.traces = Traces()
    link = await world.shorten()
    for request_id, forwarded in (
        ("trace-1", "127.0.0.1"),
        ("mine-1", "127.0.0.1"),
        ("trace-2", "203.0.113.9"),
    ):
        headers = {"X-Request-Id": request_id, "X-Forwarded-For": forwarded}
        answer = await world.http.get(f"/{link['code']}", headers=headers)
        assert answer.headers["x-request-id"] == request_id
    [handled, click] = world.app.traces.spans("trace-1")
    assert (handled["name"], handled["path"], handled["status"]) == ("handle", f"/{link['code']}", 302)
    assert click["name"] == "click"
    assert [world.app.traces.spans(each) for each in ("mine-1", "trace-2")] == [[], []]


async def test_what_a_failing_server_did_is_recorded_too(world: Any) -> None:
    world.app.traces = Traces()
    world.redirects.errors = [Unavailable("away")]
    answer = await world.http.get("/abc1234", headers={"X-Request-Id": "trace-1"})
    assert answer.status_code == 503
    assert [span["status"] for span in world.app.traces.spans("trace-1")] == [503]


async def test_without_traces_nobody_is_recorded(world: Any) -> None:
    assert world.app.traces is None
    answer: httpx.Response = await world.http.get("/abc1234", headers={"X-Request-Id": "trace-1"})
    assert answer.status_code == 404
