"""One run of the capstone: a stack is started, fitted, put under load, broken, left to settle, and asked once more."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from workbench.capstone.breaking import Broken, break_things, codes_in, drain
from workbench.capstone.clients import Clients
from workbench.capstone.ledger import Ledger
from workbench.capstone.plan import BOUND, Plan
from workbench.stack import ComponentError, Incident, Metrics, Stack, StackError

QUIET = 5.0
"""Seconds without one more click counted after which no more will come."""
SETTLING = 60.0
"""Seconds to wait for the last click, and for roles to be up again, at most."""
FILLING = 5.0
"""Seconds that the pool may take to have codes again."""
Say = Callable[[str], None]


@dataclass(slots=True)
class Evidence:
    """What is known when a run is over. `refused`: the component did not even get into its place."""

    plan: Plan
    ledger: Ledger
    broken: list[Broken] = field(default_factory=list)
    stalls: list[tuple[float, float]] = field(default_factory=list)
    statistics: dict[str, dict[str, Any]] = field(default_factory=dict)
    """By code, when nothing was under way any more."""
    dropped: float = 0.0
    """Clicks that servers had no room for, as they say themselves: the log was away for too long."""
    batches: float = 0.0
    """That the consumer has had counted since its last start."""
    incidents: list[Incident] = field(default_factory=list)
    began: float = 0.0
    """Of the load, POSIX seconds."""
    in_place: dict[str, bool] = field(default_factory=dict)
    """Role: whether the component was still in its slot at the end."""
    refused: str = ""
    refused_line: int | None = None
    logs: str = ""


async def run(
    plan: Plan, component: str, *, profile: str = "embedded", say: Say = lambda text: None
) -> Evidence:
    """`component`: the text of a module, or "plain", or "reference". StackError: the stack does not start, or does
    not do what it must; that is nobody's failure but the machine's."""
    stack = Stack(profile=profile, settings={**plan.scene.settings, "keepers": plan.scene.keepers})
    say(f"starting a stack ({profile})")
    try:
        await asyncio.to_thread(stack.start)
        return await _on(stack, plan, component, say)
    finally:
        await asyncio.shield(asyncio.to_thread(stack.stop))


async def _on(stack: Stack, plan: Plan, component: str, say: Say) -> Evidence:
    evidence = Evidence(plan, Ledger.of(plan.links))
    try:
        await asyncio.to_thread(stack.swap, plan.slot, component)
    except ComponentError as error:
        evidence.refused, evidence.refused_line = str(error), error.line
        return evidence
    if plan.scene.drained:
        await _drained_pool(stack)
    await asyncio.to_thread(stack.set, "code_strategy", plan.scene.strategy)
    clients = Clients(stack.url, evidence.ledger)
    try:
        say("making links to follow")
        await clients.sow(plan.before)
        evidence.began, evidence.stalls = time.time(), clients.stalls
        say(f"load and faults for {plan.seconds:g} s")
        breaking = asyncio.create_task(
            break_things(stack, plan.faults, clients.now, clients.reach, evidence.broken), name="faults"
        )
        await clients.carry_out(plan.load)
        await breaking
        say("letting it settle")
        await _all_up(stack)
        await asyncio.sleep(BOUND)
        acknowledged = evidence.ledger.acknowledged()
        await clients.look(acknowledged)
        evidence.statistics = await _drained(clients, stack, evidence)
        await _look_inside(stack, plan, component, evidence)
    finally:
        await clients.close()
    return evidence


async def _drained_pool(stack: Stack) -> None:
    """Empties the key pool, and waits until the component has put codes of its own there, if it ever does."""
    services = await asyncio.to_thread(stack.service_urls)
    await asyncio.to_thread(drain, services["pool"])
    deadline = time.monotonic() + FILLING
    while time.monotonic() < deadline:
        if await asyncio.to_thread(codes_in, services["pool"]):
            return
        await asyncio.sleep(0.1)


async def _all_up(stack: Stack) -> None:
    """Until every role is up. One that a component keeps down is an incident, which is looked at later."""
    deadline = time.monotonic() + SETTLING / 3
    while time.monotonic() < deadline:
        roles = (await asyncio.to_thread(stack.status)).roles
        if all(role["state"] == "up" for role in roles.values()):
            return
        await asyncio.sleep(0.2)


async def _drained(clients: Clients, stack: Stack, evidence: Evidence) -> dict[str, dict[str, Any]]:
    """The statistics of every link that lives, once no more clicks are counted."""
    lives = [link for link in evidence.ledger.acknowledged() if link.to_delete == float("inf")]
    deadline = time.monotonic() + SETTLING
    last, since = -1.0, time.monotonic()
    while time.monotonic() < deadline:
        counted, waiting = await asyncio.to_thread(_clicks, stack)
        if counted != last:
            last, since = counted, time.monotonic()
        quiet = time.monotonic() - since
        if quiet > QUIET or (waiting == 0 and quiet > 1.0):
            break
        await asyncio.sleep(0.25)
    return await clients.statistics(lives)


def _clicks(stack: Stack) -> tuple[float, float]:
    """How many the consumer has counted, and how many are known to be on their way."""
    try:
        found = stack.readings()
    except StackError:
        return -1.0, 1.0
    return found.value("clicks_counted_total"), found.value("click_buffer_events") + found.value(
        "consumer_lag_events"
    )


async def _look_inside(stack: Stack, plan: Plan, component: str, evidence: Evidence) -> None:
    readings: Metrics = await asyncio.to_thread(stack.readings)
    evidence.dropped = readings.value("click_events_total", outcome="dropped")
    evidence.batches = readings.value("click_batches_total")
    evidence.incidents = await asyncio.to_thread(stack.incidents)
    status = await asyncio.to_thread(stack.status)
    label = component if component in ("plain", "reference") else "yours"
    for name, role in status.roles.items():
        if plan.slot in (components := role.get("components", {})):
            evidence.in_place[name] = components[plan.slot] == label
