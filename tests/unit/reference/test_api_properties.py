"""Whatever anybody sends: never a server error, and never a Location but the URL that was given, to the byte."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reference.platform.rate_limit import Allowance, RateLimit
from reference.shortener.aliases import could_be_code, skeleton
from reference.shortener.redirects_api import cache_control
from reference.shortener.targets import Ourselves, address_of
from tests.unit.reference.conftest import FakeClock, NoRedis, World, make_world

PROFILE = settings(deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))

ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=40),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=20), inner, max_size=4),
    max_leaves=8,
)
ORDERS = st.fixed_dictionaries(
    {"long_url": st.one_of(ANY_JSON, st.text(max_size=60).map(lambda rest: f"http://{rest}"))},
    optional={"custom_alias": ANY_JSON, "expiry": st.one_of(ANY_JSON, st.datetimes().map(str))},
)
HEADER = st.binary(max_size=40).filter(lambda value: not set(value) & {0, 10, 13})
HEADERS = st.dictionaries(
    st.sampled_from(
        [b"authorization", b"idempotency-key", b"x-forwarded-for", b"referer", b"user-agent", b"host"]
    ),
    HEADER,
)
WORDS = (
    "",
    "/",
    "abc1234",
    "api",
    "v1",
    "stats",
    "links",
    "me",
    "blocklist",
    "docs",
    "static",
    "..",
    "%2e",
    "[",
)
PATHS = st.lists(st.sampled_from(WORDS) | st.text(max_size=8), max_size=5).map(
    lambda parts: "/" + "/".join(parts)
)
METHODS = st.sampled_from(["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW"])


@pytest.fixture(scope="module")
def loop() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as runner:
        yield runner


@pytest.fixture(scope="module")
def world(loop: asyncio.Runner) -> Any:
    """One for all examples: what they leave behind are more links."""
    return loop.run(make_world())


async def ask(
    world: World, method: str, path: str, headers: dict[bytes, bytes], body: bytes
) -> tuple[int, dict[bytes, bytes], bytes]:
    """A request as a server hands it on: what no client library would send, too."""
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": method,
        "path": path,
        "raw_path": path.encode("utf-8", "replace"),
        "query_string": b"",
        "headers": [*headers.items(), (b"content-type", b"application/json")],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
        "scheme": "http",
    }
    told = [{"type": "http.request", "body": body, "more_body": False}]
    heard: list[Any] = []

    async def receive() -> Any:
        if told:
            return told.pop()
        await asyncio.Event().wait()

    async def send(message: Any) -> None:
        heard.append(message)

    await world.app(scope, receive, send)
    text = b"".join(message.get("body", b"") for message in heard[1:])
    return heard[0]["status"], dict(heard[0]["headers"]), text


def is_safe(status: int, headers: dict[bytes, bytes], body: bytes) -> None:
    assert status < 500, body
    for name, value in headers.items():
        assert not set(name + value) & {0, 10, 13}
    if status >= 400 and body:
        assert headers[b"content-type"] == b"application/problem+json"
        assert json.loads(body)["status"] == status


@given(order=ORDERS, headers=HEADERS)
@settings(PROFILE, max_examples=150)
def test_any_order(world: Any, loop: Any, order: dict[str, Any], headers: dict[bytes, bytes]) -> None:
    async def work() -> None:
        body = json.dumps(order).encode()
        status, told, text = await ask(world, "POST", "/api/v1/shorten", headers, body)
        is_safe(status, told, text)
        if status == 201:
            code = json.loads(text)["code"]
            assert could_be_code(code)
            status, told, text = await ask(world, "GET", f"/{code}", headers, b"")
            is_safe(status, told, text)
            assert told[b"location"] == order["long_url"].encode()
            assert not Ourselves("http://sho.rt").include(address_of(order["long_url"]))

    loop.run(work())


@given(method=METHODS, path=PATHS, headers=HEADERS, body=st.binary(max_size=60) | ANY_JSON.map(json.dumps))
@settings(PROFILE, max_examples=250)
def test_any_request(
    world: Any, loop: Any, method: str, path: str, headers: dict[bytes, bytes], body: Any
) -> None:
    async def work() -> None:
        sent = body if isinstance(body, bytes) else body.encode()
        is_safe(*(await ask(world, method, path, headers, sent)))

    loop.run(work())


@given(host=st.text(min_size=1, max_size=30))
@settings(PROFILE, max_examples=500)
def test_a_target_is_judged_or_refused(host: str) -> None:
    try:
        address = address_of(f"http://{host}")
    except ValueError:
        return
    assert address.host == address.host.lower()
    assert address.host.isascii()
    spelled = f"[{address.host}]" if ":" in address.host else address.host
    assert address_of(f"http://{spelled}:{address.port}") == address


@given(
    number=st.integers(0, 2**32 - 1),
    bases=st.lists(st.sampled_from(["d", "#o", "#x"]), min_size=4, max_size=4),
)
@settings(PROFILE, max_examples=200)
def test_an_ipv4_address_in_any_base_is_one_address(number: int, bases: list[str]) -> None:
    plain = [number >> shift & 255 for shift in (24, 16, 8, 0)]
    one = address_of("http://" + ".".join(map(str, plain)))
    spelled = [format(part, base).replace("0o", "0") for part, base in zip(plain, bases, strict=True)]
    assert address_of("http://" + ".".join(spelled)) == one
    assert address_of(f"http://{number}") == one
    mapped = f"http://[::ffff:{'.'.join(map(str, plain))}]"
    assert address_of(mapped) == one


@given(st.text("0OoQ1lIi_-aArnmvwVW", min_size=3, max_size=12))
@settings(PROFILE, max_examples=200)
def test_a_skeleton_does_not_care_for_case(alias: str) -> None:
    assert skeleton(alias) == skeleton(alias.upper()) == skeleton(alias.lower())
    assert len(skeleton(alias)) <= len(alias)


@given(max_age=st.floats(0, 2), remaining=st.none() | st.floats(-10, 10))
@settings(PROFILE, max_examples=200)
def test_a_redirect_is_kept_no_longer_than_it_may(max_age: float, remaining: float | None) -> None:
    said = cache_control(max_age, remaining)
    seconds = int(said.removeprefix("public, max-age=")) if said != "no-store" else 0
    assert seconds <= min(max_age, 2.0, max(0.0, remaining or 0.0))
    assert seconds > 0 or said == "no-store"


@given(limit=st.floats(0.5, 100), pauses=st.lists(st.floats(-5, 90), max_size=60))
@settings(PROFILE, max_examples=100)
def test_no_more_pass_than_the_limit_says(loop: Any, limit: float, pauses: list[float]) -> None:
    async def work() -> None:
        clock = FakeClock()
        rate = RateLimit("x", NoRedis(), clock)  # type: ignore[arg-type]
        begin = latest = clock.time
        passed = 0
        for pause in pauses:
            clock.time += pause
            latest = max(latest, clock.time)
            allowance: Allowance = await rate.take("somebody", limit)
            passed += allowance.allowed
            assert passed <= max(1, limit) + (latest - begin) * limit / 60 + 1e-6
            assert allowance.retry_after >= 1

    loop.run(work())
