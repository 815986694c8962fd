"""Every symptom by name, and the order in which a component can be asked for all of them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from tests.stack.symptoms import answered, broken, counted, deleted
from tests.stack.symptoms.bench import Bench

Probe = Callable[[Bench], Awaitable[str | None]]

UNDISTURBED: dict[str, Probe] = {
    "never-asks-again": counted.never_asks_again,
    "herd-at-one-moment": counted.herd_at_one_moment,
    "redirects-after-expiry": answered.redirects_after_expiry,
    "expired-forgotten": answered.expired_forgotten,
    "redirects-after-deletion": deleted.redirects_after_deletion,
    "location-differs": answered.location_differs,
    "two-commands-for-a-hit": counted.two_commands_for_a_hit,
    "store-asked-for-unknown": counted.store_asked_for_unknown,
    "store-asked-for-expired": counted.store_asked_for_expired,
    "store-asked-for-new-link": counted.store_asked_for_new_link,
    "memory-grows": counted.memory_grows,
}
"""May run side by side: those that count take turns."""

UNDER_FAULTS: dict[str, Probe] = {
    "error-when-cache-is-cut": broken.error_when_cache_is_cut,
    "many-queries-for-one-code": broken.many_queries_for_one_code,
    "server-stands-still": broken.server_stands_still,
    "404-after-store-failure": broken.unknown_after_store_failure,
    "deletion-without-cache": broken.deletion_without_cache,
}
"""Take turns: one fault at a time."""


def by_a_slow_query(name: str) -> Probe:
    async def probe(bench: Bench) -> str | None:
        return deleted.JUDGEMENTS[name](await deleted.slow_query(bench))

    return probe


NEW_LINK = "404-for-a-new-link"
"""Needs a stack with `code_length` 1: `answered.new_link_is_404`."""

TOO_LONG = "unknown-for-too-long"
"""Needs a minute and the ordinary `cache_ttl`: `answered.sow_unknown` and `Sown.harvest`."""

HERE: dict[str, Probe] = {
    **UNDISTURBED,
    **UNDER_FAULTS,
    **{name: by_a_slow_query(name) for name in deleted.JUDGEMENTS},
}
SYMPTOMS = {*HERE, NEW_LINK, TOO_LONG}


async def seen_of_all(bench: Bench) -> dict[str, str]:
    """Every symptom in HERE that the component shows, with what was seen. Takes about 25 s."""
    seen: dict[str, str] = {}

    async def look(name: str, probe: Probe) -> None:
        if found := await probe(bench):
            seen[name] = found

    await asyncio.gather(*(look(name, probe) for name, probe in UNDISTURBED.items()))
    await asyncio.gather(*(look(name, probe) for name, probe in UNDER_FAULTS.items()))
    once = await deleted.slow_query(bench)
    return seen | {name: found for name, judge in deleted.JUDGEMENTS.items() if (found := judge(once))}
