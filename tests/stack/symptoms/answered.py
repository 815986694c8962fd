"""Symptoms that show in the answers of a server to which nothing is done."""

from __future__ import annotations

import asyncio
import string
import time

from reference.shortener.components import DELETION_BOUND, NEGATIVE_TTL_MAX
from tests.stack.symptoms.bench import Bench
from tests.stack.symptoms.counted import unused_code

QUOTED = "https://example.org/caf%C3%A9%20au%20lait?next=%2Fhome&q=a+b#top"
LIFETIME = 2.0


async def location_differs(bench: Bench) -> str | None:
    made = await bench.shorten(QUOTED)
    for temperature in ("cold", "warm", "warm"):
        async with bench.quiet:
            location = await bench.location(made.code)
        if location != QUOTED:
            return f"{temperature}: Location: {location}"
        await asyncio.sleep(0.05)
    return None


async def redirects_after_expiry(bench: Bench) -> str | None:
    statuses = await after_expiry(bench)
    return f"after its expiry the link answered {statuses}" if 302 in statuses else None


async def expired_forgotten(bench: Bench) -> str | None:
    statuses = await after_expiry(bench)
    return f"after its expiry the link answered {statuses}" if 404 in statuses else None


async def after_expiry(bench: Bench) -> list[int]:
    """What a link that was warm answers, three times, after its expiry."""
    made = await bench.shorten(lifetime=LIFETIME)
    dies = time.monotonic() + LIFETIME
    async with bench.quiet:
        await bench.get(made.code)
    await asyncio.sleep(max(0.0, dies + 0.05 - time.monotonic()))
    statuses = []
    for _ in range(3):
        async with bench.quiet:
            statuses.append(await bench.get(made.code))
        await asyncio.sleep(0.1)
    return statuses


async def new_link_is_404(bench: Bench) -> str | None:
    """Asks for every code of one character, then makes a link. Needs a stack with `code_length` 1."""
    codes = string.ascii_letters + string.digits
    async with bench.quiet:
        statuses = [
            status for n in range(0, 62, 8) for status in await bench.get_many(list(codes[n : n + 8]))
        ]
        assert statuses.count(404) > 20, f"too few codes left: {statuses}"
        made = await bench.shorten(on=bench.server)
        status = await bench.get(made.code)
        if status != 302:
            await asyncio.sleep(DELETION_BOUND)
            status = await bench.get(made.code)
    return f"{status} for a link {DELETION_BOUND} s old" if status != 302 else None


async def unknown_for_too_long(bench: Bench) -> str | None:
    """Of ten unknown codes that were asked for once, each costs a query 60 s later. Takes that long."""
    return await (await sow_unknown(bench)).harvest(bench)


class Sown:
    """Unknown codes that a component was asked for, to be asked for again when it must have forgotten them."""

    def __init__(self, codes: list[str]) -> None:
        self.codes = codes
        self.ripe = time.monotonic() + NEGATIVE_TTL_MAX + 0.5

    async def harvest(self, bench: Bench) -> str | None:
        await asyncio.sleep(max(0.0, self.ripe - time.monotonic()))
        async with bench.quiet:
            queries = await bench.queries_during(lambda: bench.get_many(self.codes))
        count = len(self.codes)
        return (
            f"{count - queries} of {count} unknown codes remembered for over 60 s"
            if queries < count / 2
            else None
        )


async def sow_unknown(bench: Bench) -> Sown:
    codes = [unused_code() for _ in range(10)]
    await bench.get_many(codes)
    return Sown(codes)
