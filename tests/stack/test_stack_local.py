"""The local profile: real services, which are started again on their data and ports when they are killed."""

import http.client
import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from workbench.stack import Stack

from tests.stack.clients import skip_unless_available

pytestmark = pytest.mark.local


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    skip_unless_available("local")
    with Stack(profile="local", servers=2) as stack:
        yield stack


def ask(stack: Stack, method: str, path: str, body: str | None = None) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(stack.url.removeprefix("http://"), timeout=15)
    try:
        connection.request(method, path, body, {"Content-Type": "application/json"} if body else {})
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def shorten(stack: Stack) -> str:
    status, body = ask(stack, "POST", "/api/v1/shorten", '{"long_url": "https://example.org/"}')
    assert status == 201, body
    return str(json.loads(body)["code"])


def wait_for_clicks(stack: Stack, code: str, wanted: int) -> None:
    deadline = time.monotonic() + 20
    while True:
        status, body = ask(stack, "GET", f"/api/v1/stats/{code}")
        if status == 200 and json.loads(body)["clicks"] == wanted:
            return
        assert time.monotonic() < deadline, body
        time.sleep(0.05)


@pytest.mark.parametrize("service", ["store", "shard-1", "log", "pool", "cache"])
def test_kill_9_of_a_service_loses_nothing(stack: Stack, service: str) -> None:
    code = shorten(stack)
    assert ask(stack, "GET", f"/{code}")[0] == 302
    wait_for_clicks(stack, code, 1)
    role = stack.status().roles[service]
    os.kill(role["pid"], signal.SIGKILL)
    deadline = time.monotonic() + 20
    while stack.status().roles[service]["restarts"] == role["restarts"]:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert stack.incidents()[-1].role == service
    while ask(stack, "GET", f"/{code}")[0] != 302:  # connections may have to be made anew
        assert time.monotonic() < deadline
    wait_for_clicks(stack, code, 2)


def test_services_can_be_killed_paused_and_revived(stack: Stack) -> None:
    code = shorten(stack)
    assert ask(stack, "GET", f"/{code}")[0] == 302
    stack.kill("shard-2")
    assert ask(stack, "GET", f"/{code}")[0] == 302  # the cache has it
    unheard = {ask(stack, "GET", f"/unheard{n}")[0] for n in range(30)}
    assert unheard == {404, 503}, "a third of the codes cannot be looked up; the others can"
    stack.revive("shard-2")
    stack.kill("store")
    assert ask(stack, "GET", f"/{code}")[0] == 302
    shorten(stack)  # while nothing moves, nobody asks for the routing
    stack.revive("store")
    stack.pause("cache")
    assert ask(stack, "GET", f"/{code}")[0] == 302
    stack.revive("cache")
    wait_for_clicks(stack, code, 4)


def test_nothing_is_left(stack: Stack) -> None:
    with Stack(profile="local", servers=1) as other:
        assert other._state is not None
        data = Path(other._state.data)
        pids = [role["pid"] for role in other.status().roles.values()]
        assert data.is_dir()
    assert not data.exists()
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
