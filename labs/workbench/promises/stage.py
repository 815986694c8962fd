"""Where statements are tried: a stack, ways to call it, and some links with a known number of clicks."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx

from workbench.stack import Stack

WATCHED = 5.0
"""Seconds for which something that should stop, or come, is waited for at most."""


@dataclass(slots=True)
class Stage:
    """`servers`: the URL of each app server, past the balancer. `codes`: of links made for the purpose."""

    stack: Stack
    http: httpx.AsyncClient
    servers: tuple[str, ...]
    codes: list[str]
    clicks: int = 0
    """That `codes` were followed, and answered by a redirect."""
    unsure: int = 0
    """Of how many nobody knows whether they were answered."""
    clicked: float = field(default_factory=time.monotonic)
    """When the last of them was known to be over."""

    async def make(
        self, long_url: str = "", *, at: str = "", token: str = "", **options: Any
    ) -> httpx.Response:
        """`at`: a server instead of the balancer."""
        body = {"long_url": long_url or f"https://example.com/{word()}", **options}
        return await self.http.post(f"{at}/api/v1/shorten", json=body, headers=bearer(token))

    async def made(self, **options: Any) -> dict[str, Any]:
        """httpx.HTTPStatusError: it was not."""
        found: dict[str, Any] = (await self.make(**options)).raise_for_status().json()
        return found

    async def everywhere(self, codes: Iterable[str]) -> list[int]:
        """The status of each code at each server, and where users ask, which may be an edge that keeps answers."""
        answers = await asyncio.gather(
            *(self.http.get(f"{at}/{code}") for at in (*self.servers, "") for code in codes)
        )
        return [answer.status_code for answer in answers]

    async def last_redirect(self, code: str, since: float, seconds: float) -> float | None:
        """How long after `since` (POSIX) some server, or the edge, still redirected; 0.0 for not at all.

        None: it still does after `seconds`."""
        late = 0.0
        while True:
            asked = time.time() - since
            if not any(300 <= status < 400 for status in await self.everywhere([code])):
                return late
            late = max(0.0, asked)
            if asked > seconds:
                return None
            await asyncio.sleep(0.02)


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"} if token else {}


def word() -> str:
    return secrets.token_hex(4)


def instant(seconds: float) -> str:
    """POSIX seconds as the API takes them."""
    return datetime.fromtimestamp(seconds, UTC).isoformat()


def refused(status: int) -> bool:
    """By a decision, not by a failure."""
    return 400 <= status < 500


def counted(numbers: Iterable[int]) -> str:
    """`6 × 302, 2 × 404`"""
    found = list(numbers)
    return ", ".join(f"{found.count(n)} × {n}" for n in dict.fromkeys(sorted(found)))
