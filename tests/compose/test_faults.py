"""One service after the other is killed or paused under load. Nothing acknowledged may be lost, no click counted twice.

What a fault may do is written here before the run (`FAULTS`), and the run must meet it: the fault is proved to have met
work, and what should go on goes on.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

import httpx
import pytest

from reference.platform.settings import Settings
from tests.compose.conftest import Running
from tests.compose.project import Project
from tests.compose.visitors import Ledger, Visitors

pytestmark = [pytest.mark.slow, pytest.mark.compose, pytest.mark.anyio]

BEFORE, DURING, AFTER = 1.0, 3.0, 2.0
"""Seconds of load."""


@dataclass(frozen=True)
class Fault:
    """`goes_on`: the journeys of which, while it lasts, nine of ten requests are done. `may_lose`: clicks that were
    answered, at most."""

    begin: Callable[[Project], None]
    end: Callable[[Project], None]
    goes_on: tuple[str, ...]
    may_lose: int = 0


def killed(service: str, goes_on: tuple[str, ...], may_lose: int = 0) -> Fault:
    return Fault(
        lambda project: project.kill(service), lambda project: project.start(service), goes_on, may_lose
    )


def paused(service: str, goes_on: tuple[str, ...]) -> Fault:
    return Fault(
        lambda project: project.call("pause", service),
        lambda project: project.call("unpause", service),
        goes_on,
    )


BOTH = ("follow", "make")
FAULTS = {
    "cache killed": killed("cache", BOTH),
    "pool killed": killed("pool", BOTH),
    "kafka killed": killed("kafka", BOTH),
    "kafka paused": paused("kafka", BOTH),
    "consumer killed": killed("consumer", BOTH),
    "keeper killed": killed("keeper-1", BOTH),
    # What a killed server had in memory is the stated loss: one buffer of clicks.
    "app server killed": killed("app-1", BOTH, may_lose=Settings().click_buffer),
    # A third of the links live there. Those that a server remembers are still followed.
    "shard killed": killed("shard-1", ()),
    "store killed": killed("store", ("follow",)),
}


@pytest.mark.parametrize("name", FAULTS)
async def test_nothing_acknowledged_is_lost(name: str, running: Running) -> None:
    fault, project, ledger, stop = FAULTS[name], running.project, Ledger(), asyncio.Event()
    visiting = asyncio.create_task(Visitors(running.http, ledger).run(stop))
    await asyncio.sleep(BEFORE)
    await asyncio.to_thread(fault.begin, project)
    began = time.monotonic()
    await asyncio.sleep(DURING)
    ended = time.monotonic()
    await asyncio.to_thread(fault.end, project)
    recovered = time.monotonic()
    await asyncio.sleep(AFTER)
    stop.set()
    await visiting

    during = ledger.between(began, ended)
    print(f"\n{name}: {dict(during)}; healthy again after {recovered - ended:.1f} s")
    assert ledger.wrong == []
    assert sum(during.values()) >= 100, "the fault met no work"
    for journey in fault.goes_on:
        asked = sum(count for end, count in during.items() if end.startswith(journey))
        assert during[f"{journey}: done"] >= 0.9 * asked, dict(during)
    async with httpx.AsyncClient(base_url=running.http, timeout=5) as client:
        await every_link_is_there(client, ledger)
        await every_click_is_counted_once(client, ledger, fault.may_lose)


async def every_link_is_there(client: httpx.AsyncClient, ledger: Ledger) -> None:
    for code, target in ledger.links.items():
        answer = await client.get(f"/{code}")
        assert (answer.status_code, answer.headers.get("location")) == (302, target), code
        ledger.answered[code] += 1


async def every_click_is_counted_once(client: httpx.AsyncClient, ledger: Ledger, may_lose: int) -> None:
    """Of each link as many as were answered; more only if a request had no answer, or one that came too late."""
    deadline = time.monotonic() + 30
    while True:
        counted = {
            code: (await client.get(f"/api/v1/stats/{code}")).json()["clicks"] for code in ledger.links
        }
        missing = sum(max(0, ledger.answered[code] - counted[code]) for code in ledger.links)
        if missing <= may_lose or time.monotonic() > deadline:
            break
        await asyncio.sleep(0.3)
    print(
        f"answered {ledger.answered.total()}, counted {sum(counted.values())}, unknown {ledger.unknown.total()}"
    )
    assert missing <= may_lose
    await asyncio.sleep(1.0)  # what would be counted twice had time to be
    twice = {
        code: (counted[code], ledger.answered[code])
        for code in ledger.links
        if counted[code] > ledger.answered[code] + ledger.unknown[code]
    }
    assert twice == {}
