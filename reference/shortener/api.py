"""The URL shortener over HTTP. Every error is `application/problem+json`; see `reference.platform.problems`."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from reference.platform.errors import PortError
from reference.platform.metrics import Metrics
from reference.platform.problems import MEDIA_TYPE, Problem
from reference.platform.request_context import request_id_of
from reference.platform.slots import ComponentError
from reference.shortener.codes import could_be_code
from reference.shortener.messages import ShortenRequest, created, statistics
from reference.shortener.service import NotInvalidated, Shortener

T = TypeVar("T")

Readiness = Callable[[], Awaitable[dict[str, str]]]
"""The state of each service that the server needs: "ok", or why not."""

CLIENT_GONE = 499
"""Nobody reads this status: it stands in the metrics and the log."""


def create_app(service: Shortener, *, public_url: str, metrics: Metrics, readiness: Readiness) -> FastAPI:
    """The application. `public_url`: what stands before a code in a short URL."""
    app = FastAPI(title="URL shortener", docs_url=None, redoc_url=None, openapi_url=None)
    app.router.redirect_slashes = False

    @app.get("/healthz")
    async def healthz() -> Response:
        """The process lives. Says nothing of the services that it needs."""
        return Response("ok\n", media_type="text/plain")

    @app.get("/readyz")
    async def readyz() -> Response:
        """Whether requests can be served. Without cache or log they can, only slower or not counted."""
        states = await readiness()
        if states["links"] != "ok":
            raise Problem(503, "not-ready", "No shard of the links answers.", {"Retry-After": "1"}, {"services": states})
        return reply(200, {"ready": True, "services": states})

    @app.get("/metrics")
    async def prometheus() -> Response:
        return Response(metrics.text(), media_type=metrics.content_type)

    @app.post("/api/v1/shorten")
    async def shorten(body: ShortenRequest) -> Response:
        now = service.now()
        expires_at = body.expires_at(now)
        if expires_at <= now:
            raise invalid([{"field": "expiry", "message": "must lie in the future"}])
        return reply(201, created(await service.shorten(body.long_url, expires_at), public_url))

    @app.get("/api/v1/stats/{code}")
    async def stats(code: str) -> Response:
        found = await service.stats(code) if could_be_code(code) else None
        if found is None:
            raise unknown()
        return reply(200, statistics(found, public_url))

    @app.delete("/api/v1/links/{code}")
    async def delete(code: str, request: Request) -> Response:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise Problem(
                401,
                "token-missing",
                "Send `Authorization: Bearer` with the link's delete_token.",
                {"WWW-Authenticate": "Bearer"},
            )
        match await service.delete(code, token.strip()) if could_be_code(code) else "unknown":
            case "forbidden":
                raise Problem(403, "wrong-token", "This token does not allow the deletion of this link.")
            case "unknown":
                raise unknown()
        return Response(status_code=204)

    @app.api_route("/{code}", methods=["GET", "HEAD"])
    async def follow(code: str, request: Request) -> Response:
        if not could_be_code(code):
            raise unknown()
        try:
            answer = await unless_abandoned(request, service.follow(code))
        except ClientGone:
            return Response(status_code=CLIENT_GONE)
        if answer.state == "unknown":
            raise unknown()
        if answer.state == "expired":
            raise Problem(410, "expired", "This short link has expired.")
        assert answer.long_url is not None
        if request.method == "GET":
            service.clicked(code, request_id_of(request.scope))
        response = Response(status_code=302, headers={"Cache-Control": "no-store"})
        # The very bytes of the URL: `headers` would refuse what is not Latin-1.
        response.raw_headers.append((b"location", answer.long_url.encode()))
        return response

    add_error_handlers(app)
    return app


def add_error_handlers(app: FastAPI) -> None:
    """Makes a problem of every exception that an endpoint may raise."""

    @app.exception_handler(Problem)
    async def problem(request: Request, error: Exception) -> Response:
        assert isinstance(error, Problem)
        return respond(request, error)

    @app.exception_handler(RequestValidationError)
    async def validation(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        errors = [
            {"field": ".".join(str(part) for part in each["loc"][1:]), "message": each["msg"]}
            for each in error.errors()
        ]
        return respond(request, invalid(errors))

    @app.exception_handler(HTTPException)
    async def http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        kind = {404: "unknown", 405: "wrong-method"}.get(error.status_code, "http")
        return respond(
            request, Problem(error.status_code, kind, str(error.detail), dict(error.headers or {}))
        )

    @app.exception_handler(PortError)
    async def port(request: Request, error: Exception) -> Response:
        detail = f"A service that this needs is away: {error}"
        return respond(request, Problem(503, "unavailable", detail, {"Retry-After": "1"}))

    @app.exception_handler(NotInvalidated)
    async def not_invalidated(request: Request, error: Exception) -> Response:
        detail = "The link is deleted, but servers may still redirect. Repeat the deletion."
        return respond(request, Problem(503, "not-invalidated", detail, {"Retry-After": "1"}))

    @app.exception_handler(ComponentError)
    async def component(request: Request, error: Exception) -> Response:
        assert isinstance(error, ComponentError)
        extra = {"component": error.slot, "error": error.error}
        return respond(request, Problem(500, "component", str(error), extra=extra))


def respond(request: Request, problem: Problem) -> Response:
    body = problem.body(request.url.path, request_id_of(request.scope))
    headers = {"Cache-Control": "no-store", **problem.headers}
    return Response(body, problem.status, headers, MEDIA_TYPE)


def reply(status: int, content: dict[str, Any]) -> Response:
    return Response(json.dumps(content).encode(), status, media_type="application/json")


def invalid(errors: list[dict[str, str]]) -> Problem:
    return Problem(422, "invalid", "The request does not say what it must.", extra={"errors": errors})


def unknown() -> Problem:
    return Problem(404, "unknown", "There is no such short link.")


class ClientGone(Exception):
    """The client hung up before it was answered."""


async def unless_abandoned(request: Request, work: Coroutine[Any, Any, T]) -> T:
    """The result of `work`, which is cancelled if the client hangs up meanwhile (ClientGone)."""

    async def hung_up() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass

    task, gone = asyncio.create_task(work), asyncio.create_task(hung_up())
    try:
        await asyncio.wait({task, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise ClientGone
        return task.result()
    finally:
        task.cancel()
        gone.cancel()
        await asyncio.gather(task, gone, return_exceptions=True)
