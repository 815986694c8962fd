"""One fault under load, and what it did: to each journey, and to what had been promised."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import httpx

from workbench.chaos.faults import Fault
from workbench.chaos.visitors import DONE, Ledger, Visit, Visitors
from workbench.stack import Stack

T = TypeVar("T")

BEFORE, AFTER = 2.0, 3.0
"""Seconds of load before a fault begins and after it has ended, to say how each journey fares."""

COUNTED_WITHIN = 60.0

AT_ONCE = 8
"""Questions, when the promises are looked at."""


@dataclass
class Outcome:
    """`during`: visits while the fault lasted. `healthy_after`: seconds from the order to end the fault until the
    service was healthy; `well_after`: until the last visit that failed. `broken`: promises that were not kept."""

    name: str
    during: list[Visit]
    met: bool
    healthy_after: float
    well_after: float
    answered: int = 0
    counted: int = 0
    broken: list[str] = field(default_factory=list)
    details: dict[str, int] = field(default_factory=dict)


async def run(name: str, fault: Fault, stack: Stack, before: float = BEFORE, after: float = AFTER) -> Outcome:
    """The stack is as it was afterwards. `before`, `after`: seconds of load."""
    ledger, stop = Ledger(), asyncio.Event()
    if fault.setting is not None:
        await asyncio.to_thread(stack.set, fault.setting[0], fault.setting[1])
    metrics = await asyncio.to_thread(stack.metrics)
    visiting = asyncio.create_task(Visitors(stack.url, ledger, fault.rates).run(stop))
    await asyncio.sleep(before)
    began = time.monotonic()
    await asyncio.to_thread(fault.begin, stack)
    await asyncio.sleep(max(0.0, began + fault.lasts - time.monotonic()))
    ended = time.monotonic()
    met = fault.met is None or fault.met(metrics, await asyncio.to_thread(stack.metrics))
    asked_to_end = time.monotonic()
    await asyncio.to_thread(fault.end, stack)
    healthy = time.monotonic()
    await asyncio.sleep(after)
    stop.set()
    await visiting
    if fault.setting is not None:
        await asyncio.to_thread(stack.set, fault.setting[0], fault.setting[2])
    failed = [
        visit.due + visit.seconds for visit in ledger.visits if visit.end != DONE and visit.due >= ended
    ]
    found = Outcome(
        name,
        ledger.between(began, ended),
        met,
        healthy - asked_to_end,
        max(0.0, max(failed, default=0.0) - asked_to_end),
        broken=ledger.wrong,
        details=dict(ledger.details),
    )
    async with httpx.AsyncClient(base_url=stack.url, timeout=5) as client:
        await links(client, ledger, found)
        await clicks(client, ledger, fault.may_lose, found)
    return found


async def links(client: httpx.AsyncClient, ledger: Ledger, found: Outcome) -> None:
    """Every link that was acknowledged is there, and none whose deletion was."""
    answers = await each(ledger.links, lambda code: client.get(f"/{code}"))
    for code, target in ledger.links.items():
        answer = answers[code]
        if (answer.status_code, answer.headers.get("location")) != (302, target):
            found.broken.append(
                f"the link {code} was acknowledged, and is answered with {answer.status_code}"
            )
        else:
            ledger.answered[code] += 1
    for code, answer in (await each(ledger.deleted, lambda code: client.get(f"/{code}"))).items():
        if answer.status_code not in (404, 410):
            found.broken.append(f"{code} was deleted, and is answered with {answer.status_code}")


async def clicks(client: httpx.AsyncClient, ledger: Ledger, may_lose: int, found: Outcome) -> None:
    """Of each link as many are counted as were answered; more only if an answer did not come."""
    deadline = time.monotonic() + COUNTED_WITHIN
    while True:
        counted = await each(ledger.links, lambda code: count(client, code))
        missing = sum(max(0, ledger.answered[code] - counted[code]) for code in counted)
        if missing <= may_lose or time.monotonic() > deadline:
            break
        await asyncio.sleep(0.3)
    await asyncio.sleep(1.0)  # what would be counted twice has time to be
    counted = await each(ledger.links, lambda code: count(client, code))
    found.answered, found.counted = ledger.answered.total(), sum(counted.values())
    if missing > may_lose:
        found.broken.append(f"{missing} clicks were answered and are not counted")
    for code, number in counted.items():
        if number > ledger.answered[code] + ledger.unknown[code]:
            found.broken.append(
                f"{code} was followed {ledger.answered[code]} times and counted {number} times"
            )


async def each(codes: Iterable[str], ask: Callable[[str], Awaitable[T]]) -> dict[str, T]:
    """What is answered for each, `AT_ONCE` at a time."""
    free = asyncio.Semaphore(AT_ONCE)

    async def one(code: str) -> tuple[str, T]:
        async with free:
            return code, await ask(code)

    return dict(await asyncio.gather(*map(one, codes)))


async def count(client: httpx.AsyncClient, code: str) -> int:
    answer: Any = (await client.get(f"/api/v1/stats/{code}")).json()
    return int(answer["clicks"])
