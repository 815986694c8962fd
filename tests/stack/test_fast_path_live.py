"""The fast path on a stack that runs: what is deleted stops within the bound, every redirect counts, a swap ends it."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from http.client import HTTPConnection, HTTPException
from urllib.parse import urlsplit

import httpx
import pytest
from workbench.stack import Stack

from reference.shortener.components import DELETION_BOUND
from tests.stack.clients import SLOT, clicks, eventually, mend_all

POLL = 0.002


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with Stack(servers=2) as stack:
        eventually(lambda: fast_paths(stack) == {"on"}, "the fast path of both servers is on")
        yield stack


@pytest.fixture(autouse=True)
def whole(stack: Stack) -> Iterator[None]:
    yield
    mend_all(stack)
    eventually(lambda: fast_paths(stack) == {"on"}, "the fast path of both servers is on again")


def fast_paths(stack: Stack) -> set[str]:
    return {stack.status().roles[server]["fast_path"] for server in stack.servers}


def fast(stack: Stack) -> float:
    return sum(fast_of(stack, server) for server in stack.servers)


class Follower(threading.Thread):
    """Asks one server for one link, again and again. `found`: when it was asked, and the status; `failed`: what
    went wrong, after which it connects anew."""

    def __init__(self, stack: Stack, server: str, code: str) -> None:
        super().__init__(name=f"follower of {code} on {server}")
        self.address = urlsplit(stack.server_url(server)).netloc
        self.path = f"/{code}"
        self.found: list[tuple[float, int]] = []
        self.failed: list[str] = []
        self.ended = threading.Event()

    def run(self) -> None:
        connection = HTTPConnection(self.address, timeout=10)
        while not self.ended.is_set():
            asked = time.time()
            try:
                connection.request("GET", self.path)
                answer = connection.getresponse()
                answer.read()
                self.found.append((asked, answer.status))
            except (OSError, HTTPException) as error:
                self.failed.append(
                    f"{self.name}: asked {asked:.3f}, after {time.time() - asked:.3f} s: {error!r}"
                )
                connection.close()
            time.sleep(POLL)
        connection.close()

    @property
    def redirects(self) -> list[float]:
        return [asked for asked, status in list(self.found) if status == 302]


@contextmanager
def following_on_all(stack: Stack, code: str) -> Iterator[list[Follower]]:
    followers = [Follower(stack, server, code) for server in stack.servers]
    for follower in followers:
        follower.start()
    try:
        before = fast(stack)
        eventually(lambda: fast(stack) > before + 20, "the link is answered on the fast path")
        yield followers
    finally:
        for follower in followers:
            follower.ended.set()
            follower.join()


def asked_since(instant: float, followers: list[Follower]) -> bool:
    return all(each.found[-1][0] > instant for each in followers)


def delete(stack: Stack, link: dict[str, str]) -> None:
    bearer = {"Authorization": f"Bearer {link['delete_token']}"}
    assert httpx.delete(f"{stack.url}/api/v1/links/{link['code']}", headers=bearer).status_code == 204


def made(stack: Stack, **more: str) -> dict[str, str]:
    answer = httpx.post(f"{stack.url}/api/v1/shorten", json={"long_url": "https://example.org/", **more})
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def test_a_deleted_link_stops_on_every_server_and_every_redirect_counts(stack: Stack) -> None:
    kept, gone = made(stack), made(stack)
    with following_on_all(stack, kept["code"]) as others, following_on_all(stack, gone["code"]) as followers:
        delete(stack, gone)
        deleted = time.time()
        eventually(lambda: all(each.found[-1][1] == 404 for each in followers), "the deleted link is unknown")
        time.sleep(DELETION_BOUND)
    assert max(each.redirects[-1] for each in followers) < deleted + DELETION_BOUND
    assert {status for each in others for _, status in each.found} == {302}
    redirects = sum(len(each.redirects) for each in others)
    eventually(lambda: clicks(stack, kept["code"]) == redirects, "all redirects are counted")


def test_a_link_stops_at_its_instant(stack: Stack) -> None:
    ends = time.time() + 5
    link = made(stack, expiry=datetime.fromtimestamp(ends, UTC).isoformat())
    with following_on_all(stack, link["code"]) as followers:
        eventually(lambda: all(each.found[-1][1] == 410 for each in followers), "the link has ended")
        eventually(partial(asked_since, ends + 0.1, followers), "they ask on")
    for follower in followers:
        assert follower.redirects[-1] < ends
        assert [status for asked, status in follower.found if asked >= ends + 0.01][:1] == [410]


def test_a_swap_turns_it_off_and_a_server_that_hears_nothing_too(stack: Stack) -> None:
    link = made(stack)
    one, other = stack.servers[:2]
    with following_on_all(stack, link["code"]) as followers:
        stack.swap(SLOT, "plain", on=one)
        before = fast_of(stack, one)
        eventually(lambda: "plain" in stack.status().roles[one]["fast_path"], "status says why it is off")
        assert f"fast path of {one} off: {SLOT} holds plain" in stack.status().text()
        stack.hang(f"{other}->cache")
        eventually(lambda: "no word" in stack.status().roles[other]["fast_path"], "no proof: off")
        still = fast_of(stack, other)
        time.sleep(0.5)
        assert fast_of(stack, one) == before
        assert fast_of(stack, other) == still
        assert {status for each in followers for _, status in each.found} == {302}


def test_what_is_deleted_while_a_server_is_cut_off_or_stopped_stops_there_too(stack: Stack) -> None:
    """It cannot hear of it; so it must not answer from what it holds."""
    one, other = stack.servers[:2]
    for harm, heal, target in ((stack.pause, stack.revive, one), (stack.hang, stack.mend, f"{one}->cache")):
        link = made(stack)
        with following_on_all(stack, link["code"]) as followers:
            harm(target)
            delete_over(stack, other, link)
            deleted = time.time()
            time.sleep(DELETION_BOUND)
            heal(target)
            eventually(partial(asked_since, time.time(), followers), "both answer again")
        late = [asked for each in followers for asked in each.redirects if asked > deleted + DELETION_BOUND]
        assert late == []
        assert [what for each in followers for what in each.failed] == []


def delete_over(stack: Stack, server: str, link: dict[str, str]) -> None:
    bearer = {"Authorization": f"Bearer {link['delete_token']}"}
    url = f"{stack.server_url(server)}/api/v1/links/{link['code']}"
    assert httpx.delete(url, headers=bearer).status_code == 204


def fast_of(stack: Stack, server: str) -> float:
    return stack.metrics(server).value("redirect_seconds_count", how="fast")
