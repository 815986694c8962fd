"""A release by canary: a new version on one server, with a growing share of the requests, promoted or taken back.

What decides is what the service's own objectives are about: the share of requests that end with a server error, and the
99th percentile of their times, each beside that of the servers that have the old version, in the same seconds.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from workbench.stack import ComponentError, Metrics, Stack
from workbench.stack.client import HasSource

STEPS = (0.05, 0.25, 0.5)
"""The canary's share, step by step."""

ENOUGH = 20
"""Requests that it must have had before a step says anything."""

WORSE_ERRORS = 0.01
"""So much larger may the canary's share of errors be."""

SLOWER = 2.0
"""So many times the others' p99 may its own be, unless it is below `NOTICED`."""

NOTICED = 0.1
"""Seconds."""


@dataclass(frozen=True, slots=True)
class Step:
    """`errors`: share of the requests that ended with a server error. `p99`: seconds; None: nothing was observed."""

    share: float
    requests: int
    errors: float
    p99: float | None
    others_requests: int
    others_errors: float
    others_p99: float | None

    def reason(self, slower: float = SLOWER) -> str | None:
        """Why the canary has to go; None: it need not. `slower`: so many times the others' p99 may its own be."""
        if self.requests and self.errors > self.others_errors + WORSE_ERRORS:
            return f"{self.errors:.1%} of its requests failed, {self.others_errors:.1%} of the others'"
        if self.p99 is not None and self.p99 > max(NOTICED, slower * (self.others_p99 or 0.0)):
            return f"its p99 is {1000 * self.p99:.0f} ms, that of the others {1000 * (self.others_p99 or 0.0):.0f} ms"
        return None

    def __str__(self) -> str:
        def of(requests: int, errors: float, p99: float | None) -> str:
            return f"{requests} requests, {errors:.1%} failed, p99 " + (
                "–" if p99 is None else f"{1000 * p99:.0f} ms"
            )

        mine = of(self.requests, self.errors, self.p99)
        return f"{self.share:.0%}: {mine}; the others: {of(self.others_requests, self.others_errors, self.others_p99)}"


@dataclass(frozen=True, slots=True)
class Release:
    """`end`: promoted, rolled back, or unknown: too little was asked of the canary to say, so it was taken back."""

    end: Literal["promoted", "rolled back", "unknown"]
    why: str
    steps: tuple[Step, ...]

    def __str__(self) -> str:
        return "\n".join([*(str(step) for step in self.steps), f"{self.end}: {self.why}"])

    __repr__ = __str__


async def roll_out(
    stack: Stack,
    slot: str,
    component: str | HasSource,
    steps: Sequence[float] = STEPS,
    seconds: float = 4.0,
    slower: float = SLOWER,
) -> Release:
    """Puts `component` on the canary, lets its share grow step by step, and promotes it to all servers, or takes it
    back at the first step that is worse than the old version. Each step lasts `seconds`; somebody else makes the load.
    `slower`: see `Step.reason`.

    Nothing fails that the component does not make fail. ComponentError: it cannot be swapped in; all is as before."""
    canary = await asyncio.to_thread(stack.canary, 0.0)  # while it is fitted nobody asks it
    found: list[Step] = []
    end: Literal["promoted", "rolled back", "unknown"] = "rolled back"
    try:
        await asyncio.to_thread(stack.swap, slot, component, on=canary)
        try:
            for share in steps:
                found.append(await _step(stack, canary, share, seconds))
                if (why := found[-1].reason(slower)) is not None:
                    break
                if found[-1].requests < ENOUGH:
                    end, why = (
                        "unknown",
                        f"only {found[-1].requests} requests came to {canary} at {share:.0%}",
                    )
                    break
            else:
                end, why = "promoted", "no step was worse than the version before"
                await asyncio.to_thread(stack.swap, slot, component)
        except ComponentError as error:  # of the promotion: the others do not take it
            why = str(error)
        if end != "promoted":
            await asyncio.to_thread(stack.canary, 0.0)  # nobody meets it any more while it goes
            await asyncio.to_thread(stack.unswap, slot, canary)
    finally:
        await asyncio.to_thread(stack.canary, None)
    return Release(end, why, tuple(found))


async def _step(stack: Stack, canary: str, share: float, seconds: float) -> Step:
    servers = await asyncio.to_thread(lambda: stack.servers)
    before = {name: await asyncio.to_thread(stack.metrics, name) for name in servers}
    await asyncio.to_thread(stack.canary, share)
    await asyncio.sleep(seconds)
    grown = {name: (await asyncio.to_thread(stack.metrics, name)).since(before[name]) for name in servers}
    mine = grown.pop(canary)
    others = sum(grown.values(), Metrics(()))
    return Step(share, *_told(mine), *_told(others))


def _told(metrics: Metrics) -> tuple[int, float, float | None]:
    """Requests, the share of them that ended with a server error, and the 99th percentile of their times."""
    statuses = metrics.by("status", "http_requests_total")
    total = sum(statuses.values())
    failed = sum(count for status, count in statuses.items() if status.startswith("5"))
    p99 = metrics.quantile("http_request_seconds", 0.99)
    return int(total), failed / total if total else 0.0, p99.value if p99 is not None else None
