"""A stack with an edge in front, two keepers, and a single shard: what is asked for is what runs."""

from collections.abc import Iterator

import pytest
from workbench.stack import Stack

from tests.stack.clients import ask, clicks, eventually, shorten, status_of


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with Stack(servers=1, settings={"edge": True, "keepers": 2, "shards": 1}) as stack:
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
