"""What the proxies, balancer and edge, note of a request that is traced: see `tracing`."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

from reference.platform.front_client import Client
from reference.platform.http1 import RequestHead
from reference.platform.trace_context import brought
from reference.platform.tracing import Record, Traces, asks, current, recorded


def traced(traces: Traces, client: Client, request: RequestHead) -> AbstractContextManager[Record]:
    """Around the answer to `request`: records it, if it asks for that and comes from near."""
    given = brought(request.get(b"x-request-id"), request.get(b"traceparent"))
    forwarded = (request.get(b"x-forwarded-for") or b"").decode("latin-1")
    if not asks(given) or not traces.near.holds(client.peer.decode(), forwarded):
        return nullcontext({})
    method, path = request.method.decode(), request.target.decode("latin-1")
    return recorded(traces.begin(given), "pass on", method=method, path=path)


def asking(backend: str) -> AbstractContextManager[Record]:
    """Around the asking of one server, if the request is traced."""
    if (recording := current()) is None:
        return nullcontext({})
    return recording.span("ask", backend)
