"""A stack with an edge in front, two keepers, and a single shard: what is asked for is what runs."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from workbench.stack import Stack

from reference.platform.settings import LiveSettings
from tests.stack.clients import ask, clicks, eventually, shorten, skip_unless_available, status_of


@pytest.fixture(scope="module", params=["embedded", pytest.param("local", marks=pytest.mark.local)])
def stack(request: pytest.FixtureRequest) -> Iterator[Stack]:
    skip_unless_available(request.param)
    with Stack(profile=request.param, servers=1, settings={"edge": True, "keepers": 2, "shards": 1}) as stack:
        yield stack


def cached(stack: Stack, code: str) -> str:
    status, headers, _ = ask(stack.url, "GET", f"/{code}")
    assert status == 302
    return headers["X-Cache"]


def test_clients_call_the_edge(stack: Stack) -> None:
    assert stack.url == stack.server_url("edge")
    assert {"keeper-1", "keeper-2"} <= set(stack.status().roles)
    assert stack.topology().text().startswith("clients -> edge\nedge -> balancer\n")
    assert "clients([clients]) -->|HTTP| edge" in stack.topology().mermaid


def test_what_the_edge_keeps_is_answered_without_being_counted(stack: Stack) -> None:
    code = shorten(stack)
    assert [cached(stack, code), cached(stack, code)] == ["miss", "miss"]
    stack.set("edge_ttl", 60)
    assert [cached(stack, code), cached(stack, code), cached(stack, code)] == ["miss", "hit", "hit"]
    eventually(lambda: clicks(stack, code) == 3, "three of five requests came to a server")
    stack.kill("edge")
    with pytest.raises(OSError):  # noqa: PT011
        status_of(stack.url, code)
    stack.revive("edge")
    assert [cached(stack, code), cached(stack, code)] == ["miss", "hit"], "a restart keeps the setting"
    stack.set("edge_ttl", 0)


def test_one_keeper_does_the_work_of_both(stack: Stack) -> None:
    stack.kill("keeper-1")
    stack.set("code_strategy", "pool")
    link = {"long_url": "https://example.org/"}
    eventually(lambda: ask(stack.url, "POST", "/api/v1/shorten", link)[0] == 201, "the pool is filled")
    stack.revive("keeper-1")
    stack.set("code_strategy", "random")


def test_what_is_too_much_is_refused_at_once(stack: Stack) -> None:
    """Forty clients, eight of whom a slow store lets in or wait: the others hear so, and nobody hangs."""
    code = shorten(stack)
    for setting, value in (("max_in_flight", 4), ("max_queue", 4)):
        stack.set(setting, value)
    stack.slow("shard-1", 0.1)

    def miss(number: int) -> tuple[int, str | None, float]:
        began = time.monotonic()
        status, headers, _ = ask(stack.url, "GET", f"/unknown{number}")
        return status, headers["Retry-After"], time.monotonic() - began

    with ThreadPoolExecutor(40) as clients:
        found = list(clients.map(miss, range(120)))
    told = {(status, retry) for status, retry, _ in found}
    assert {(404, None), (503, "1")} <= told
    assert told <= {(404, None), (503, "1"), (504, None)}, (
        "504: the store itself was too slow for its deadline"
    )
    assert max(seconds for _, _, seconds in found) < 10
    stack.mend()
    for setting in ("max_in_flight", "max_queue"):
        stack.set(setting, LiveSettings.model_fields[setting].default)
    assert status_of(stack.url, code) == 302
    assert status_of(stack.url, "unknown1") == 404
