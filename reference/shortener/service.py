"""The use cases of the URL shortener. No HTTP here, and no SQL: `api` calls this, this calls the ports."""

from __future__ import annotations

import hashlib
import random
import secrets
from dataclasses import dataclass
from typing import Protocol

from redis.exceptions import RedisError

from reference.platform.clock import Clock
from reference.platform.errors import Indefinite, PortError, Unavailable
from reference.platform.metrics import Metrics
from reference.platform.slots import SlotHolder
from reference.shortener.clicks import ClickBuffer
from reference.shortener.codes import LENGTH, new_code
from reference.shortener.components import Answer
from reference.shortener.repository import Deletion, LinkRecord, LinkRepository, NewLink
from reference.shortener.slots import REDIRECT_CACHE

DRAWS = 5
"""Codes that are tried for one link. Two draws collide once in 35,000 when a hundred million links exist."""
REPEATS = 2
"""Times that a write of unknown outcome is repeated before the client is told."""


class Redirects(Protocol):
    """What the service needs of the slot's holder: see `components.RedirectCache`."""

    async def resolve(self, code: str) -> Answer: ...
    async def invalidate(self, code: str) -> None: ...


@dataclass(frozen=True, slots=True)
class SlottedRedirects:
    """The redirect cache that is in service right now. Checks what it answers: the server must be able to trust it."""

    holder: SlotHolder

    async def resolve(self, code: str) -> Answer:
        """Raises PortError or ComponentError."""
        answer = await self.holder.call("resolve", code)
        if not isinstance(answer, Answer) or answer.state not in ("live", "expired", "unknown"):
            raise self.holder.misbehaved("resolve", f"returned {answer!r:.80}, which is no Answer")
        url = answer.long_url
        if answer.state == "live" and not (isinstance(url, str) and is_one_line(url)):
            raise self.holder.misbehaved("resolve", f"returned {url!r:.80} as the URL of a live link")
        return answer

    async def invalidate(self, code: str) -> None:
        """Raises PortError, RedisError or ComponentError."""
        await self.holder.call("invalidate", code)


def is_one_line(url: str) -> bool:
    """Whether `url` can be a header's value, as UTF-8, and nothing more than that."""
    try:
        url.encode()
    except UnicodeEncodeError:
        return False
    return bool(url) and all(character > " " and character != "\x7f" for character in url)


@dataclass(frozen=True, slots=True)
class Created:
    code: str
    long_url: str
    expires_at: float
    delete_token: str


class NotInvalidated(Exception):
    """The row is deleted, but servers may still redirect: the deletion must be repeated."""


class Shortener:
    def __init__(
        self,
        *,
        links: LinkRepository,
        redirects: Redirects,
        clicks: ClickBuffer,
        clock: Clock,
        random: random.Random,
        metrics: Metrics,
        code_length: int = LENGTH,
    ) -> None:
        """`random`: for codes; a `random.SystemRandom()` in service."""
        self._links = links
        self._redirects = redirects
        self._clicks = clicks
        self._clock = clock
        self._random = random
        self._metrics = metrics
        self._code_length = code_length

    def now(self) -> float:
        return self._clock.now()

    async def shorten(self, long_url: str, expires_at: float) -> Created:
        """A new link to `long_url`, which has been checked. Raises PortError, ComponentError."""
        token = secrets.token_urlsafe(24)
        for _ in range(DRAWS):
            code = new_code(self._random, self._code_length)
            if await self._insert(NewLink(code, long_url, self.now(), expires_at, hash_of(token))):
                await self._announce(code)
                return Created(code, long_url, expires_at, token)
        raise Unavailable(f"{DRAWS} random codes in a row were taken")

    async def _insert(self, link: NewLink) -> bool:
        """Repeats an insert whose outcome is unknown: the same code and token find their own row again."""
        for _ in range(REPEATS):
            try:
                return await self._links.insert(link)
            except Indefinite:
                continue
        return await self._links.insert(link)

    async def _announce(self, code: str) -> None:
        """Clears what the cache remembers of the code from before: at most that it is unknown.

        A cache that is away does not keep anybody from making links. Nobody can have asked for a random code but
        by guessing it, and "unknown" is remembered for NEGATIVE_TTL_MAX at most.
        """
        try:
            await self._redirects.invalidate(code)
        except (PortError, RedisError) as error:
            self._metrics.component_errors.labels(REDIRECT_CACHE.name, type(error).__name__).inc()

    async def follow(self, code: str) -> Answer:
        """What the code means now. Raises PortError (the store is needed, and away), ComponentError."""
        return await self._redirects.resolve(code)

    def clicked(self, code: str, trace: str) -> None:
        """Notes that a redirect was answered; never waits, never fails."""
        self._clicks.offer(code, trace)

    async def delete(self, code: str, token: str) -> Deletion:
        """Once it has returned "deleted", no server redirects any more after DELETION_BOUND seconds.

        Raises PortError (repeat it), NotInvalidated (repeat it), ComponentError.
        """
        outcome = await self._links.delete(code, token_hash=hash_of(token), owner=None, now=self.now())
        if outcome == "deleted":
            try:
                await self._redirects.invalidate(code)
            except (PortError, RedisError) as error:
                self._metrics.component_errors.labels(REDIRECT_CACHE.name, type(error).__name__).inc()
                raise NotInvalidated(str(error)) from error
        return outcome

    async def stats(self, code: str) -> LinkRecord | None:
        """Clicks may lag behind by what is on its way through the log. Raises PortError."""
        return await self._links.record(code)


def hash_of(token: str) -> str:
    """What the store keeps instead of the token. A token is random and long: it needs neither salt nor stretching."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
