"""`await trace(stack, "GET", f"/{code}")`: sends a request, and tells its whole way."""

from __future__ import annotations

import asyncio
import http.client
import json as json_module
import secrets
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any
from weakref import WeakKeyDictionary

from reference.platform.tracing import PREFIX, asks, clock
from workbench.stack import Stack, Status
from workbench.tracing.assemble import Asked, Record, assemble
from workbench.tracing.spans import Trace

TIMEOUT = 10.0
POLL = 0.03
NO_CODE = "/~"
"""Cannot be a code, so that neither cache nor store is asked."""
_warm: WeakKeyDictionary[Stack, set[int]] = WeakKeyDictionary()
"""The processes of servers that have answered something."""


async def trace(
    stack: Stack,
    method: str = "GET",
    path: str = "/",
    *,
    json: Any = None,
    headers: Mapping[str, str] | None = None,
    server: str | None = None,
    wait: float = 2.0,
) -> Trace:
    """Sends one request, and returns what happened to it, from what every process on its way recorded.

        miss = await trace(stack, "GET", f"/{code}")
        made = await trace(stack, "POST", "/api/v1/shorten", json={"long_url": "https://example.com/"})

    `path`: begins with a slash. `json`: a body. `server`: such as "app-2", which is then asked directly, past the
    balancer. `wait`: seconds to wait for the click of a redirect to be counted, which is a step of the trace too.
    Redirects are not followed. The connection is made before the time begins to run.

    A link that was followed a moment ago may be answered from a server's own memory (the fast path). The trace says so;
    to see the way to the cache each time: `stack.set("fast_path", False)`. The very first request to a server is slow
    by itself, for then it puts its routes together; so before the first trace each server is asked once for something
    that cannot be a code.

    OSError: nobody answers. ValueError: no such server, a path without a slash.
    """
    if not path.startswith("/"):
        raise ValueError(f"path = {path!r}: it begins with a slash")
    request_id = f"{PREFIX}{secrets.token_hex(16)}"
    known = await asyncio.to_thread(stack.status)
    await asyncio.to_thread(_warm_up, stack, known)
    url = known.url if server is None else await asyncio.to_thread(stack.server_url, server)
    front = next((name for name, role in known.roles.items() if role["url"] == known.url), "balancer")
    context = f"00-{request_id.removeprefix(PREFIX)}-{secrets.token_hex(8)}-01"
    more = {**(headers or {}), "X-Request-Id": request_id, "traceparent": context}
    asked = await asyncio.to_thread(_send, url, server or front, method.upper(), path, json, more)
    found = await _recorded(stack, request_id, asked, wait)
    return _of(stack, request_id, found, known, asked)


def trace_of(stack: Stack, request_id: str) -> Trace:
    """What is recorded now of a request that went out earlier, with `X-Request-Id: trace-...`, an id that is used once.

        httpx.get(stack.url + "/abc1234", headers={"X-Request-Id": "trace-mine-1"})
        trace_of(stack, "trace-mine-1")

    Each process remembers the last 200 such requests. LookupError: none remembers this one, and why that may be.
    """
    found = stack.spans(request_id) if asks(request_id) else {}
    if not found:
        raise LookupError(_why_not(request_id))
    return _of(stack, request_id, found, stack.status(), None)


def _of(
    stack: Stack, request_id: str, found: Mapping[str, Sequence[Record]], known: Status, asked: Asked | None
) -> Trace:
    servers = [name for name, role in known.roles.items() if role["kind"] == "app"]
    shards = [name for name, kind in known.data["topology"]["roles"] if kind == "shard"]
    offset = time.time() - clock()
    return assemble(
        request_id, found, asked, servers=servers, shards=shards, profile=stack.profile, offset=offset
    )


def _warm_up(stack: Stack, known: Status) -> None:
    warm = _warm.setdefault(stack, set())
    for role in known.roles.values():
        if role["kind"] == "app" and role["state"] == "up" and role["pid"] not in warm:
            with suppress(OSError):
                _send(role["url"], "", "GET", NO_CODE, None, {})
                warm.add(role["pid"])


def _why_not(request_id: str) -> str:
    if not asks(request_id):
        return (
            f"{request_id!r} was not recorded: only a request with an id that begins with {PREFIX!r} is, "
            f"such as headers={{'X-Request-Id': '{PREFIX}mine-1'}}; or send it with `await trace(...)`"
        )
    return (
        f"no process that runs has recorded {request_id!r}: it did not reach the stack, came from another machine, "
        "or is too long ago (each process remembers the last 200)"
    )


def _send(url: str, to: str, method: str, path: str, body: Any, headers: Mapping[str, str]) -> Asked:
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=TIMEOUT)
    try:
        connection.connect()
        data = None if body is None else json_module.dumps(body).encode()
        kind = {} if body is None else {"Content-Type": "application/json"}
        began = clock()
        connection.request(method, path, data, {**kind, **headers})
        answer = connection.getresponse()
        content = answer.read()
        return Asked(method, path, to, began, clock() - began, answer.status, content)
    except http.client.InvalidURL as error:
        raise ValueError(f"path = {path!r}: {error}") from error
    except http.client.HTTPException as error:
        raise OSError(f"{url} does not answer: {error!r}") from error
    finally:
        connection.close()


async def _recorded(
    stack: Stack, request_id: str, asked: Asked, wait: float
) -> dict[str, list[dict[str, Any]]]:
    """What is recorded, once all of it is there: all steps are over, and the click of a redirect is counted."""
    clicked = asked.method == "GET" and asked.status in (301, 302)
    deadline = clock() + wait
    while True:
        found = await asyncio.to_thread(stack.spans, request_id)
        if _is_whole(found, clicked) or clock() > deadline:
            return found
        await asyncio.sleep(POLL)


def _is_whole(found: Mapping[str, Sequence[Record]], clicked: bool) -> bool:
    records = [r for each in found.values() for r in each]
    if any(r["seconds"] is None for r in records):
        return False
    offered = [r for r in records if r["name"] == "click"]
    will_count = any(r["taken"] for r in offered)
    return bool(records) and (not (clicked and will_count) or any(r["name"] == "count" for r in records))
