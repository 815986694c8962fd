"""The redirect over HTTP: what everything else is there for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from fastapi import APIRouter, Request, Response

from reference.platform.callers import Callers
from reference.platform.http_errors import described
from reference.platform.problems import Problem
from reference.platform.request_context import request_id_of
from reference.platform.settings import LiveSettings
from reference.shortener.aliases import could_be_code
from reference.shortener.components import DELETION_BOUND
from reference.shortener.links_api import unknown
from reference.shortener.privacy import visitor
from reference.shortener.service import Shortener

T = TypeVar("T")

CLIENT_GONE = 499
"""Nobody reads this status: it stands in the metrics and the log."""


def cache_control(max_age: float, remaining: float | None) -> str:
    """What browsers and the edge may do with a redirect.

    `max_age`: as set, in seconds. `remaining`: of the link's life; None if it is not known. Kept for no longer than
    either, nor than DELETION_BOUND: a deleted link may redirect that much longer for who has followed it before.
    """
    seconds = 0 if remaining is None else int(max(0.0, min(max_age, DELETION_BOUND, remaining)))
    return f"public, max-age={seconds}" if seconds else "no-store"


def redirect_routes(service: Shortener, callers: Callers, live: Callable[[], LiveSettings]) -> APIRouter:
    routes = APIRouter(tags=["redirects"])
    found = {"description": "Where the link leads.", "headers": {"Location": {"schema": {"type": "string"}}}}

    @routes.api_route(
        "/{code}",
        methods=["GET", "HEAD"],
        status_code=302,
        response_class=Response,  # which has no body, and so no media type
        responses={302: found, 301: found, **described(404, 410, 422, 500, 503)},
    )
    async def follow(code: str, request: Request) -> Response:
        """Follows a link. A GET counts as a click, a HEAD does not."""
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
            note_click(code, request)
        settings = live()
        remaining = None if answer.expires_at is None else answer.expires_at - service.now()
        keep = cache_control(settings.redirect_max_age, remaining)
        response = Response(status_code=settings.redirect_status, headers={"Cache-Control": keep})
        # The very bytes of the URL: `headers` would refuse what is not Latin-1.
        response.raw_headers.append((b"location", answer.long_url.encode()))
        return response

    def note_click(code: str, request: Request) -> None:
        referer, agent = request.headers.get("referer", ""), request.headers.get("user-agent", "")
        service.clicked(code, request_id_of(request.scope), visitor(referer, agent, callers.address(request)))

    return routes


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
