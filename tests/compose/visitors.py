"""Who uses a stack while something breaks: links are made and followed at a steady rate, and a ledger is kept.

Open loop: a request is sent when its time has come, whether or not those before it have been answered, for users do
not wait for one another.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections import Counter
from dataclasses import dataclass, field

import httpx

PATIENCE = 3.0


@dataclass
class Ledger:
    """What clients were told. `links`: code to target, of links that were acknowledged. `answered`: by code, redirects
    that came. `unknown`: by code, requests whose end nobody knows. `refused`: by what was asked, answers with 5xx."""

    links: dict[str, str] = field(default_factory=dict)
    answered: Counter[str] = field(default_factory=Counter)
    unknown: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    seconds: list[tuple[float, float, str]] = field(default_factory=list)
    """Of each request: when it was due, how long it took, and what became of it."""

    def between(self, began: float, ended: float) -> Counter[str]:
        """Of requests that were due then: how many had which end."""
        return Counter(end for due, _, end in self.seconds if began <= due < ended)


class Visitors:
    """`followed`: requests a second for links that there are; `made`: for new ones."""

    def __init__(self, base: str, ledger: Ledger, followed: float = 60.0, made: float = 4.0) -> None:
        self.base, self.ledger = base, ledger
        self.rates = {self.follow: followed, self.make: made}
        self.numbers = itertools.count()

    async def run(self, stop: asyncio.Event) -> None:
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=50)
        async with httpx.AsyncClient(base_url=self.base, timeout=PATIENCE, limits=limits) as client:
            for _ in range(5):
                await self.make(client)
            async with asyncio.TaskGroup() as group:
                for what, rate in self.rates.items():
                    group.create_task(self.steadily(group, what, rate, client, stop))

    async def steadily(
        self, group, what, rate: float, client: httpx.AsyncClient, stop: asyncio.Event
    ) -> None:  # type: ignore[no-untyped-def]
        began = time.monotonic()
        for number in itertools.count():
            await asyncio.sleep(max(0.0, began + number / rate - time.monotonic()))
            if stop.is_set():
                return
            group.create_task(self.timed(what, client))

    async def timed(self, what, client: httpx.AsyncClient) -> None:  # type: ignore[no-untyped-def]
        due = time.monotonic()
        end = await what(client)
        self.ledger.seconds.append((due, time.monotonic() - due, end))

    async def make(self, client: httpx.AsyncClient) -> str:
        target = f"https://example.com/{next(self.numbers)}"
        try:
            answer = await client.post("/api/v1/shorten", json={"long_url": target})
        except httpx.HTTPError:
            return "make: nobody knows"
        if answer.status_code == 201:
            self.ledger.links[answer.json()["short_url"].rpartition("/")[2]] = target
            return "make: done"
        self.ledger.refused["make"] += 1
        return f"make: {answer.status_code}"

    async def follow(self, client: httpx.AsyncClient) -> str:
        codes = list(self.ledger.links)
        code = codes[next(self.numbers) % len(codes)]
        try:
            answer = await client.get(f"/{code}")
        except httpx.HTTPError:
            self.ledger.unknown[code] += 1
            return "follow: nobody knows"
        if answer.status_code in (301, 302):
            self.ledger.answered[code] += 1
            if answer.headers["location"] != self.ledger.links[code]:
                self.ledger.wrong.append(f"{code} led to {answer.headers['location']}")
            return "follow: done"
        if answer.status_code < 500:
            self.ledger.wrong.append(f"{code} was answered with {answer.status_code}")
        self.ledger.refused["follow"] += 1
        return f"follow: {answer.status_code}"
