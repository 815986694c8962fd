"""New versions under load: each app server in turn is replaced, or a canary is promoted, and no client notices."""

import asyncio
from collections.abc import Awaitable, Callable

import httpx
import pytest
from workbench import create_links, load, roll_out
from workbench.chaos.run import Outcome, clicks, links
from workbench.chaos.visitors import DONE, Ledger, Visitors
from workbench.loadgen.result import LoadResult
from workbench.loadgen.silent import SilentView
from workbench.stack import Stack

from tests.stack.clients import COMPONENT, SLOT

pytestmark = [pytest.mark.slow, pytest.mark.compose, pytest.mark.anyio]

UPDATES = 5
RATE = 220
"""Redirects a second, on connections that are kept; nothing is sent twice by the client."""
WRITES = {"redirect": 10.0, "shorten": 6.0, "stats": 4.0, "delete": 2.0}
"""By journey, requests a second of others meanwhile, who keep a ledger."""


LONGEST = 600.0
"""Seconds of load, if nobody ends it."""


class Ended(SilentView):
    """Of a load that is ended by `stop`."""

    stop: Callable[[], None]

    def begin(self, stop: Callable[[], None]) -> None:
        self.stop = stop


async def under_load(
    stack: Stack, seconds: float, do: Callable[[], Awaitable[object]]
) -> tuple[LoadResult, Ledger]:
    """`do` while both loads are on, which go on for `seconds` at least. Promises are checked afterwards."""
    codes = await create_links(stack, 100)
    ledger, stop, view = Ledger(), asyncio.Event(), Ended()
    visiting = asyncio.create_task(Visitors(stack.url, ledger, WRITES).run(stop))
    loading = asyncio.create_task(load(stack, codes, rate=RATE, seconds=LONGEST, view=view))
    until = asyncio.get_running_loop().time() + seconds
    await asyncio.sleep(1.0)
    await do()
    await asyncio.sleep(until - asyncio.get_running_loop().time())
    view.stop()
    result = await loading
    stop.set()
    await visiting
    found = Outcome("", [], True, 0.0, 0.0)
    async with httpx.AsyncClient(base_url=stack.url, timeout=5) as client:
        await links(client, ledger, found)
        await clicks(client, ledger, 0, found)  # a server that drains hands over the clicks that it holds
    assert found.broken == []
    assert ledger.wrong == []
    return result, ledger


def nobody_noticed(result: LoadResult, ledger: Ledger) -> None:
    failed = [visit for visit in ledger.visits if visit.end != DONE]
    print(f"{result.sent} + {len(ledger.visits)} requests, {result.failed} + {len(failed)} failed")
    assert failed == []
    assert result.failed == 0
    assert result.answered == result.sent >= 200 * 20


async def test_five_updates_of_every_server_without_a_failed_request(stack: Stack) -> None:
    async def update() -> None:
        for _ in range(UPDATES):
            for server in stack.servers:
                await asyncio.to_thread(stack.restart, server)

    nobody_noticed(*await under_load(stack, 25, update))


async def test_five_canaries_are_promoted_without_a_failed_request(stack: Stack) -> None:
    async def update() -> None:
        for number in range(UPDATES):
            done = await roll_out(
                stack,
                SLOT,
                "plain" if number % 2 == 0 else COMPONENT.format(body="pass"),
                seconds=2.5,
                slower=50,
            )
            assert done.end == "promoted", done
            shown = stack.status().roles
            assert len({shown[server]["components"][SLOT] for server in stack.servers}) == 1

    nobody_noticed(*await under_load(stack, 25, update))
    stack.unswap(SLOT)


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("assert hash(code + str(self.clock.now())) % 4", "of its requests failed"),
        ("import asyncio; await asyncio.sleep(2.0)", "its p99 is"),
    ],
    ids=["fails", "dawdles"],
)
async def test_a_canary_that_is_worse_is_taken_back_and_few_have_met_it(
    stack: Stack, body: str, why: str
) -> None:
    async def update() -> None:
        done = await roll_out(stack, SLOT, COMPONENT.format(body=body), seconds=3)
        assert done.end == "rolled back", done
        assert why in done.why
        assert len(done.steps) == 1

    result, _ = await under_load(stack, 6, update)
    assert result.failed <= 0.05 * result.sent
    assert {stack.status().roles[server]["components"][SLOT] for server in stack.servers} == {"reference"}
    assert stack.status().faults == {}
