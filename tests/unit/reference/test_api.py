"""The HTTP API of the URL shortener, over fakes of its ports."""

import asyncio
import re
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from redis.exceptions import ConnectionError as RedisConnectionError

from reference.platform.contained import ComponentError
from reference.platform.errors import Indefinite, TimedOut, Unavailable
from reference.platform.event_log import START

pytestmark = pytest.mark.anyio

URL = "https://example.org/a/path?q=1&r=%20&ä=日本#part"


def is_problem(answer: Any, status: int, kind: str) -> None:
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert body["status"] == status
    assert body["type"] == f"urn:workbench:problem:{kind}"
    assert {"title", "detail", "instance", "request_id"} <= body.keys()
    assert body["request_id"] == answer.headers["x-request-id"]


async def test_a_link_is_shortened_and_followed_exactly(world: Any) -> None:
    made = await world.shorten(URL)
    assert re.fullmatch(r"[0-9A-Za-z]{7}", made["code"])
    assert made["short_url"] == f"http://sho.rt/{made['code']}"
    assert made["long_url"] == URL
    answer = await world.http.get(f"/{made['code']}")
    assert answer.status_code == 302
    assert dict(answer.headers.raw)[b"location"] == URL.encode()
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["server-role"] == "app-7"


async def test_by_default_a_link_lives_five_years(world: Any) -> None:
    made = await world.shorten()
    now = datetime.fromtimestamp(int(world.clock.time), UTC)
    assert datetime.fromisoformat(made["expires_at"]) == now.replace(year=now.year + 5)


async def test_five_years_from_a_leap_day(world: Any) -> None:
    world.clock.time = datetime(2028, 2, 29, 12, tzinfo=UTC).timestamp()
    assert (await world.shorten())["expires_at"] == "2033-02-28T12:00:00Z"


async def test_a_link_is_live_until_the_instant_it_expires(world: Any) -> None:
    expires = datetime(2030, 1, 1, 12, 0, 0, tzinfo=UTC)
    made = await world.shorten(expiry="2030-01-01T13:00:00+01:00")
    assert made["expires_at"] == "2030-01-01T12:00:00Z"
    world.clock.time = expires.timestamp() - 0.001
    assert (await world.http.get(f"/{made['code']}")).status_code == 302
    world.clock.time = expires.timestamp()
    is_problem(await world.http.get(f"/{made['code']}"), 410, "expired")


async def test_an_expiry_may_be_a_date(world: Any) -> None:
    assert (await world.shorten(expiry="2030-01-01"))["expires_at"] == "2030-01-01T00:00:00Z"


async def test_an_unknown_code(world: Any) -> None:
    is_problem(await world.http.get("/abcdefg"), 404, "unknown")
    is_problem(await world.http.get("/api/v1/stats/abcdefg"), 404, "unknown")


async def test_what_cannot_be_a_code_is_not_looked_up(world: Any) -> None:
    for path in ("/favicon.ico", "/a.b", "/%C3%A4", "/" + "a" * 33, "/%00", "/a%20b", "/a/b"):
        is_problem(await world.http.get(path), 404, "unknown")
    assert world.metric("store_operations_total", operation="find", outcome="ok") == 0


async def test_a_body_that_is_no_json_or_too_long(world: Any) -> None:
    send = {"Content-Type": "application/json"}
    is_problem(await world.http.post("/api/v1/shorten", content=b"{", headers=send), 422, "invalid")
    long = b'{"long_url": "' + b"a" * 70_000 + b'"}'
    assert (await world.http.post("/api/v1/shorten", content=long, headers=send)).status_code == 413


async def test_2048_characters_are_not_too_long(world: Any) -> None:
    url = "http://example.org/" + "a" * (2048 - 19)
    assert len(url) == 2048
    assert (await world.shorten(url))["long_url"] == url


async def test_deletion_needs_the_token_and_may_be_repeated(world: Any) -> None:
    made = await world.shorten()
    path = f"/api/v1/links/{made['code']}"
    is_problem(await world.http.delete(path), 401, "token-missing")
    is_problem(await world.http.delete(path, headers={"Authorization": "Bearer other"}), 403, "wrong-token")
    right = {"Authorization": f"Bearer {made['delete_token']}"}
    for _ in range(2):
        assert (await world.http.delete(path, headers=right)).status_code == 204
    assert world.redirects.invalidated == [made["code"]] * 3  # once when it was made
    is_problem(await world.http.get(f"/{made['code']}"), 404, "unknown")
    is_problem(await world.http.delete("/api/v1/links/abcdefg", headers=right), 404, "unknown")


@pytest.mark.parametrize("error", [RedisConnectionError("cut"), Unavailable("cut"), TimedOut("slow")])
async def test_a_deletion_that_cannot_be_announced_is_to_be_repeated(world: Any, error: Exception) -> None:
    made = await world.shorten()
    path, right = f"/api/v1/links/{made['code']}", {"Authorization": f"Bearer {made['delete_token']}"}
    world.redirects.errors = [error]
    answer = await world.http.delete(path, headers=right)
    is_problem(answer, 503, "not-invalidated")
    assert answer.headers["retry-after"] == "1"
    assert made["code"] in world.links.deleted
    assert (await world.http.delete(path, headers=right)).status_code == 204


async def test_the_token_is_kept_as_a_hash(world: Any) -> None:
    made = await world.shorten()
    assert made["delete_token"] not in repr(world.links.rows)


async def test_stats(world: Any) -> None:
    made = await world.shorten()
    stats = (await world.http.get(f"/api/v1/stats/{made['code']}")).json()
    windows = stats.pop("windows")
    assert stats == {
        "code": made["code"],
        "short_url": made["short_url"],
        "long_url": "https://example.org/",
        "clicks": 0,
        "created_at": "2027-01-15T08:00:00.250000Z",
        "expires_at": made["expires_at"],
    }
    assert set(windows) == {"minutes", "hours", "days", "referrers", "agents"}


@pytest.mark.parametrize("error", [Unavailable("refused"), TimedOut("slow")])
async def test_a_store_that_is_away_is_503(world: Any, error: Exception) -> None:
    for path in ("/abcdefg", "/api/v1/stats/abcdefg"):
        world.links.errors = [error]
        answer = await world.http.get(path)
        is_problem(answer, 503, "unavailable")
        assert answer.headers["retry-after"] == "1"
    outcome = "timeout" if isinstance(error, TimedOut) else "unavailable"
    assert world.metric("store_operations_total", operation="find", outcome=outcome) == 1


async def test_a_mistake_of_ours_is_500_and_tells_nothing_else(world: Any) -> None:
    """What was wrong is for the log: it is raised again behind the answer."""
    world.redirects.errors = [ZeroDivisionError("a secret of the driver")]
    transport = httpx.ASGITransport(app=world.app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as http:
        answer = await http.get("/abcdefg")
    is_problem(answer, 500, "mistake")
    assert "secret" not in answer.text


async def test_a_component_that_fails_is_500_and_named(world: Any) -> None:
    world.redirects.errors = [
        ComponentError("url-shortener/redirect-cache", "KeyError", "resolve raised KeyError")
    ]
    answer = await world.http.get("/abcdefg")
    is_problem(answer, 500, "component")
    assert answer.json()["component"] == "url-shortener/redirect-cache"


async def test_an_insert_of_unknown_outcome_is_repeated_and_finds_itself(world: Any) -> None:
    world.links.act_first, world.links.errors = True, [TimedOut("?"), Indefinite("?")]
    made = await world.shorten()
    assert list(world.links.rows) == [made["code"]]


async def test_an_insert_that_stays_unknown_is_503(world: Any) -> None:
    world.links.errors = [TimedOut("?")] * 3
    answer = await world.http.post("/api/v1/shorten", json={"long_url": "https://example.org/"})
    is_problem(answer, 503, "unavailable")


async def test_a_taken_code_is_drawn_again(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    draws = iter(["taken00", "taken00", "free000"])
    monkeypatch.setattr(world.codes._source, "choices", lambda *_, k: next(draws))
    assert (await world.shorten())["code"] == "taken00"
    assert (await world.shorten())["code"] == "free000"


async def test_a_cache_that_is_away_keeps_nobody_from_making_links(world: Any) -> None:
    world.redirects.errors = [RedisConnectionError("cut")]
    await world.shorten()
    name = "url-shortener/redirect-cache"
    assert world.metric("component_errors_total", slot=name, error="ConnectionError") == 1


async def test_only_a_get_that_redirects_is_a_click(world: Any) -> None:
    made = await world.shorten()
    assert (await world.http.head(f"/{made['code']}")).status_code == 302
    await world.http.get("/abcdefg")
    assert len(world.clicks) == 0
    headers = {
        "X-Request-Id": "trace-1",
        "Referer": "https://News.example/a?b",
        "User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
    }
    await world.http.get(f"/{made['code']}", headers=headers)
    assert len(world.clicks) == 1
    await world.clicks.start()
    await world.clicks.stop()
    [event] = [entry.event for number in range(2) for entry in await world.log.read(number, START, 10)]
    assert (event.key, event.trace) == (made["code"], "trace-1")
    assert event.data == {"referrer": "news.example", "agent": "Firefox", "address": "127.0.0.0/24"}


async def test_a_full_buffer_drops_clicks_and_not_redirects(world: Any) -> None:
    made = await world.shorten()
    for _ in range(5):
        assert (await world.http.get(f"/{made['code']}")).status_code == 302
    assert len(world.clicks) == 3
    assert world.metric("click_events_total", outcome="dropped") == 2


@pytest.mark.parametrize(
    ("given", "kept"), [("abc-1._X", True), ("a b", False), ("", False), ("x" * 129, False)]
)
async def test_a_well_formed_request_id_is_taken_over(world: Any, given: str, kept: bool) -> None:
    answer = await world.http.get("/healthz", headers={"X-Request-Id": given})
    assert (answer.headers["x-request-id"] == given) is kept
    assert answer.headers["x-request-id"]


async def test_health_and_readiness(world: Any) -> None:
    assert (await world.http.get("/healthz")).status_code == 200
    world.states["cache"] = "away: refused"
    assert (await world.http.get("/readyz")).json() == {"ready": True, "services": world.states}
    world.states["links"] = "away: refused"
    answer = await world.http.get("/readyz")
    is_problem(answer, 503, "not-ready")
    assert answer.json()["services"] == world.states


async def test_requests_are_counted_by_route_and_status(world: Any) -> None:
    made = await world.shorten()
    for path in (f"/{made['code']}", "/abcdefg", "/nothing/here"):
        await world.http.get(path)
    assert world.metric("http_requests_total", route="/{code}", status="302") == 1
    assert world.metric("http_requests_total", route="/{code}", status="404") == 1
    assert world.metric("http_requests_total", route="none", status="404") == 1
    assert world.metric("http_request_seconds_count", route="/{code}") == 2
    text = (await world.http.get("/metrics")).text
    assert 'http_requests_total{route="/{code}",status="302"} 1.0' in text
    assert "_created" not in text


async def test_a_wrong_method_is_a_problem(world: Any) -> None:
    is_problem(await world.http.post("/abcdefg"), 405, "wrong-method")


async def test_a_client_that_hangs_up_stops_the_work_for_it(world: Any) -> None:
    world.redirects.wait = asyncio.Event()
    messages: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    messages.put_nowait({"type": "http.request", "body": b"", "more_body": False})
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        **{"type": "http", "method": "GET", "path": "/abcdefg", "raw_path": b"/abcdefg", "query_string": b""},
        **{"headers": [], "http_version": "1.1", "scheme": "http", "root_path": ""},
    }
    serving = asyncio.create_task(world.app(scope, messages.get, send))
    await asyncio.sleep(0.01)
    messages.put_nowait({"type": "http.disconnect"})
    async with asyncio.timeout(1):
        await serving
    assert world.redirects.cancelled == 1
    assert world.metric("http_requests_total", route="/{code}", status="499") == 1
