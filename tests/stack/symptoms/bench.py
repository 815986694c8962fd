"""A server of a live stack under examination: what a probe may do to it, and see of it, over HTTP."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

import httpx
import psutil
from workbench.stack import Stack

SLOT = "url-shortener/redirect-cache"
TTL = 4.0
"""Seconds: the live setting `cache_ttl` while the probes run."""


@dataclass(frozen=True, slots=True)
class Made:
    """A link as its creator got it."""

    code: str
    long_url: str
    token: str


@dataclass(slots=True)
class Bench:
    """`server` holds the component. `sibling` is another one, through which the same cache is told of deletions:
    it holds the reference, or the same component where that keeps its entries in a layout of its own."""

    stack: Stack
    server: str
    sibling: str
    client: httpx.AsyncClient
    quiet: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held by whoever asks the server for something: then what it does meanwhile is done for them."""
    urls: dict[str, str] = field(default_factory=dict)

    async def shorten(
        self,
        long_url: str = "https://example.org/a?b=c",
        lifetime: float | None = None,
        on: str | None = None,
    ) -> Made:
        """A new link, made through the sibling unless another is named. It dies `lifetime` seconds from now."""
        url = f"{await self.url(on or self.sibling)}/api/v1/shorten"
        for _ in range(5):
            body = {"long_url": long_url}
            if lifetime is not None:
                body["expiry"] = datetime.fromtimestamp(time.time() + lifetime, UTC).isoformat()
            answer = await self.client.post(url, json=body)
            if answer.status_code != 422:  # a busy machine may take longer than a short life lasts
                break
        assert answer.status_code == 201, answer.text
        made = answer.json()
        return Made(made["code"], long_url, made["delete_token"])

    async def shorten_many(self, count: int) -> list[Made]:
        return list(await asyncio.gather(*(self.shorten() for _ in range(count))))

    async def get(self, code: str, timeout: float = 12.0) -> int:
        """The status that the server answers with; 0 if it does not."""
        try:
            answer = await self.client.get(f"{await self.url(self.server)}/{code}", timeout=timeout)
        except httpx.HTTPError:
            return 0
        return answer.status_code

    async def location(self, code: str) -> str | None:
        answer = await self.client.get(f"{await self.url(self.server)}/{code}")
        location: str | None = answer.headers.get("location")
        return location

    async def get_many(self, codes: list[str]) -> list[int]:
        return list(await asyncio.gather(*(self.get(code) for code in codes)))

    async def delete(self, made: Made, on: str) -> int:
        url = f"{await self.url(on)}/api/v1/links/{made.code}"
        answer = await self.client.delete(url, headers={"Authorization": f"Bearer {made.token}"})
        return answer.status_code

    async def delete_at_last(self, made: Made, on: str) -> None:
        """Repeats the deletion, as a client should, until it is acknowledged."""
        for _ in range(5):
            status = await self.delete(made, on)
            if status == 204:
                return
            await asyncio.sleep(0.1)
        raise AssertionError(f"the deletion answered {status}")

    async def healthz_seconds(self, server: str) -> float:
        """How long a server takes to say that it lives."""
        began = time.perf_counter()
        try:
            await self.client.get(f"{await self.url(server)}/healthz", timeout=5.0)
        except httpx.HTTPError:
            pass
        return time.perf_counter() - began

    async def queries(self) -> float:
        """How often the server has asked the store for a link."""
        return await self.value("store_operations_total", operation="find")

    async def cache_commands(self) -> float:
        return await self.value("cache_commands_total")

    async def value(self, name: str, **labels: str) -> float:
        metrics = await asyncio.to_thread(self.stack.metrics, self.server)
        return metrics.value(name, **labels)

    async def queries_during(self, work: Callable[[], Awaitable[object]]) -> int:
        """How often the server asks the store for a link while `work` is done. The caller holds `quiet`."""
        before = await self.queries()
        await work()
        return int(await self.queries() - before)

    async def megabytes(self) -> float:
        """Memory of the server's process."""
        status = await asyncio.to_thread(self.stack.status)
        return float(psutil.Process(status.roles[self.server]["pid"]).memory_info().rss) / 2**20

    @asynccontextmanager
    async def mending(self, service: str) -> AsyncIterator[None]:
        """After the block the server's way to the service is whole again."""
        try:
            yield
        finally:
            await asyncio.to_thread(self.stack.mend, f"{self.server}->{service}")

    @asynccontextmanager
    async def cut(self, service: str) -> AsyncIterator[None]:
        """The server's way to the service is cut within the block."""
        async with self.mending(service):
            await asyncio.to_thread(self.stack.cut, f"{self.server}->{service}")
            yield

    async def slow(self, service: str, seconds: float) -> None:
        await asyncio.to_thread(self.stack.slow, f"{self.server}->{service}", seconds)

    async def url(self, role: str) -> str:
        if role not in self.urls:
            self.urls[role] = await asyncio.to_thread(self.stack.server_url, role)
        return self.urls[role]
