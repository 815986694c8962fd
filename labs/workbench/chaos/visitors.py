"""Who uses a stack while something breaks: at a steady rate, with a ledger of what they were told.

Open loop: a request is sent when its time has come, whether or not those before it have been answered, for users do
not wait for one another.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

import httpx

PATIENCE = 3.0
"""Seconds after which a user gives up."""

RATES = {"shorten": 4.0, "redirect": 60.0, "stats": 8.0, "delete": 1.5}
"""By journey: requests a second. Every second link is made to be deleted, so there are enough of them."""

DONE = "done"
NOTHING = "nothing was asked"


@dataclass(frozen=True, slots=True)
class Visit:
    """One request. `due`: when it was to be sent, in seconds of the monotonic clock; `seconds`: until its end. `end`:
    DONE, or the status, or "no answer"."""

    journey: str
    due: float
    seconds: float
    end: str


@dataclass
class Ledger:
    """What clients were told. `links`: code to target, of links that were acknowledged and that nobody deletes;
    `tokens`: of links to delete; `deleted`: those whose deletion was acknowledged. `answered`: by code, redirects that
    came. `unknown`: by code, redirects whose end nobody knows. `wrong`: what must never be."""

    links: dict[str, str] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    deleted: list[str] = field(default_factory=list)
    answered: Counter[str] = field(default_factory=Counter)
    unknown: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    visits: list[Visit] = field(default_factory=list)
    details: Counter[str] = field(default_factory=Counter)
    """What answers with 5xx said."""

    def between(self, began: float, ended: float) -> list[Visit]:
        """Visits that were due then."""
        return [visit for visit in self.visits if began <= visit.due < ended]


Journey = Callable[[httpx.AsyncClient], Awaitable[str]]


class Visitors:
    """Clients of the stack at the URL `base`. `rates`: in place of those in RATES."""

    def __init__(self, base: str, ledger: Ledger, rates: Mapping[str, float] | None = None) -> None:
        self.base, self.ledger = base, ledger
        self.rates = RATES | dict(rates or {})
        self.made, self.followed = itertools.count(), itertools.count()
        self.journeys: dict[str, Journey] = {
            "shorten": self.shorten,
            "redirect": self.redirect,
            "stats": self.stats,
            "delete": self.delete,
        }

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop` is set and every request has ended."""
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=50)
        async with httpx.AsyncClient(base_url=self.base, timeout=PATIENCE, limits=limits) as client:
            for _ in range(10):
                await self.shorten(client)
            async with asyncio.TaskGroup() as group:
                for name in self.journeys:
                    group.create_task(self.steadily(group, name, client, stop))

    async def steadily(
        self, group: asyncio.TaskGroup, name: str, client: httpx.AsyncClient, stop: asyncio.Event
    ) -> None:
        began = time.monotonic()
        for number in itertools.count():
            due = began + number / self.rates[name]
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            if stop.is_set():
                return
            group.create_task(self.visit(name, due, client))

    async def visit(self, name: str, due: float, client: httpx.AsyncClient) -> None:
        end = await self.journeys[name](client)
        if end != NOTHING:
            self.ledger.visits.append(Visit(name, due, time.monotonic() - due, end))

    # --- the journeys; each returns its end

    async def shorten(self, client: httpx.AsyncClient) -> str:
        """Every second link is one to be deleted."""
        number = next(self.made)
        target = f"https://example.com/{number}"
        try:
            answer = await client.post("/api/v1/shorten", json={"long_url": target})
        except httpx.HTTPError:
            return "no answer"
        if answer.status_code != 201:
            return self.refused("shorten", answer)
        made = answer.json()
        code = made["short_url"].rpartition("/")[2]
        if number % 2 == 0:
            self.ledger.tokens[code] = made["delete_token"]
        else:
            self.ledger.links[code] = target
        return DONE

    async def redirect(self, client: httpx.AsyncClient) -> str:
        code = self.some_link()
        try:
            answer = await client.get(f"/{code}")
        except httpx.HTTPError:
            self.ledger.unknown[code] += 1
            return "no answer"
        if answer.status_code not in (301, 302):
            if answer.status_code < 500:
                self.ledger.wrong.append(f"{code} is there, and was answered with {answer.status_code}")
            return self.refused("redirect", answer)
        self.ledger.answered[code] += 1
        if answer.headers["location"] != self.ledger.links[code]:
            self.ledger.wrong.append(f"{code} led to {answer.headers['location']}")
        return DONE

    async def stats(self, client: httpx.AsyncClient) -> str:
        try:
            answer = await client.get(f"/api/v1/stats/{self.some_link()}")
        except httpx.HTTPError:
            return "no answer"
        return DONE if answer.status_code == 200 else self.refused("stats", answer)

    async def delete(self, client: httpx.AsyncClient) -> str:
        """Of a link that has not been deleted; of one whose deletion nobody answered, again."""
        if not self.ledger.tokens:
            return NOTHING
        code, token = next(iter(self.ledger.tokens.items()))
        del self.ledger.tokens[code]
        try:
            answer = await client.delete(
                f"/api/v1/links/{code}", headers={"Authorization": f"Bearer {token}"}
            )
        except httpx.HTTPError:
            self.ledger.tokens[code] = token
            return "no answer"
        if answer.status_code != 204:
            self.ledger.tokens[code] = token
            return self.refused("delete", answer)
        self.ledger.deleted.append(code)
        return DONE

    def some_link(self) -> str:
        codes = list(self.ledger.links)
        return codes[next(self.followed) % len(codes)]

    def refused(self, journey: str, answer: httpx.Response) -> str:
        try:
            said = str(answer.json().get("detail"))
        except ValueError:  # of the proxy
            said = "not a problem of ours"
        self.ledger.details[f"{journey}: {answer.status_code} {said}"] += 1
        return str(answer.status_code)
