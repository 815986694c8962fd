"""A rolling update: one app server after the other is replaced under load, and no client notices."""

import asyncio

import httpx
import pytest
from workbench.chaos.run import Outcome, clicks, links
from workbench.chaos.visitors import DONE, Ledger, Visitors

from compose.project import APPS
from tests.compose.conftest import Running

pytestmark = [pytest.mark.slow, pytest.mark.compose, pytest.mark.anyio]

UPDATES = 5
RATES = {"redirect": 190.0, "shorten": 6.0, "stats": 4.0}


async def test_five_updates_without_a_failed_request(running: Running) -> None:
    """Connections are kept, nothing is sent twice by the client, and each server is replaced five times."""
    ledger, stop = Ledger(), asyncio.Event()
    visiting = asyncio.create_task(Visitors(running.http, ledger, RATES).run(stop))
    await asyncio.sleep(1.0)
    for _ in range(UPDATES):
        for app in APPS:
            await asyncio.to_thread(running.project.renew, app)
    await asyncio.sleep(1.0)
    stop.set()
    await visiting
    failed = [visit for visit in ledger.visits if visit.end != DONE]
    print(f"{len(ledger.visits)} requests, {len(failed)} failed")
    assert failed == []
    assert ledger.wrong == []
    assert len(ledger.visits) >= 1000
    found = Outcome("rolling update", [], True, 0.0, 0.0)
    async with httpx.AsyncClient(base_url=running.http, timeout=5) as client:
        await links(client, ledger, found)
        await clicks(client, ledger, 0, found)  # a server that drains hands over the clicks that it holds
    assert found.broken == []
