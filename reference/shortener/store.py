"""The link repository as a server uses it: every call counted by operation and outcome."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TypeVar

from reference.platform.errors import PortError, TimedOut
from reference.platform.metrics import Metrics
from reference.shortener.components import Link
from reference.shortener.repository import Deletion, LinkRepository, LinkStats, NewLink

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
        return await self._counted("find", self._links.find(code))

    async def delete(self, code: str, token_hash: str, now: float) -> Deletion:
        return await self._counted("delete", self._links.delete(code, token_hash, now))

    async def stats(self, code: str) -> LinkStats | None:
        return await self._counted("stats", self._links.stats(code))

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
