"""The link repository as a server uses it: every call counted by operation and outcome."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TypeVar

from reference.platform.errors import PortError, TimedOut
from reference.platform.metrics import Metrics
from reference.shortener.components import Link
from reference.shortener.links import Deletion, LinkRecord, LinkRepository, NewLink
from reference.shortener.redirect_times import note_store_asked

T = TypeVar("T")


class CountedLinks:
    """`LinkRepository` around another one. Also the `LinkReader` that components are given."""

    def __init__(self, links: LinkRepository, metrics: Metrics) -> None:
        self._links = links
        self._operations = metrics.store_operations

    async def prepare(self) -> None:
        await self._links.prepare()

    async def insert(self, link: NewLink) -> bool:
        return await self._counted("insert", self._links.insert(link))

    async def find(self, code: str) -> Link | None:
        note_store_asked()
        return await self._counted("find", self._links.find(code))

    async def taken(self, code: str) -> bool:
        return await self._counted("taken", self._links.taken(code))

    async def record(self, code: str) -> LinkRecord | None:
        return await self._counted("record", self._links.record(code))

    async def delete(self, code: str, *, token_hash: str | None, owner: str | None, now: float) -> Deletion:
        deletion = self._links.delete(code, token_hash=token_hash, owner=owner, now=now)
        return await self._counted("delete", deletion)

    async def owned_by(self, owner: str, after: str, limit: int) -> list[LinkRecord]:
        return await self._counted("owned_by", self._links.owned_by(owner, after, limit))

    async def ping(self) -> None:
        await self._links.ping()

    async def _counted(self, operation: str, call: Awaitable[T]) -> T:
        outcome = "ok"
        try:
            return await call
        except TimedOut:
            outcome = "timeout"
            raise
        except PortError:
            outcome = "unavailable"
            raise
        finally:
            self._operations.labels(operation, outcome).inc()
