"""What the API gives, as JSON: the models are what its description says of them, the functions make them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Literal

from pydantic import BaseModel, Field

from reference.shortener.accounts import Account
from reference.shortener.blocklist import BlockedHost
from reference.shortener.links import LinkRecord
from reference.shortener.orders import Created


class CreatedLink(BaseModel):
    code: str
    short_url: str
    long_url: str
    expires_at: str
    delete_token: str = Field(
        description="Allows the deletion of this link. It is shown here and nowhere else."
    )


class LinkEntry(BaseModel):
    code: str
    short_url: str
    long_url: str
    created_at: str
    expires_at: str


class LinkStatistics(LinkEntry):
    clicks: int = Field(description="Counted so far: what is on its way through the log is not in it.")
    windows: dict[str, Any] = Field(description="Clicks by minute, hour and day, by referrer and by agent.")


class LinkPage(BaseModel):
    links: list[LinkEntry]
    next: str | None = Field(description="`after` of the next page; null on the last one.")


class Me(BaseModel):
    id: str
    name: str
    role: Literal["user", "admin"]
    created_at: str | None


class CreatedPrincipal(Me):
    token: str = Field(description="Shown here and nowhere else.")


class TokenEntry(BaseModel):
    id: str
    label: str
    created_at: str


class CreatedToken(BaseModel):
    id: str
    token: str = Field(description="Shown here and nowhere else.")


class TokenList(BaseModel):
    tokens: list[TokenEntry]


class BlockedEntry(BaseModel):
    host: str
    reason: str
    blocked_at: str


class BlockedList(BaseModel):
    hosts: list[BlockedEntry]


def instant(seconds: float) -> str:
    """POSIX seconds as an ISO instant, such as 2031-11-21T08:00:00Z."""
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")


def created(link: Created, public_url: str) -> dict[str, Any]:
    return {
        "code": link.code,
        "short_url": f"{public_url}/{link.code}",
        "long_url": link.long_url,
        "expires_at": instant(link.expires_at),
        "delete_token": link.delete_token,
    }


def entry(link: LinkRecord, public_url: str) -> dict[str, Any]:
    return {
        "code": link.code,
        "short_url": f"{public_url}/{link.code}",
        "long_url": link.long_url,
        "created_at": instant(link.created_at),
        "expires_at": instant(link.expires_at),
    }


def blocked(host: BlockedHost) -> dict[str, Any]:
    return {"host": host.host, "reason": host.reason, "blocked_at": instant(host.blocked_at)}


def account(found: Account) -> dict[str, Any]:
    return {"id": found.id, "name": found.name, "role": found.role, "created_at": instant(found.created_at)}
