"""Symptoms that show in what the server asks of cache and store, counted by its own metrics."""

from __future__ import annotations

import asyncio
import secrets
import string
import time

from tests.stack.symptoms.bench import TTL, Bench

EXPIRES = 1.0
"""Seconds that a link lives whose only purpose is to be expired."""
APART = 0.4
"""Seconds between two groups of entries that are filled and asked for in turn."""
MARK_MAX = 15.0
"""Seconds after an invalidation by which a code can be filled again."""


async def two_commands_for_a_hit(bench: Bench) -> str | None:
    made = await bench.shorten()
    async with bench.quiet:
        await bench.get(made.code)
        await asyncio.sleep(0.1)  # whoever fills after the answer has filled by now
        before = await bench.cache_commands()
        for _ in range(20):
            await bench.get(made.code)
        commands = await bench.cache_commands() - before
    return f"{commands:.0f} commands for 20 hits" if commands > 30 else None


async def store_asked_for_unknown(bench: Bench) -> str | None:
    return await store_asked_again(bench, unused_code(), "one unknown code")


async def store_asked_for_expired(bench: Bench) -> str | None:
    made = await bench.shorten(lifetime=EXPIRES)
    await asyncio.sleep(EXPIRES + 0.1)
    return await store_asked_again(bench, made.code, "an expired link")


async def store_asked_for_new_link(bench: Bench) -> str | None:
    """A mark that a creation leaves may forbid filling while late commands may come; then a click is a hit again."""
    made = await bench.shorten(on=bench.server)
    await asyncio.sleep(MARK_MAX + 0.2)
    return await store_asked_again(bench, made.code, f"a link made {MARK_MAX:g} s ago")


async def store_asked_again(bench: Bench, code: str, what: str) -> str | None:
    async with bench.quiet:
        await bench.get(code)
        await asyncio.sleep(0.1)

        async def ask_again() -> None:
            for _ in range(10):
                await bench.get(code)

        queries = await bench.queries_during(ask_again)
    return f"{queries} queries for 10 requests of {what}" if queries >= 5 else None


async def never_asks_again(bench: Bench) -> str | None:
    """The TTL is the longest that an entry may stay, so shortly after it every code costs a query."""
    made = await bench.shorten_many(12)
    codes = [one.code for one in made]
    async with bench.quiet:
        await bench.get_many(codes)
        filled = time.monotonic()
    await asyncio.sleep(0.75 * TTL)
    async with bench.quiet:
        await asyncio.sleep(filled + TTL + 0.15 - time.monotonic())
        queries = await bench.queries_during(lambda: bench.get_many(codes))
    return f"{12 - queries} of 12 entries outlived the TTL" if queries < 10 else None


async def herd_at_one_moment(bench: Bench) -> str | None:
    """Shortly before the TTL some of a group's entries must have died, or they all die in what is left of it.

    Six groups of five, each asked for at the same age, far enough apart that none waits for another. On a busy machine
    some are filled too slowly, or asked for too late, to say anything; three must be left."""
    groups = [[made.code for made in await bench.shorten_many(5)] for _ in range(6)]
    dead = []
    async with bench.quiet:
        filled = []
        for codes in groups:
            began = time.monotonic()
            await bench.get_many(codes)
            filled.append((began, time.monotonic()))
            await asyncio.sleep(max(0.0, began + APART - time.monotonic()))
        for codes, (began, ended) in zip(groups, filled, strict=True):
            before = await bench.queries()
            await asyncio.sleep(max(0.0, ended + 0.92 * TTL - time.monotonic()))
            await bench.get_many(codes)
            in_time = time.monotonic() < began + 0.99 * TTL
            queries = int(await bench.queries() - before)
            if in_time:
                dead.append(queries)
    shown = len(dead) >= 3 and sum(dead) <= 0.1 * 5 * len(dead)
    return f"{sum(dead)} of {5 * len(dead)} entries dead shortly before their TTL" if shown else None


async def memory_grows(bench: Bench) -> str | None:
    """Memory after 160 codes more, when 80 have filled whatever is bounded."""
    async with bench.quiet:
        await ask_for_unknown(bench, 80)
        before = await bench.megabytes()
        await ask_for_unknown(bench, 160)
        grown = await bench.megabytes() - before
    return f"{grown:.1f} MB more after 160 codes" if grown > 1.2 else None


async def ask_for_unknown(bench: Bench, count: int) -> None:
    codes = [unused_code() for _ in range(count)]
    for start in range(0, count, 20):
        await bench.get_many(codes[start : start + 20])


def unused_code() -> str:
    """Seven characters that nobody was given: 62^7 is large."""
    return "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(7))
