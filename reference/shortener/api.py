"""The URL shortener over HTTP: all its routes, put together. Every error is `application/problem+json`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from fastapi import APIRouter, FastAPI, Request, Response

from reference.platform.callers import Callers
from reference.platform.docs import docs_routes
from reference.platform.http_errors import add_error_handlers, reply, respond
from reference.platform.metrics import Metrics
from reference.platform.problems import Problem
from reference.platform.settings import LiveSettings
from reference.shortener.accounts import SqlAccounts
from reference.shortener.accounts_api import account_routes
from reference.shortener.blocklist import BlockedHosts, Blocklist
from reference.shortener.blocklist_api import blocklist_routes
from reference.shortener.links_api import link_routes
from reference.shortener.orders import AliasTaken, KeyReused
from reference.shortener.page_api import page_routes
from reference.shortener.personal_data import PersonalData
from reference.shortener.redirects_api import redirect_routes
from reference.shortener.service import NotInvalidated, Shortener

Readiness = Callable[[], Awaitable[dict[str, str]]]
"""The state of each service that the server needs: "ok", or why not."""

DESCRIPTION = """\
Short links: make them, follow them, see how they do. A token is optional for making a link; with one, the link is
yours. Every error is a problem as in RFC 9457; a status of 503 says that the same request may be sent again.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What the routes call. `public_url`: what stands before a code in a short URL. `secret`: of the stack.
    `code_length`: of made codes."""

    service: Shortener
    callers: Callers
    accounts: SqlAccounts
    personal_data: PersonalData
    blocked_hosts: BlockedHosts
    blocklist: Blocklist
    metrics: Metrics
    readiness: Readiness
    live: Callable[[], LiveSettings]
    public_url: str
    secret: str
    code_length: int


def create_app(parts: Parts) -> FastAPI:
    app = FastAPI(
        title="URL shortener", description=DESCRIPTION, docs_url=None, redoc_url=None, openapi_url=None
    )
    app.router.redirect_slashes = False
    service, callers, public_url = parts.service, parts.callers, parts.public_url
    for routes in (
        operation_routes(parts.metrics, parts.readiness),
        page_routes(),
        docs_routes(app),
        link_routes(
            service,
            callers,
            parts.blocklist,
            public_url=public_url,
            secret=parts.secret,
            code_length=parts.code_length,
        ),
        account_routes(parts.accounts, parts.personal_data, service, callers, public_url=public_url),
        blocklist_routes(parts.blocked_hosts, parts.blocklist, callers, service.now),
        redirect_routes(service, callers, parts.live),  # the last: it takes every path of one part
    ):
        app.include_router(routes)
    add_error_handlers(app)
    add_shortener_errors(app)
    return app


def operation_routes(metrics: Metrics, readiness: Readiness) -> APIRouter:
    routes = APIRouter(include_in_schema=False)

    @routes.get("/healthz")
    async def healthz() -> Response:
        """The process lives. Says nothing of the services that it needs."""
        return Response("ok\n", media_type="text/plain")

    @routes.get("/readyz")
    async def readyz() -> Response:
        """Whether requests can be served. Without cache or log they can, only slower or not counted."""
        states = await readiness()
        if states["links"] != "ok":
            raise Problem(503, "not-ready", "The links are away.", {"Retry-After": "1"}, {"services": states})
        return reply(200, {"ready": True, "services": states})

    @routes.get("/metrics")
    async def prometheus() -> Response:
        return Response(metrics.text(), media_type=metrics.content_type)

    return routes


def add_shortener_errors(app: FastAPI) -> None:
    """Makes a problem of every exception that the use cases may raise."""

    @app.exception_handler(AliasTaken)
    async def alias_taken(request: Request, error: Exception) -> Response:
        detail = f"The alias is taken, or looks like one that is: {error}"
        return respond(request, Problem(409, "alias-taken", detail))

    @app.exception_handler(KeyReused)
    async def key_reused(request: Request, error: Exception) -> Response:
        detail = "This Idempotency-Key was sent with another link before. Take a new one for each link."
        return respond(request, Problem(422, "key-reused", detail))

    @app.exception_handler(NotInvalidated)
    async def not_invalidated(request: Request, error: Exception) -> Response:
        detail = "The link is deleted, but servers may still redirect. Repeat the deletion."
        return respond(request, Problem(503, "not-invalidated", detail, {"Retry-After": "1"}))
