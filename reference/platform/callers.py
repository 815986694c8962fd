"""Who asks over HTTP, and whether they may: what endpoints depend on.

A token is optional where anybody may ask, but a wrong one is always 401: whoever sends a token means to be somebody,
and must not act as nobody unawares.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from fastapi import Request
from fastapi.security import HTTPBearer

from reference.platform.identity import Authenticator, BadToken, Principal
from reference.platform.peers import client_address
from reference.platform.problems import Problem
from reference.platform.rate_limit import RateLimit

BEARER = HTTPBearer(auto_error=False, description="An API token, `wb_...`, or the administrator's.")
"""For the description of the API alone: it would take a strange header for none."""


@dataclass(frozen=True, slots=True)
class Caller:
    """`principal`: None for somebody without an account. `headers`: for the answer, whatever it is."""

    principal: Principal | None
    address: str
    headers: dict[str, str] = field(default_factory=dict)


class Callers:
    """`proxies`: of ours, in front of this server. `allowed`: how often a minute one caller may do what is limited;
    0: no limit. `anonymised`: what may be kept of an address."""

    def __init__(
        self,
        authenticator: Authenticator,
        limit: RateLimit,
        *,
        allowed: Callable[[], float],
        anonymised: Callable[[str], str],
        proxies: int,
    ) -> None:
        self.authenticator = authenticator
        self._limit = limit
        self._allowed = allowed
        self._anonymised = anonymised
        self._proxies = proxies

    def address(self, request: Request) -> str:
        """The client's; "" if it is not known."""
        peer = request.client.host if request.client else ""
        return client_address(",".join(request.headers.getlist("x-forwarded-for")), peer, self._proxies)

    async def limited(self, request: Request) -> Caller:
        """Anybody, but not too often. Raises Problem 401, 429; PortError."""
        principal = await self.anybody(request)
        address = self.address(request)
        allowed = self._allowed()
        if not allowed:
            return Caller(principal, address)
        who = f"principal:{principal.id}" if principal else f"network:{self._anonymised(address)}"
        allowance = await self._limit.take(who, allowed)
        headers = allowance.headers(self._limit.name)
        if not allowance.allowed:
            detail = f"{allowed:g} a minute are allowed; the next one in {allowance.retry_after} s."
            raise Problem(429, "too-many", detail, {**headers, "Retry-After": str(allowance.retry_after)})
        return Caller(principal, address, headers)

    async def anybody(self, request: Request) -> Principal | None:
        """Raises Problem 401 if there is a token and it is wrong; PortError."""
        return await self._principal(request) if "authorization" in request.headers else None

    async def somebody(self, request: Request) -> Principal:
        """Raises Problem 401, PortError."""
        return await self._principal(request)

    async def administrator(self, request: Request) -> Principal:
        """Raises Problem 401, 403; PortError."""
        principal = await self._principal(request)
        if not principal.is_administrator:
            raise Problem(403, "not-administrator", "Only administrators may do this.")
        return principal

    async def _principal(self, request: Request) -> Principal:
        try:
            return await self.authenticator.principal(bearer(request))
        except BadToken:
            raise unauthorised("bad-token", "This token is nobody's, or was revoked.") from None


def bearer(request: Request) -> str:
    """The token of the request. Problem 401 if there is none, or more than one."""
    headers = request.headers.getlist("authorization")
    scheme, _, token = (headers or [""])[0].partition(" ")
    if len(headers) != 1 or scheme.lower() != "bearer" or not token.strip():
        raise unauthorised("token-missing", "Send one header `Authorization: Bearer` with a token.")
    return token.strip()


def unauthorised(kind: str, detail: str) -> Problem:
    return Problem(401, kind, detail, {"WWW-Authenticate": "Bearer"})
