"""Carries the faults of a plan out on the running stack, and writes down when each really began and ended."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from workbench.capstone.scene import MEND_LAG, Fault
from workbench.stack import Stack, StackError


@dataclass(slots=True)
class Broken:
    """A fault as it happened. Times in seconds since the load began. `failed`: why it could not be done."""

    fault: Fault
    began: float
    ended: float = float("inf")
    failed: str = ""
    told: dict[str, Any] | None = None
    """What a re-shard says of itself."""

    def spoils(self, sent: float, answered: float) -> bool:
        """Whether a request that was under way from `sent` to `answered` may have met it."""
        return sent <= self.ended + MEND_LAG and self.began <= answered

    def meets(self, sent: float, answered: float) -> bool:
        return sent <= self.ended and self.began <= answered


async def break_things(
    stack: Stack,
    faults: tuple[Fault, ...],
    now: Callable[[], float],
    reach: Callable[[float], Awaitable[None]],
    happened: list[Broken],
) -> None:
    """Each fault at its moment, also while others last. Returns when all are mended. `reach` waits for a moment of the
    plan."""
    async with asyncio.TaskGroup() as group:
        for fault in faults:
            group.create_task(_break(stack, fault, now, reach, happened))


async def _break(
    stack: Stack,
    fault: Fault,
    now: Callable[[], float],
    reach: Callable[[float], Awaitable[None]],
    happened: list[Broken],
) -> None:
    await reach(fault.at)
    broken = Broken(fault, now())
    happened.append(broken)
    try:
        broken.told = await asyncio.to_thread(_do, stack, fault)
        if fault.lasts:
            await asyncio.sleep(fault.lasts)
            await reach(fault.at + fault.lasts)
            await asyncio.to_thread(_undo, stack, fault)
    except (StackError, ValueError) as error:
        broken.failed = str(error)
    broken.ended = now()


def _do(stack: Stack, fault: Fault) -> dict[str, Any] | None:
    match fault.kind:
        case "kill":
            stack.kill(fault.target)
        case "cut":
            stack.cut(fault.target)
        case "slow":
            stack.slow(fault.target, float(fault.value))
        case "flush":
            stack.flush(fault.target)
        case "drain":
            drain(stack.service_urls()["pool"])
        case "reshard":
            return stack.reshard(int(fault.value))
        case "set":
            stack.set(fault.target, fault.value)
        case _:
            raise ValueError(f"no such fault: {fault.kind!r}")
    return None


def _undo(stack: Stack, fault: Fault) -> None:
    if fault.kind == "kill":
        stack.revive(fault.target)
    else:
        stack.mend(fault.target)


def drain(url: str) -> None:
    """Takes every code out of the key pool, as servers would that are killed over and over. What is taken is lost."""
    from redis import Redis

    with Redis.from_url(url, socket_timeout=5) as pool:
        pool.delete("pool:unused")


def codes_in(url: str) -> int:
    """How many codes the pool holds."""
    from redis import Redis

    with Redis.from_url(url, socket_timeout=5) as pool:
        return int(pool.scard("pool:unused"))
