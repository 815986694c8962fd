"""Symptoms that show while the server's way to cache or store is cut or slow, or after it."""

from __future__ import annotations

import asyncio

from reference.shortener.components import DELETION_BOUND
from tests.stack.symptoms.bench import Bench


async def error_when_cache_is_cut(bench: Bench) -> str | None:
    warm, cold = await bench.shorten(), await bench.shorten()
    async with bench.quiet:
        await bench.get(warm.code)
        async with bench.cut("cache"):
            statuses = await bench.get_many([warm.code, cold.code] * 10)
        statuses += await bench.get_many([warm.code, cold.code])
    return f"statuses {sorted(set(statuses))}" if set(statuses) != {302} else None


async def server_stands_still(bench: Bench) -> str | None:
    """`/healthz` needs neither cache nor store. Slow on its sibling too, or once, is a busy machine; slow thrice, and
    far slower than on its sibling, is the server."""
    made = await bench.shorten()
    delays = []
    async with bench.quiet, bench.cut("cache"):
        for _ in range(3):
            redirects = asyncio.create_task(bench.get_many([made.code, made.code]))
            here = there = 0.0
            while not redirects.done():
                both = await asyncio.gather(*map(bench.healthz_seconds, (bench.server, bench.sibling)))
                here, there = max(here, both[0]), max(there, both[1])
                await asyncio.sleep(0.01)
            delays.append(here - there)
            await asyncio.sleep(0.1)
    return f"/healthz took {min(delays):.2f} s more than elsewhere" if min(delays) > 0.3 else None


async def unknown_after_store_failure(bench: Bench) -> str | None:
    made = await bench.shorten()
    async with bench.quiet:
        async with bench.cut("shards"):
            during = await bench.get(made.code)
        await asyncio.sleep(0.1)
        after = await bench.get(made.code)
    return f"{during} during the failure, {after} after it" if 404 in (during, after) else None


async def deletion_without_cache(bench: Bench) -> str | None:
    """A deletion that the cache did not hear of must not be acknowledged; tried again, it must work. The cache is
    back before the server gives up telling the others of the deletion: only the component has missed it."""
    made = await bench.shorten()
    async with bench.quiet:
        await bench.get(made.code)
        async with bench.cut("cache"):
            deletion = asyncio.create_task(bench.delete(made, on=bench.server))
            await asyncio.sleep(0.2)
        acknowledged = await deletion
        if acknowledged != 204:
            await bench.delete_at_last(made, on=bench.server)
    await asyncio.sleep(DELETION_BOUND + 0.05)
    async with bench.quiet:
        status = await bench.get(made.code)
    if status == 302:
        return f"the deletion was answered {acknowledged}, and the link redirects"
    assert status == 404, status
    return None


async def many_queries_for_one_code(bench: Bench) -> str | None:
    """While the store takes 0.4 s, all of a herd come before its answer."""
    made = await bench.shorten()
    async with bench.quiet, bench.mending("shards"):
        await bench.slow("shards", 0.2)
        queries = await bench.queries_during(lambda: bench.get_many([made.code] * 30))
    return f"{queries} queries for 30 requests of one cold code" if queries > 2 else None
