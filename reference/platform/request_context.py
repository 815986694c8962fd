"""What every HTTP answer of every case has: a request id, the name of the server, a count, a line in the log."""

from __future__ import annotations

import random
import time
import uuid
from collections.abc import Callable

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from reference.platform.hosts import Hosts
from reference.platform.logs import JsonLog
from reference.platform.metrics import Metrics
from reference.platform.problems import MEDIA_TYPE, Problem
from reference.platform.trace_context import brought, trace_id_in, trace_id_of
from reference.platform.tracing import Record, Traces, asks, recorded

BODY_LIMIT = 65_536
"""Bytes of a request's body."""


def request_id_of(scope: Scope) -> str:
    """The id of the request that `scope` belongs to, once RequestContext has seen it."""
    request_id: str = scope["state"]["request_id"]
    return request_id


class RequestContext:
    """ASGI middleware, the outermost. `sample`: the share of successful requests to log, asked for each time.
    `hosts`: which this server may be asked for; None: whichever. `traces`: records the requests that ask for it."""

    def __init__(
        self,
        app: ASGIApp,
        role: str,
        metrics: Metrics,
        log: JsonLog,
        sample: Callable[[], float],
        hosts: Hosts | None = None,
        traces: Traces | None = None,
    ) -> None:
        self.app = app
        self.role = role
        self.metrics = metrics
        self.log = log
        self.sample = sample
        self.hosts = hosts
        self.traces = traces

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise ValueError(f"this server does not speak {scope['type']}")
        headers = dict(scope["headers"])
        request_id = brought(headers.get(b"x-request-id"), headers.get(b"traceparent")) or uuid.uuid4().hex
        scope.setdefault("state", {})["request_id"] = request_id
        if self.traces is None or not asks(request_id) or not near(self.traces, scope):
            await self.handle(scope, receive, send, request_id)
            return
        recording = self.traces.begin(request_id)
        with recorded(recording, "handle", method=scope["method"], path=scope["path"]) as span:
            await self.handle(scope, receive, send, request_id, span)

    async def handle(
        self, scope: Scope, receive: Receive, send: Send, request_id: str, span: Record | None = None
    ) -> None:
        status = 0

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [
                    *message["headers"],
                    (b"x-request-id", request_id.encode()),
                    (b"server-role", self.role.encode()),
                ]
            await send(message)

        began = time.perf_counter()
        try:
            if (problem := self.wrong_host(scope)) is not None:
                return await refuse(problem, scope, request_id, send_with_headers)
            await self.app(scope, limited(receive), send_with_headers)
        finally:
            self.note(scope, request_id, status or 500, time.perf_counter() - began, span is not None)
            if span is not None:
                span["status"] = status or 500

    def wrong_host(self, scope: Scope) -> Problem | None:
        if self.hosts is None:
            return None
        values = [value for name, value in scope["headers"] if name == b"host"]
        return self.hosts.problem(values, scope["http_version"])

    def note(self, scope: Scope, request_id: str, status: int, seconds: float, traced: bool) -> None:
        route = getattr(scope.get("route"), "path", "none")
        self.metrics.http_requests.labels(route, str(status)).inc()
        self.metrics.http_seconds.labels(route).observe(seconds)
        failed = status >= 500
        sample = self.sample() if route != "/healthz" else 0.0
        if failed or traced or (sample and random.random() < sample):
            why = scope["state"].get("why")
            parent = dict(scope["headers"]).get(b"traceparent")
            trace = trace_id_in(parent) or trace_id_of(request_id)
            self.log.write(
                "error" if failed else "info",
                "request",
                request_id=request_id,
                **({"trace_id": trace} if trace else {}),
                method=scope["method"],
                route=route,
                status=status,
                milliseconds=round(1000 * seconds, 2),
                **({"why": why} if why else {}),
            )


def near(traces: Traces, scope: Scope) -> bool:
    """Whether a request comes from where it may be traced, by way of whatever proxies."""
    forwarded = [value.decode("latin-1") for name, value in scope["headers"] if name == b"x-forwarded-for"]
    return traces.near.holds((scope["client"] or ("",))[0], ",".join(forwarded))


async def refuse(problem: Problem, scope: Scope, request_id: str, send: Send) -> None:
    """Answers with `problem`, before any application is asked."""
    body = problem.body(scope["path"], request_id)
    headers = [
        (b"cache-control", b"no-store"),
        (b"content-length", str(len(body)).encode()),
        (b"content-type", MEDIA_TYPE.encode()),
    ]
    await send({"type": "http.response.start", "status": problem.status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})


def limited(receive: Receive) -> Receive:
    """`receive`, which raises HTTPException 413 once more than BODY_LIMIT bytes have come."""
    received = 0

    async def receive_limited() -> Message:
        nonlocal received
        message = await receive()
        received += len(message.get("body", b""))
        if received > BODY_LIMIT:
            raise HTTPException(413, f"A request's body has {BODY_LIMIT} bytes at most.")
        return message

    return receive_limited
