"""The use cases of the URL shortener. No HTTP here, and no SQL: `api` calls this, this calls the ports."""

from __future__ import annotations

from typing import Any, Protocol

from redis.exceptions import RedisError

from reference.platform.clock import Clock
from reference.platform.errors import Indefinite, PortError
from reference.platform.identity import Principal, hash_of
from reference.platform.metrics import Metrics
from reference.shortener.audit import AuditLog
from reference.shortener.clicks import ClickBuffer
from reference.shortener.components import Answer
from reference.shortener.links import Deletion, LinkRecord, LinkRepository
from reference.shortener.orders import Created, Order, Orders
from reference.shortener.privacy import Visitor
from reference.shortener.redirects import Redirects
from reference.shortener.slots import REDIRECT_CACHE


class NotInvalidated(Exception):
    """The row is deleted, but servers may still redirect: the deletion must be repeated."""


class Statistics(Protocol):
    """What is known of the clicks on a link: see `click_statistics.ClickStatistics`."""

    async def of(self, code: str) -> dict[str, Any]: ...


class Shortener:
    def __init__(
        self,
        *,
        orders: Orders,
        links: LinkRepository,
        redirects: Redirects,
        clicks: ClickBuffer,
        statistics: Statistics,
        audit: AuditLog,
        clock: Clock,
        metrics: Metrics,
    ) -> None:
        self._orders = orders
        self._links = links
        self._redirects = redirects
        self._clicks = clicks
        self._statistics = statistics
        self._audit = audit
        self._clock = clock
        self._metrics = metrics

    def now(self) -> float:
        return self._clock.now()

    # --- make a link

    async def shorten(self, order: Order) -> Created:
        """A new link, or for a key that was sent before, the one that was made then.

        One URL sent twice without a key is two links: each has its own end, token, owner and statistics.
        Raises AliasTaken, KeyReused, PortError, ComponentError."""
        created = await self._orders.fulfil(order)
        await self._announce(created.code)
        return created

    async def _announce(self, code: str) -> None:
        """Clears what the cache remembers of the code from before: at most that it is unknown.

        A cache that is away does not keep anybody from making links. Few can have asked for a code before it was
        there, and "unknown" is remembered for NEGATIVE_TTL_MAX at most.
        """
        try:
            await self._redirects.invalidate(code)
        except (PortError, RedisError) as error:
            self._count_failure(error)

    # --- use it

    async def follow(self, code: str) -> Answer:
        """What the code means now. Raises PortError (the store is needed, and away), ComponentError."""
        return await self._redirects.resolve(code)

    def clicked(self, code: str, trace: str, visitor: Visitor) -> None:
        """Notes that a redirect was answered; never waits, never fails."""
        self._clicks.offer(code, trace, visitor)

    async def record(self, code: str) -> LinkRecord | None:
        """None if there is no such link, or no longer. Raises PortError."""
        return await self._links.record(code)

    async def clicks_on(self, code: str) -> dict[str, Any]:
        """May lag behind by what is on its way through the log. Raises PortError."""
        return await self._statistics.of(code)

    async def links_of(self, owner: str, after: str, limit: int) -> list[LinkRecord]:
        """The next `limit` links of `owner` behind the code `after`. Raises PortError."""
        return await self._links.owned_by(owner, after, limit)

    # --- and end it

    async def delete(self, code: str, *, token: str | None = None, by: Principal | None = None) -> Deletion:
        """Allowed to who has the link's token, to its owner, and to administrators.

        Once it has returned "deleted", no server redirects any more after DELETION_BOUND seconds, and the deletion
        stands in the audit log. Raises PortError, NotInvalidated (repeat it after either), ComponentError.
        """
        assert token or by, "somebody must ask"
        outcome = await self._links.delete(
            code,
            token_hash=hash_of(token) if token else None,
            owner=by.id if by and not by.is_administrator else None,
            now=self.now(),
        )
        if outcome == "deleted":
            try:
                await self._redirects.invalidate(code)
            except (PortError, RedisError) as error:
                self._count_failure(error)
                raise NotInvalidated(str(error)) from error
            try:
                await self._audit.note("delete-link", code, by.id if by else "delete-token", self.now())
            except PortError as error:  # of the audit log it is definite, of the deletion it would be a lie
                raise Indefinite(f"the link is deleted, and not yet in the audit log: {error}") from error
        return outcome

    def _count_failure(self, error: Exception) -> None:
        self._metrics.component_errors.labels(REDIRECT_CACHE.name, type(error).__name__).inc()
