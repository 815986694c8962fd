"""Links over HTTP: make one, see how it does, delete it."""

from __future__ import annotations

from fastapi import APIRouter, Depends, Header, Request, Response

from reference.platform.callers import BEARER, Caller, Callers, bearer
from reference.platform.http_errors import described, invalid, reply
from reference.platform.identity import derived, looks_like_token
from reference.platform.problems import Problem
from reference.shortener.aliases import check_alias, could_be_code
from reference.shortener.answers import CreatedLink, LinkStatistics, created, entry
from reference.shortener.blocklist import Blocklist
from reference.shortener.idempotency import Key, fingerprint
from reference.shortener.messages import ShortenRequest
from reference.shortener.orders import Order
from reference.shortener.service import Shortener
from reference.shortener.targets import Ourselves, address_of

KEY_PATTERN = "^[!-~]{1,255}$"


def unknown() -> Problem:
    return Problem(404, "unknown", "There is no such short link.")


def link_routes(
    service: Shortener,
    callers: Callers,
    blocklist: Blocklist,
    *,
    public_url: str,
    secret: str,
    code_length: int,
) -> APIRouter:
    routes = APIRouter(tags=["links"])
    limited = Depends(callers.limited)
    ourselves = Ourselves(public_url)

    @routes.post(
        "/api/v1/shorten",
        status_code=201,
        openapi_extra={"security": [{}, {BEARER.scheme_name: []}]},
        responses={201: {"model": CreatedLink}, **described(400, 401, 409, 413, 415, 422, 429, 500, 503)},
    )
    async def shorten(
        body: ShortenRequest,
        caller: Caller = limited,
        idempotency_key: str | None = Header(
            default=None,
            alias="Idempotency-Key",
            pattern=KEY_PATTERN,
            description="Any text that you send with this link and no other: sent again within a day, it is the same "
            "link. A random one, so that nobody else thinks of it.",
        ),
    ) -> Response:
        """Makes a link. A URL that was shortened before gets another one, unless it is sent with the same
        `Idempotency-Key`."""
        order = await checked(body, caller, idempotency_key)
        return reply(201, created(await service.shorten(order), public_url), caller.headers)

    async def checked(body: ShortenRequest, caller: Caller, key: str | None) -> Order:
        """Raises Problem, PortError."""
        try:
            expires_at = body.expires_at(service.now())
        except ValueError as error:
            raise invalid("expiry", str(error)) from None
        if body.custom_alias is not None:
            try:
                check_alias(body.custom_alias, code_length)
            except ValueError as error:
                raise invalid("custom_alias", str(error)) from None
        address = address_of(body.long_url)
        if ourselves.include(address):
            raise invalid("long_url", "leads back to this service")
        if await blocklist.blocks(address.host):
            raise Problem(422, "blocked", "No short links are made to this host.")
        owner = caller.principal.id if caller.principal else ""
        # Scoped by the whole address, of which only a keyed hash is kept, for a day.
        scope = owner or derived(secret, f"idempotency-scope:{caller.address}")
        given = Key(scope, key, fingerprint(body.model_dump())) if key is not None else None
        return Order(body.long_url, expires_at, body.custom_alias, owner, given)

    @routes.get(
        "/api/v1/stats/{code}", responses={200: {"model": LinkStatistics}, **described(404, 422, 500, 503)}
    )
    async def stats(code: str) -> Response:
        """What is known of a link. Whoever has the code may ask, as they may follow it."""
        found = await service.record(code) if could_be_code(code) else None
        if found is None:
            raise unknown()
        windows = await service.clicks_on(code)
        return reply(200, {**entry(found, public_url), "clicks": windows.pop("total"), "windows": windows})

    @routes.delete(
        "/api/v1/links/{code}",
        status_code=204,
        dependencies=[Depends(BEARER)],
        responses=described(401, 403, 404, 422, 500, 503),
    )
    async def delete(code: str, request: Request) -> Response:
        """Ends a link for good, and its code with it. The token is the link's `delete_token`, or an API token of its
        owner or of an administrator. May be repeated."""
        token = bearer(request)
        personal = looks_like_token(token) or callers.authenticator.is_administrator(token)
        by = await callers.somebody(request) if personal else None
        if not could_be_code(code):
            raise unknown()
        match await service.delete(code, token=None if by else token, by=by):
            case "forbidden":
                raise Problem(403, "wrong-token", "This token does not allow the deletion of this link.")
            case "unknown":
                raise unknown()
        return Response(status_code=204)

    return routes
