"""Accounts over HTTP: who am I, my tokens, my links, everything that is kept of me, and the end of it."""

from __future__ import annotations

from fastapi import APIRouter, Depends, Path, Query, Response

from reference.platform.callers import BEARER, Callers, unauthorised
from reference.platform.http_errors import described, reply
from reference.platform.identity import ADMINISTRATOR, Principal
from reference.platform.problems import Problem
from reference.shortener import answers
from reference.shortener.accounts import TOKENS_LIMIT, SqlAccounts, TooManyTokens
from reference.shortener.messages import NewPrincipal, NewTokenRequest
from reference.shortener.personal_data import PersonalData
from reference.shortener.service import Shortener

NO_STORE = {"Cache-Control": "no-store"}


def account_routes(
    accounts: SqlAccounts,
    personal_data: PersonalData,
    service: Shortener,
    callers: Callers,
    *,
    public_url: str,
) -> APIRouter:
    routes = APIRouter(tags=["accounts"], dependencies=[Depends(BEARER)])
    somebody, administrator = Depends(callers.somebody), Depends(callers.administrator)

    @routes.post(
        "/api/v1/principals",
        status_code=201,
        responses={
            201: {"model": answers.CreatedPrincipal},
            **described(400, 401, 403, 413, 415, 422, 503),
        },
    )
    async def open_account(body: NewPrincipal, by: Principal = administrator) -> Response:
        """Opens an account, for administrators. The answer has its first token."""
        account, token = await accounts.open(body.name, body.role, service.now())
        return reply(201, answers.account(account) | {"token": token.text}, NO_STORE)

    @routes.get("/api/v1/me", responses={200: {"model": answers.Me}, **described(401, 503)})
    async def me(by: Principal = somebody) -> Response:
        if by.id == ADMINISTRATOR:  # the first one, who is nobody in particular
            return reply(200, {"id": by.id, "name": by.id, "role": "admin", "created_at": None}, NO_STORE)
        account = await accounts.account(by.id)
        if account is None:
            raise gone()
        return reply(200, answers.account(account), NO_STORE)

    @routes.get("/api/v1/me/links", responses={200: {"model": answers.LinkPage}, **described(401, 422, 503)})
    async def my_links(
        by: Principal = somebody,
        after: str = Query(default="", max_length=32, pattern="^[0-9A-Za-z_-]*$"),
        limit: int = Query(default=50, ge=1, le=200),
    ) -> Response:
        """My links in the order of their codes, a page at a time."""
        links = await service.links_of(by.id, after, limit)
        following = links[-1].code if len(links) == limit else None
        page = [answers.entry(link, public_url) for link in links]
        return reply(200, {"links": page, "next": following}, NO_STORE)

    @routes.get("/api/v1/me/tokens", responses={200: {"model": answers.TokenList}, **described(401, 503)})
    async def my_tokens(by: Principal = somebody) -> Response:
        """My tokens, without their secrets."""
        entries = [
            {"id": token.id, "label": token.label, "created_at": answers.instant(token.created_at)}
            for token in await accounts.tokens(by.id)
        ]
        return reply(200, {"tokens": entries}, NO_STORE)

    @routes.post(
        "/api/v1/me/tokens",
        status_code=201,
        responses={201: {"model": answers.CreatedToken}, **described(400, 401, 409, 413, 415, 422, 503)},
    )
    async def add_token(body: NewTokenRequest, by: Principal = somebody) -> Response:
        """Another token for me."""
        if by.id == ADMINISTRATOR:
            raise Problem(409, "no-account", "The first administrator has one token, and no account.")
        if await accounts.account(by.id) is None:
            raise gone()
        try:
            token = await accounts.add_token(by.id, body.label, service.now())
        except TooManyTokens:
            raise Problem(
                409, "too-many-tokens", f"{TOKENS_LIMIT} tokens are enough: remove one first."
            ) from None
        return reply(201, {"id": token.id, "token": token.text}, NO_STORE)

    @routes.delete("/api/v1/me/tokens/{token_id}", status_code=204, responses=described(401, 404, 422, 503))
    async def remove_token(
        token_id: str = Path(pattern="^[0-9a-f]{16}$"), by: Principal = somebody
    ) -> Response:
        """Revokes one of my tokens, perhaps this one. Other servers may believe in it for five more seconds."""
        if not await accounts.remove_token(by.id, token_id):
            raise Problem(404, "unknown", "You have no such token.")
        callers.authenticator.forget(token_id)
        return Response(status_code=204)

    @routes.get("/api/v1/me/data", responses={200: {"description": "A JSON object."}, **described(401, 503)})
    async def export(by: Principal = somebody) -> Response:
        """Everything that is kept under my account, links and their statistics included."""
        return reply(200, await personal_data.export(by), NO_STORE)

    @routes.delete(
        "/api/v1/me",
        status_code=204,
        responses={
            202: {"description": "Much of it is gone. Send the same again for the rest."},
            **described(401, 500, 503),
        },
    )
    async def erase(by: Principal = somebody) -> Response:
        """Deletes my links, the clicks on them, my tokens and my account. May be repeated, also after an error."""
        finished = await personal_data.erase(by)
        if finished:
            callers.authenticator.forget_all_of(by.id)
        return Response(status_code=204) if finished else reply(202, {"finished": False}, NO_STORE)

    return routes


def gone() -> Problem:
    """The account was erased a moment ago, on another server."""
    return unauthorised("bad-token", "This token is nobody's any more.")
