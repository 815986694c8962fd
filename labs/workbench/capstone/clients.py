"""Several clients that carry a plan out over HTTP, and write down every answer.

The load is open: a request leaves at its planned moment, whether or not earlier ones were answered. What is answered
with "away" (or not at all) is sent again twice, as the service asks clients to.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, datetime
from typing import Any, TypeVar

import httpx

from workbench.capstone.ledger import AWAY, Entry, Ledger, MadeLink
from workbench.capstone.plan import AGENTS, CLIENTS, Step, referer

T = TypeVar("T")

ATTEMPTS = 3
PAUSE = 0.35
"""Seconds before a request is sent again."""
TIMEOUT = 12.0
TICK = 0.05
STALL = 0.4
"""Seconds late at which this process itself was kept waiting: then the machine was too busy to say anything."""
AT_ONCE = 8
"""Requests at a time when the load is over and everything is asked for once more."""


class Clients:
    def __init__(self, url: str, ledger: Ledger) -> None:
        self.url = url
        self.ledger = ledger
        self.stalls: list[tuple[float, float]] = []
        """From when to when the machine stood still, as far as this process could tell."""
        self.steps = 0
        self._next = 0.0
        """The planned moment of the request that is to be sent next."""
        self._http = {name: self._client(name) for name in CLIENTS}
        self.began = time.monotonic()
        self._epoch = time.time()

    @staticmethod
    def _client(name: str) -> httpx.AsyncClient:
        headers = {"User-Agent": AGENTS[name][1], "Referer": referer(name)}
        return httpx.AsyncClient(
            headers=headers, timeout=TIMEOUT, limits=httpx.Limits(max_connections=100), trust_env=False
        )

    async def close(self) -> None:
        for client in self._http.values():
            await client.aclose()

    def now(self) -> float:
        """Seconds since the load began."""
        return time.monotonic() - self.began

    async def sow(self, steps: Iterable[Step]) -> None:
        """What happens before the load. Then the load begins, and all times count from there."""

        async def one(step: Step) -> None:
            self.steps += 1
            await self._one(self.steps, step)

        await few_at_a_time(one, steps)
        passed = self.now()
        self.began, self._epoch = self.began + passed, self._epoch + passed
        self.ledger.shift(-passed)

    async def reach(self, at: float) -> None:
        """Returns when all that was planned before the moment `at` has been sent: on a busy machine, later than `at`.
        So what is broken meets the requests that it is to meet, however slow the machine."""
        while self.now() < at or self._next < at:  # noqa: ASYNC110 -- time and progress, both
            await asyncio.sleep(TICK / 2)

    async def carry_out(self, steps: Iterable[Step]) -> None:
        """Returns when every request has been answered, or given up."""
        watching = asyncio.create_task(self._watch())
        tasks = []
        try:
            for step in steps:
                self._next = step.at
                await asyncio.sleep(max(0.0, step.at - self.now()))
                self.steps += 1
                tasks.append(asyncio.create_task(self._one(self.steps, step)))
            self._next = float("inf")
            await asyncio.gather(*tasks)
        finally:
            self._next = float("inf")
            watching.cancel()
            for task in tasks:
                task.cancel()
            await asyncio.gather(watching, *tasks, return_exceptions=True)

    async def _watch(self) -> None:
        while True:
            before = self.now()
            await asyncio.sleep(TICK)
            if self.now() - before - TICK > STALL:
                self.stalls.append((before - STALL, self.now() + 1.0))

    async def _one(self, number: int, step: Step) -> None:
        link = self.ledger.links[step.link] if step.link >= 0 else None
        if step.op != "shorten" and link is not None and not link.code:
            return  # its creation was not acknowledged, or not yet: nobody knows the code
        for attempt in range(ATTEMPTS):
            if attempt:
                await asyncio.sleep(PAUSE)
            if (await self._attempt(number, step, link)).status not in AWAY:
                return

    async def _attempt(self, number: int, step: Step, link: MadeLink | None) -> Entry:
        match step.op:
            case "shorten":
                assert link is not None
                return await self._shorten(number, step.client, link)
            case "delete":
                assert link is not None
                return await self._delete(number, step.client, link)
            case "stats":
                assert link is not None
                path = f"/api/v1/stats/{link.code}"
                return await self._send(number, step, "GET", path, link.number, link.code)
            case _:
                code = link.code if link is not None else step.code
                return await self._send(number, step, "GET", f"/{code}", step.link, code)

    async def _shorten(self, number: int, client: str, link: MadeLink) -> Entry:
        planned = link.planned
        body: dict[str, Any] = {"long_url": planned.url}
        if planned.alias:
            body["custom_alias"] = planned.alias
        if planned.lifetime:
            body["expiry"] = datetime.fromtimestamp(time.time() + planned.lifetime, UTC).isoformat()
        link.asked = min(link.asked, self.now())
        step = Step(0.0, client, "shorten")
        entry, text = await self._exchange(
            number, step, "POST", "/api/v1/shorten", link.number, planned.alias, body=body
        )
        if entry.status == 201:
            made = json.loads(text)
            link.code, link.token, link.creator = made["code"], made["delete_token"], client
            link.made = entry.answered
            if planned.lifetime:
                link.ends = datetime.fromisoformat(made["expires_at"]).timestamp() - self._epoch
            entry = Entry(
                number,
                entry.sent,
                entry.answered,
                client,
                "shorten",
                link.number,
                link.code,
                201,
                entry.server,
            )
        self.ledger.entries.append(entry)
        return entry

    async def _delete(self, number: int, client: str, link: MadeLink) -> Entry:
        link.to_delete = min(link.to_delete, self.now())
        path = f"/api/v1/links/{link.code}"
        headers = {"Authorization": f"Bearer {link.token}"}
        step = Step(0.0, client, "delete")
        entry, _ = await self._exchange(number, step, "DELETE", path, link.number, link.code, headers)
        if entry.status == 204:
            link.deleted = min(link.deleted, entry.answered)
        self.ledger.entries.append(entry)
        return entry

    async def _send(self, number: int, step: Step, method: str, path: str, link: int, code: str) -> Entry:
        entry, _ = await self._exchange(number, step, method, path, link, code)
        self.ledger.entries.append(entry)
        return entry

    async def _exchange(
        self,
        number: int,
        step: Step,
        method: str,
        path: str,
        link: int,
        code: str,
        headers: dict[str, str] | None = None,
        body: Any = None,
    ) -> tuple[Entry, bytes]:
        op = "look" if method == "HEAD" else step.op
        sent = self.now()
        try:
            answer = await self._http[step.client].request(
                method, self.url + path, headers=headers, json=body
            )
        except httpx.HTTPError as error:
            why = "no answer" if isinstance(error, httpx.TimeoutException) else "the connection broke"
            return Entry(number, sent, self.now(), step.client, op, link, code, 0, problem=why), b""
        problem, component = told(answer) if answer.status_code >= 400 else ("", "")
        location = next((value for name, value in answer.headers.raw if name.lower() == b"location"), b"")
        entry = Entry(
            number,
            sent,
            self.now(),
            step.client,
            op,
            link,
            code,
            answer.status_code,
            answer.headers.get("server-role", ""),
            location.decode("utf-8", "backslashreplace"),
            problem,
            component,
        )
        return entry, answer.content

    # --- when the load is over

    async def look(self, links: Iterable[MadeLink]) -> None:
        """Asks for each link once more, by HEAD, which counts no click."""

        async def one(link: MadeLink) -> None:
            self.steps += 1
            step = Step(0.0, link.creator, "follow", link.number)
            for attempt in range(ATTEMPTS):
                if attempt:
                    await asyncio.sleep(PAUSE)
                path = f"/{link.code}"
                if (
                    await self._send(self.steps, step, "HEAD", path, link.number, link.code)
                ).status not in AWAY:
                    return

        await few_at_a_time(one, links)

    async def statistics(self, links: Iterable[MadeLink]) -> dict[str, dict[str, Any]]:
        """By code. Of links that the service does not know any more: nothing."""
        found: dict[str, dict[str, Any]] = {}

        async def one(link: MadeLink) -> None:
            for _ in range(ATTEMPTS):
                try:
                    answer = await self._http[link.creator].get(f"{self.url}/api/v1/stats/{link.code}")
                except httpx.HTTPError:
                    continue
                if answer.status_code == 200:
                    found[link.code] = answer.json()
                if answer.status_code not in AWAY:
                    return
                await asyncio.sleep(PAUSE)

        await few_at_a_time(one, links)
        return found


async def few_at_a_time(work: Callable[[T], Awaitable[None]], items: Iterable[T]) -> None:
    turns = asyncio.Semaphore(AT_ONCE)

    async def one(item: T) -> None:
        async with turns:
            await work(item)

    await asyncio.gather(*(one(item) for item in items))


def told(answer: httpx.Response) -> tuple[str, str]:
    """What a problem says of itself, and the slot that it blames."""
    try:
        body = answer.json()
        return str(body.get("detail", ""))[:300], str(body.get("component", ""))
    except (ValueError, AttributeError):
        return answer.text[:300], ""
