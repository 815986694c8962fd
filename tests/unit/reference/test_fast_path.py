"""The fast path gives the slow path's answers, byte for byte, or leaves the request to it."""

import asyncio
import io
import json
import random
import re
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reference.platform.event_loop import uvloop
from reference.platform.hosts import Hosts
from reference.platform.http_server import HttpServer
from reference.platform.logs import JsonLog
from reference.platform.request_context import RequestContext
from reference.shortener.components import Link
from reference.shortener.fast_connections import FastConnections
from reference.shortener.fast_path import FastPath
from reference.shortener.links import NewLink
from reference.shortener.near_cache import NearCache, steady
from reference.shortener.plain_gets import PlainGets

pytestmark = pytest.mark.anyio


@pytest.fixture(
    params=[
        pytest.param(("asyncio", {"use_uvloop": False}), id="asyncio"),
        pytest.param(
            ("asyncio", {"use_uvloop": True}),
            id="uvloop",
            marks=pytest.mark.skipif(uvloop is None, reason="there is no uvloop for Windows"),
        ),
    ]
)
def anyio_backend(request: pytest.FixtureRequest) -> Any:
    """The loop that app servers have, and the one that they have where there is no uvloop."""
    return request.param


HOST = b"Host: sho.rt\r\n"
LAST = b"GET /healthz HTTP/1.1\r\nHost: sho.rt\r\nConnection: close\r\n\r\n"
LINKS = {
    "abc1234": "https://example.org/a?b=c",
    "long-one": "https://example.org/é日",
    "over000": "https://o.example/",
}
FOR_EVER = 1e6
PATIENCE = 10.0
MALFORMED = b"Invalid HTTP request received."


@dataclass
class Two:
    """The same application behind two servers, of which one has the fast path."""

    world: Any
    near: NearCache
    fast: FastPath
    slow_port: int
    fast_port: int
    fillings: dict[str, str]
    log: io.StringIO

    async def ask(
        self, port: int, pieces: list[bytes], patience: float = PATIENCE
    ) -> tuple[bytes, list[Any]]:
        """All that is answered, without what is never the same twice; and the clicks."""
        self.world.clicks._waiting.clear()
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        answer = b""

        async def read() -> None:  # at once: what follows may have the server hang up
            nonlocal answer
            with suppress(ConnectionResetError):
                while data := await reader.read(65536):
                    answer += data

        reading = asyncio.create_task(read())
        for piece in pieces:
            with suppress(ConnectionError, RuntimeError):  # RuntimeError: on uvloop it is closed
                writer.write(piece)
                await writer.drain()
            await asyncio.sleep(0.001)
        await asyncio.wait([reading], timeout=patience)
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
        writer.close()
        clicks = [
            (code, time, same(trace.encode() or b"0" * 32), json.loads(f"[{who}]"))
            for _, code, time, trace, who in self.world.clicks._waiting
        ]
        return same(answer), clicks

    async def differ(self, pieces: list[bytes], patience: float = PATIENCE) -> tuple[bytes, list[Any]]:
        """Both are asked the same, the fast one twice: the second time it knows the head."""
        slow = await self.ask(self.slow_port, pieces, patience)
        for _ in range(2):
            fast = await self.ask(self.fast_port, pieces, patience)
            if fast == slow:
                continue
            if (
                MALFORMED in fast[0] + slow[0]
            ):  # this overtakes an answer that is still being made, or does not
                continue
            assert patience < PATIENCE, (pieces, fast, slow)
            return await self.differ(
                pieces, PATIENCE
            )  # on a busy machine an answer may just not have come yet
        return slow

    def answered_fast(self) -> int:
        return sum(sum(tally.counts) for tally in self.fast._tallies.values())


def same(data: bytes) -> bytes:
    data = re.sub(rb"date: [^\r]*", b"date: now", data)
    return re.sub(rb"\b[0-9a-f]{32}\b", b"some id", data)


@pytest.fixture
async def two(world: Any) -> AsyncIterator[Two]:
    hosts, fillings, log = Hosts(["sho.rt"]), {"redirect-cache": "reference"}, io.StringIO()
    world.clicks._capacity = 100_000

    async def nothing(codes: list[str]) -> list[Link]:
        return []

    near = NearCache(nothing)
    for code, url in LINKS.items():
        ends = world.clock.now() + (1000 if code != "over000" else -1)
        world.links.rows[code] = NewLink(code, url, 0.0, ends, "hash")
        near._keep(Link(code, url, ends))
    near.proven(steady() + FOR_EVER)
    fast = FastPath(
        near=near,
        clicks=world.clicks,
        live=world.live,
        clock=world.clock,
        random=random.Random(1),
        metrics=world.metrics,
        seconds=world.metrics.histogram("test_seconds", "", "how").labels("fast"),
        record=JsonLog("app-7", log),
        role="app-7",
        gets=PlainGets(hosts, proxies=1),
        fillings=lambda: fillings,
    )
    sample = lambda: world.live.now.request_log_sample  # noqa: E731
    app = RequestContext(
        world.app.app, "app-7", world.metrics, JsonLog("app-7", io.StringIO()), sample, hosts
    )
    connections = FastConnections(fast)
    servers = [
        HttpServer(app, "127.0.0.1", 0, grace=0.1),
        HttpServer(app, "127.0.0.1", 0, grace=0.1, protocol=connections),
    ]
    ports = [await server.start() for server in servers]
    await connections.start()
    found = Two(world, near, fast, *ports, fillings, log)
    await found.ask(ports[0], [LAST])  # the host is known from here on
    yield found
    await connections.stop()
    for server in servers:
        await server.stop()


def get(path: bytes = b"/abc1234", *headers: bytes, method: bytes = b"GET", version: bytes = b"1.1") -> bytes:
    lines = [method + b" " + path + b" HTTP/" + version, HOST.strip(), *headers]
    return b"\r\n".join(lines) + b"\r\n\r\n"


async def test_a_hot_link_is_answered_fast_and_the_same(two: Two) -> None:
    answer, clicks = await two.differ(
        [get(b"/abc1234", b"User-Agent: curl/8", b"Referer: https://a.example/x"), LAST]
    )
    assert answer.startswith(b"HTTP/1.1 302 Found\r\ndate: now\r\n")
    assert b"location: https://example.org/a?b=c\r\n" in answer
    assert [(code, who) for code, _, _, who in clicks] == [("abc1234", ["a.example", "curl", "127.0.0.0/24"])]
    assert two.answered_fast() == 2
    assert two.fast.gets.known


async def test_a_traceparent_gives_the_request_its_id_on_either_path(two: Two) -> None:
    parent = b"00-" + b"a" * 32 + b"-" + b"b" * 16
    for more, fast in (
        ((b"traceparent: " + parent + b"-01",), True),
        ((b"traceparent: " + parent + b"-00",), True),
        ((b"traceparent: " + parent + b"-01", b"X-Request-Id: trace-" + b"a" * 32), True),
        ((b"traceparent: " + parent + b"-01", b"X-Request-Id: mine"), False),
    ):
        before = two.answered_fast()
        await two.differ([get(b"/abc1234", *more), LAST])
        assert (two.answered_fast() > before) is fast
    recorded = two.fast._traces.spans("trace-" + "a" * 32)
    assert {span["how"] for span in recorded if span["name"] == "handle"} == {"memory"}


async def test_a_traced_request_is_recorded_as_answered_from_memory(two: Two) -> None:
    for request_id, more in (
        (b"trace-1", ()),
        (b"trace-2", (b"X-Forwarded-For: 203.0.113.9",)),
        (b"mine", ()),
    ):
        await two.ask(two.fast_port, [get(b"/abc1234", b"X-Request-Id: " + request_id, *more), LAST])
    handled, click = two.fast._traces.spans("trace-1")
    assert (handled["how"], handled["status"], handled["path"]) == ("memory", 302, "/abc1234")
    assert (click["name"], click["taken"]) == ("click", True)
    assert two.fast._traces.spans("trace-2") == two.fast._traces.spans("mine") == []
    assert two.answered_fast() == 3


FAST = [
    [get()],
    [get(b"/long-one")],
    [get(), get(), get(b"/long-one")],
    [get() + get() + get(b"/long-one")],
    [get()[:9], get()[9:]],
    [get()[:-1], b"\n" + get()],
    [b"\r\n" + get()],
    [get() + b"\r\n"],
    [get(b"/abc1234", b"X-Request-Id: mine-1.2_3")],
    [get(b"/abc1234", b"X-Request-Id: trace-1"), get(b"/abc1234", b"X-Request-Id: trace-1")],
    [get(b"/abc1234", b"X-Request-Id: not one of those")],
    [get(b"/abc1234", b"Connection: keep-alive", b"If-None-Match: *", b"Range: bytes=0-1")],
    [get(b"/abc1234", b"X-Forwarded-For: 198.51.100.7")],
    [get(b"/abc1234", b"X-Forwarded-For: 203.0.113.9, 198.51.100.7")],
    [get(b"/abc1234", b"Referer: " + b"\xff\xfe", b"User-Agent:")],
    [get(b"/abc1234", b"Cookie: " + b"x" * 5000)],
    [get(b"/abc1234", b"HOST: sho.rt", b"Accept: */*").replace(HOST, b"", 1)],
    [get(b"/abc1234"), get(b"/unknown1"), get(b"/abc1234")],
    [get(b"/abc1234") + get(b"/unknown1") + get(b"/abc1234")],
    [get().replace(b"GET /", b"GET  /")],
    [get(b"/abc1234").replace(HOST, b"", 1), get()],
]
"""In which at least one answer must be fast."""

SLOW = [
    [get(method=b"HEAD")],
    [get(method=b"POST")],
    [get(method=b"OPTIONS")],
    [get(method=b"BREW")],
    [get(version=b"1.0")],
    [get(b"/abc1234", b"Connection: keep-alive", version=b"1.0")],
    [get(b"/abc1234", b"Connection: close")],
    [get(b"/abc1234", b"Connection: close") + get()],
    [get(b"/abc1234", b"Connection: keep-alive, TE", b"TE: trailers")],
    [get(b"/abc1234", b"Content-Length: 0")],
    [get(b"/abc1234", b"Content-Length: 5") + b"hello"],
    [get(b"/abc1234", b"Content-Length: 5"), b"hello"],
    [get(b"/abc1234", b"Content-Length: 5", b"Content-Length: 6") + b"hello"],
    [get(b"/abc1234", b"Transfer-Encoding: chunked") + b"5\r\nhello\r\n0\r\n\r\n"],
    [get(b"/abc1234", b"Transfer-Encoding: chunked") + b"0\r\nX-Trailer: 1\r\n\r\n"],
    [get(b"/abc1234", b"Expect: 100-continue")],
    [get(b"/abc1234", b"Host: sho.rt")],
    [get(b"/abc1234").replace(HOST, b"")],
    [get(b"/abc1234").replace(b"sho.rt", b"evil.example")],
    [get(b"/abc1234").replace(b"sho.rt", b"sho.rt:port")],
    [get(b"/abc1234", b"X-Request-Id: a", b"X-Request-Id: b")],
    [get(b"/abc1234", b"Referer: https://a.example/", b"Referer: https://b.example/")],
    [get(b"/abc1234", b"X-Forwarded-For: 1.2.3.4", b"X-Forwarded-For: 5.6.7.8")],
    [get(b"http://sho.rt/abc1234")],
    [get(b"/abc1234?x=1")],
    [get(b"/abc1234#x")],
    [get(b"/%61bc1234")],
    [get(b"/abc1234/")],
    [get(b"//abc1234")],
    [get(b"/over000")],
    [get(b"/unknown1")],
    [get(b"/abc1234", b" folded: x")],
    [get(b"/abc1234", b"No-Colon")],
    [get(b"/abc1234", b"Bad\x00Name: x")],
    [get(b"/abc1234", b"X-Bad: \x00")],
    [get().replace(b"\r\n", b"\n")],
    [get().replace(b"HTTP/1.1", b"HTTP/2.0")],
    [get().replace(b"HTTP/1.1", b"http/1.1")],
    [b"get" + get()[3:]],
    [get(b"/" + b"a" * 70_000)],
]
"""In which no answer may be."""


async def test_what_is_fast_is_the_same(two: Two) -> None:
    for pieces in FAST:
        before = two.answered_fast()
        await two.differ([*pieces, LAST])
        assert two.answered_fast() >= before + 2, pieces


async def test_what_is_not_plain_is_left_to_the_slow_path(two: Two) -> None:
    for pieces in SLOW:
        await two.differ([*pieces, LAST])
        assert two.answered_fast() == 0, pieces


@pytest.mark.parametrize("what", [b"h2c", b"websocket"])
async def test_after_an_upgrade_nothing_is_parsed_as_before(two: Two, what: bytes) -> None:
    await two.differ([get(), LAST])
    await two.differ(
        [get(), get(b"/abc1234", b"Connection: Upgrade", b"Upgrade: " + what), get()], patience=0.3
    )


HEADERS = st.sampled_from(
    [
        *(
            b"Accept: */*",
            b"User-Agent: curl/8",
            b"Referer: https://a.example/",
            b"Connection: keep-alive",
            b"X-Y: z",
        ),
        *(
            b"Connection: close",
            b"Content-Length: 3",
            b"X-Request-Id: r-1",
            b"Host: sho.rt",
            b"Expect: 100-continue",
        ),
        *(
            b"X-Forwarded-For: 198.51.100.7",
            b"Transfer-Encoding: chunked",
            b"Upgrade-Insecure-Requests: 1",
            b"broken",
        ),
    ]
)
REQUESTS = st.builds(
    lambda path, headers, method, body: get(path, *headers, method=method) + body,
    st.sampled_from(
        [b"/abc1234", b"/abc1234", b"/long-one", b"/over000", b"/unknown1", b"/abc1234?x", b"/healthz"]
    ),
    st.lists(HEADERS, max_size=4),
    st.sampled_from([b"GET", b"GET", b"GET", b"GET", b"HEAD", b"POST"]),
    st.sampled_from([b"", b"", b"", b"", b"abc", b"\r\n", b"0\r\n\r\n"]),
)


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(st.lists(REQUESTS, min_size=1, max_size=4), st.lists(st.integers(1, 400), max_size=6))
async def test_any_requests_however_cut(two: Two, requests: list[bytes], cuts: list[int]) -> None:
    data = b"".join(requests)
    places = sorted({min(cut, len(data)) for cut in cuts})
    pieces = [data[a:b] for a, b in zip([0, *places], [*places, len(data)], strict=True) if a < b]
    await two.differ([*pieces, LAST], patience=0.5)


# --- what else holds on it


async def answer(two: Two, request: bytes | None = None) -> bytes:
    return (await two.ask(two.fast_port, [get() if request is None else request, LAST]))[0]


async def test_settings_are_live(two: Two) -> None:
    for name, value, part in (
        ("redirect_status", 301, b"HTTP/1.1 301 Moved Permanently\r\n"),
        ("redirect_max_age", 2.0, b"cache-control: public, max-age=2\r\n"),
        ("redirect_max_age", 0.5, b"cache-control: no-store\r\n"),
    ):
        two.world.live.set(name, value)
        before = two.answered_fast()
        found, _ = await two.differ([get(), LAST])
        assert part in found
        assert two.answered_fast() == before + 2


async def test_a_link_ends_at_its_instant(two: Two) -> None:
    two.world.live.set("redirect_max_age", 2.0)
    for before, status in ((1.5, b"302"), (0.001, b"302"), (0.0, b"410"), (-1.0, b"410")):
        two.world.clock.time = two.near.entries[b"/abc1234"].expires_at - before
        found, _ = await two.differ([get(), LAST])
        assert found.startswith(b"HTTP/1.1 " + status)
        assert (b"max-age=1\r\n" in found) == (before == 1.5)


async def test_without_proof_nothing_is_fast(two: Two) -> None:
    two.near.fresh_until = steady() - 0.001
    assert b" 302 " in await answer(two)
    assert two.answered_fast() == 0
    assert two.fast.state() == "off: no word from the cache"


async def test_a_swap_turns_it_off_at_once(two: Two) -> None:
    two.fillings["redirect-cache"] = "yours"
    two.fast.look()
    assert two.fast.state() == "off: redirect-cache holds yours"
    assert b" 302 " in await answer(two)
    assert two.answered_fast() == 0
    assert not two.near.entries
    two.fillings["redirect-cache"] = "reference"
    two.world.live.set("fast_path", False)
    two.fast.look()
    assert two.fast.state() == "off: live setting fast_path"
    two.world.live.set("fast_path", True)
    two.fast.look()
    assert two.fast.state() == "on"


async def test_it_counts_and_logs_as_the_slow_path_does(two: Two) -> None:
    two.world.live.set("request_log_sample", 1.0)
    for _ in range(3):
        await answer(two, get(b"/abc1234", b"X-Request-Id: r-1"))
    two.fast.write_log()  # as is done once a second
    lines = [json.loads(line) for line in two.log.getvalue().splitlines()]
    assert [
        {name: line[name] for name in ("level", "event", "request_id", "method", "route", "status")}
        for line in lines
    ] == 3 * [
        {
            "level": "info",
            "event": "request",
            "request_id": "r-1",
            "method": "GET",
            "route": "/{code}",
            "status": 302,
        }
    ]
    text = two.world.metrics.text().decode()
    assert 'http_requests_total{route="/{code}",status="302"} 3.0' in text
    assert 'http_request_seconds_count{route="/{code}"} 3.0' in text
    assert 'test_seconds_count{how="fast"} 3.0' in text
    assert 'test_seconds_bucket{how="fast",le="+Inf"} 3.0' in text
    assert two.world.metrics.text().decode().count('status="302"} 3.0') == 1, "folded once"


async def test_a_full_click_buffer_drops_clicks_not_redirects(two: Two) -> None:
    two.world.clicks._capacity = 1
    found, clicks = await two.ask(two.fast_port, [get() + get() + get(), LAST])
    assert found.count(b" 302 ") == 3
    assert len(clicks) == 1


async def test_a_client_that_does_not_read_is_not_written_to_without_end(two: Two) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", two.fast_port, limit=1)
    requests = get(b"/abc1234") * 200

    async def ask() -> None:
        while True:
            writer.write(requests)
            await writer.drain()

    asking = asyncio.create_task(ask())
    try:
        async with asyncio.timeout(60):
            before = -1
            while two.answered_fast() != before:  # until it comes to a rest
                before = two.answered_fast()
                await asyncio.sleep(1)
        assert before > 200
        assert not asking.done()
    finally:
        asking.cancel()
        writer.transport.abort()
        reader.feed_eof()
        await asyncio.gather(asking, return_exceptions=True)


async def test_a_client_that_does_not_read_does_not_keep_a_server_from_stopping(anyio_backend: Any) -> None:
    async def much(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"x" * 20_000_000})

    server = HttpServer(much, "127.0.0.1", 0, grace=1.0)
    _, writer = await asyncio.open_connection("127.0.0.1", await server.start(), limit=1)
    try:
        writer.write(get())
        await asyncio.sleep(0.5)
        async with asyncio.timeout(20):
            await server.stop()
    finally:
        writer.transport.abort()


async def test_idle_connections_are_closed(two: Two, monkeypatch: pytest.MonkeyPatch) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", two.fast_port)
    writer.write(get())
    assert await reader.readuntil(b"\r\n\r\n")
    connections = [each for each in _connections(two) if each._idle_since is not None]
    assert len(connections) == 1
    connections[0].close_if_idle(connections[0]._idle_since + 74)
    writer.write(get())
    assert await reader.readuntil(b"\r\n\r\n")
    connections[0].close_if_idle(connections[0]._idle_since + 76)
    async with asyncio.timeout(5):
        assert await reader.read() == b""
    writer.close()


def _connections(two: Two) -> list[Any]:
    import gc

    from reference.shortener.fast_protocol import FastProtocol

    return [each for each in gc.get_objects() if type(each) is FastProtocol and each._fast is two.fast]
