"""The list of blocked hosts over HTTP, for administrators."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import APIRouter, Depends, Path, Response

from reference.platform.callers import BEARER, Callers
from reference.platform.http_errors import described, invalid, reply
from reference.platform.problems import Problem
from reference.shortener.answers import BlockedEntry, BlockedList, blocked
from reference.shortener.blocklist import BlockedHost, BlockedHosts, Blocklist
from reference.shortener.messages import BlockRequest
from reference.shortener.targets import canonical_host

HOST = Path(
    max_length=253, description="A name or an address in any spelling; its subdomains are meant, too."
)


def blocklist_routes(
    hosts: BlockedHosts, blocklist: Blocklist, callers: Callers, now: Callable[[], float]
) -> APIRouter:
    only_administrators = [Depends(BEARER), Depends(callers.administrator)]
    routes = APIRouter(prefix="/api/v1/blocklist", tags=["blocklist"], dependencies=only_administrators)

    @routes.get("", responses={200: {"model": BlockedList}, **described(401, 403, 503)})
    async def all_blocked() -> Response:
        return reply(200, {"hosts": [blocked(entry) for entry in await hosts.all()]})

    @routes.put(
        "/{host}", responses={200: {"model": BlockedEntry}, **described(400, 401, 403, 413, 415, 422, 503)}
    )
    async def block(body: BlockRequest, host: str = HOST) -> Response:
        """No links are made to this host any more, on other servers from five seconds later on. Links that there
        are go on: delete them."""
        entry = BlockedHost(spelled(host), body.reason, now())
        await hosts.block(entry)
        blocklist.stale()
        return reply(200, blocked(entry))

    @routes.delete("/{host}", status_code=204, responses=described(401, 403, 404, 422, 503))
    async def unblock(host: str = HOST) -> Response:
        if not await hosts.unblock(spelled(host)):
            raise Problem(404, "unknown", "This host is not blocked.")
        blocklist.stale()
        return Response(status_code=204)

    return routes


def spelled(host: str) -> str:
    try:
        return canonical_host(host)
    except ValueError as error:
        raise invalid("host", str(error)) from None
