"""Symptoms that show around a deletion, and around a query that takes seconds."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from reference.shortener.components import DELETION_BOUND
from tests.stack.symptoms.bench import Bench, Made
from tests.stack.symptoms.counted import unused_code

LATE = 3.2
"""Seconds that a query is under way, and its answer again. Longer than DELETION_BOUND, so that there is time for
a caller who comes DELETION_BOUND after the deletion and before the answer."""

LESS_LATE = 1.0
"""The same for a query that somebody waits for: a server's patience with a component ends after 5 s."""


class TooBusy(Exception):
    """The machine was too slow for the moments to come in order: nothing can be said."""


async def redirects_after_deletion(bench: Bench) -> str | None:
    made = await bench.shorten()
    async with bench.quiet:
        await bench.get(made.code)
    await bench.delete_at_last(made, on=bench.sibling)
    await asyncio.sleep(DELETION_BOUND + 0.05)
    async with bench.quiet:
        status = await bench.get(made.code)
    return f"{status} {DELETION_BOUND} s after the deletion" if status != 404 else None


@dataclass(slots=True)
class SlowQuery:
    """What three visitors saw while, and after, one query for each of their links was under way."""

    joined: int = 0
    """Of a link deleted through the sibling, DELETION_BOUND later, the old query still under way."""
    afterwards: list[int] = field(default_factory=list)
    """Of the links deleted through the server and through the sibling, when the old queries were over."""
    left_behind: int = 0
    """What the second visitor of a link got, after the first had gone."""


async def slow_query(bench: Bench) -> SlowQuery:
    for _ in range(4):
        try:
            return await slow_query_once(bench)
        except TooBusy:
            pass
    raise TooBusy("four times in a row")


async def slow_query_once(bench: Bench) -> SlowQuery:
    """The store hears queries late and answers late. In between, two of three links are deleted, one through
    the server itself, one through the sibling; and of two visitors of the third, the first goes away."""
    here, there, kept = await bench.shorten_many(3)
    seen = SlowQuery()
    async with bench.quiet:
        async with bench.mending("shards"):
            # Connections, ready to ask, for all that follows, on whichever shard it is: to open one later would take
            # longer than a server waits for a component. While queries take a moment, each needs one of its own.
            await bench.slow("shards", 0.1)
            await bench.get_many([unused_code() for _ in range(24)])
            await bench.slow("shards", LATE)
            visits = [asyncio.create_task(bench.get(made.code)) for made in (here, there)]
            await asyncio.sleep(0.2)
            began = time.monotonic()
            await bench.slow("shards", LESS_LATE)  # for what comes now; what is under way stays late
            left_behind = asyncio.create_task(departure(bench, kept))
            await asyncio.sleep(1.6 * LESS_LATE)  # its answer is under way
            await bench.slow("shards", LATE)
            if time.monotonic() > began + LATE - 0.3:
                raise TooBusy
            await asyncio.sleep(began + LATE + 0.1 - time.monotonic())
        await bench.delete_at_last(here, on=bench.server)
        await bench.delete_at_last(there, on=bench.sibling)
        await asyncio.sleep(DELETION_BOUND + 0.05)
        if time.monotonic() > began - 0.2 + 2 * LATE:
            raise TooBusy
        seen.joined = await bench.get(there.code)
        seen.left_behind = await left_behind
        await asyncio.gather(*visits)
        await asyncio.sleep(max(0.0, began + 2 * LATE + 0.3 - time.monotonic()))
        seen.afterwards = await bench.get_many([here.code, there.code])
    return seen


async def departure(bench: Bench, made: Made) -> int:
    """What the second visitor of a link gets when the first has gone."""
    leader = asyncio.create_task(bench.get(made.code))
    await asyncio.sleep(0.3)
    follower = asyncio.create_task(bench.get(made.code))
    await asyncio.sleep(0.3)
    leader.cancel()  # closes its connection
    return await follower


def comes_back(seen: SlowQuery) -> str | None:
    return f"after the slow query: {seen.afterwards}" if seen.afterwards != [404, 404] else None


def from_before_deletion(seen: SlowQuery) -> str | None:
    return f"{seen.joined} {DELETION_BOUND} s after the deletion" if seen.joined != 404 else None


def hurt_by_departure(seen: SlowQuery) -> str | None:
    return f"who stayed got {seen.left_behind or 'no answer'}" if seen.left_behind != 302 else None


JUDGEMENTS: dict[str, Callable[[SlowQuery], str | None]] = {
    "deleted-link-comes-back": comes_back,
    "answers-from-before-deletion": from_before_deletion,
    "hurt-by-anothers-departure": hurt_by_departure,
}
"""Symptoms that one slow query shows."""
