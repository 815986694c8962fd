"""What the tests of a running stack share: a component to spoil, and clients that follow links."""

import http.client
import json
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from workbench.stack import Incident, Stack

SLOT = "url-shortener/redirect-cache"

COMPONENT = """from reference.shortener.components import Answer


class RedirectCache:
    def __init__(self, *, cache, links, clock, random, ttl):
        self.links, self.clock, self.kept = links, clock, []

    async def resolve(self, code):
        {body}
        return Answer.of(await self.links.find(code), self.clock.now())

    async def invalidate(self, code):
        pass
"""
LINE = 9  # of {body}


def skip_unless_available(profile: str) -> None:
    if profile == "local":
        from reference.platform.local import available

        if (missing := available()) is not None:
            pytest.skip(missing)


def eventually(condition: Callable[[], object], what: str, seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds:.0f} s: {what}"
        time.sleep(0.03)


def ask(url: str, method: str, path: str, body: Any = None) -> tuple[int, http.client.HTTPMessage, bytes]:
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=15)
    try:
        headers = {"Content-Type": "application/json"} if body is not None else {}
        connection.request(method, path, json.dumps(body) if body is not None else None, headers)
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()
    finally:
        connection.close()


def shorten(stack: Stack, long_url: str = "https://example.org/a?b=1") -> str:
    status, _, body = ask(stack.url, "POST", "/api/v1/shorten", {"long_url": long_url})
    assert status == 201, body
    return str(json.loads(body)["code"])


def status_of(url: str, code: str) -> int:
    return ask(url, "GET", f"/{code}")[0]


def clicks(stack: Stack, code: str) -> int:
    return int(json.loads(ask(stack.url, "GET", f"/api/v1/stats/{code}")[2])["clicks"])


class Followers:
    """A few clients that follow one link through the balancer, again and again."""

    def __init__(self, stack: Stack, code: str) -> None:
        self.url, self.code = stack.url, code
        self.statuses: list[int] = []
        self.failures: list[str] = []
        self.ended = threading.Event()
        self.threads = [threading.Thread(target=self._run) for _ in range(3)]

    def _run(self) -> None:
        while not self.ended.wait(0.06):
            try:
                self.statuses.append(status_of(self.url, self.code))
            except (OSError, http.client.HTTPException) as error:
                self.failures.append(repr(error))


@contextmanager
def following(stack: Stack, code: str) -> Iterator[Followers]:
    followers = Followers(stack, code)
    for thread in followers.threads:
        thread.start()
    try:
        yield followers
    finally:
        followers.ended.set()
        for thread in followers.threads:
            thread.join()


def new_incident(stack: Stack, before: int) -> Incident:
    eventually(lambda: len(stack.incidents()) > before, "an incident")
    return stack.incidents()[before]


def mend_all(stack: Stack) -> None:
    """Everything is up, mended and on the reference again."""
    stack.mend()
    for role, found in stack.status().roles.items():
        if found["state"] in ("down", "paused"):
            stack.revive(role)
    eventually(lambda: {r["state"] for r in stack.status().roles.values()} == {"up"}, "all roles are up")
    stack.unswap(SLOT)


def errors_logged(stack: Stack, servers: Iterable[str]) -> str:
    """What these servers logged of their 500s, tracebacks too: for the message of an assertion that met one."""
    lines = [f"{name}: {line}" for name in servers for line in stack.logs(name, 5000).splitlines()]
    return "\n".join(line for line in lines if '"status": 500' in line or ": {" not in line)
