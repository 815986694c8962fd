"""Over HTTP, of a process that serves nobody else: that it lives, and its metrics."""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send

from reference.platform.metrics import Metrics


def metrics_page(metrics: Metrics) -> ASGIApp:
    """`GET /healthz` and `GET /metrics`."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        status, text, media_type = 404, b"There is nothing here but /healthz and /metrics.\n", "text/plain"
        if scope["path"] == "/healthz":
            status, text = 200, b"ok\n"
        elif scope["path"] == "/metrics":
            status, text, media_type = 200, metrics.text(), metrics.content_type
        headers = [(b"content-type", media_type.encode()), (b"content-length", str(len(text)).encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else text})

    return app
