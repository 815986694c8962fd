"""Reads the servers' own counters while a load runs: how much work a redirect cost, counted and not timed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

from workbench.stack import Metrics, Stack, StackError


@dataclass(frozen=True, slots=True)
class Reading:
    """Counters of all servers together, `t` seconds after the start of the load."""

    t: float
    store_reads: float
    cache_commands: float


@dataclass(slots=True)
class ServerWork:
    """What one server asked for during the load. `restarted`: it was started again, and counts from 0 since then."""

    store_reads: float = 0.0
    cache_commands: float = 0.0
    restarted: bool = False

    def add(self, before: tuple[float, float], after: tuple[float, float]) -> None:
        """Two readings of (store reads, cache commands). After a restart only what was counted since is left."""
        if after[0] < before[0] or after[1] < before[1]:
            self.restarted = True
            before = (0.0, 0.0)
        self.store_reads += after[0] - before[0]
        self.cache_commands += after[1] - before[1]

    def __str__(self) -> str:
        note = " (it was restarted meanwhile)" if self.restarted else ""
        return f"{self.store_reads:4.0f} store reads {self.cache_commands:5.0f} cache commands{note}"


class Watch:
    """Reads `stack`'s counters every `interval` seconds. Makes up for a server that started again, from 0."""

    def __init__(self, stack: Stack, interval: float = 0.5) -> None:
        self.stack = stack
        self.interval = interval
        self.readings: list[Reading] = []
        self.servers: dict[str, ServerWork] = {}
        self._last: dict[str, tuple[float, float]] = {}
        self._turn = asyncio.Lock()  # two at once could overtake each other

    async def run(self, began: float, seen: Callable[[Reading], None]) -> None:
        """Until cancelled; `seen` gets each reading."""
        while True:
            await asyncio.sleep(self.interval)
            await self.read(began, seen)

    async def read(self, began: float, seen: Callable[[Reading], None]) -> None:
        async with self._turn:
            counts = await asyncio.to_thread(self._counts)
            for server, count in counts.items():
                self.servers.setdefault(server, ServerWork()).add(self._last.get(server, count), count)
            self._last |= counts
            work = self.servers.values()
            store, cache = sum(w.store_reads for w in work), sum(w.cache_commands for w in work)
            reading = Reading(round(time.perf_counter() - began, 3), store, cache)
            self.readings.append(reading)
            seen(reading)

    def _counts(self) -> dict[str, tuple[float, float]]:
        counts = {}
        for name, role in self.stack.status().roles.items():
            if role["kind"] == "app" and role["state"] in ("restarting", "starting"):
                self.servers.setdefault(name, ServerWork()).restarted = True
            if role["kind"] == "app" and role["state"] == "up":
                try:
                    counts[name] = counted(self.stack.metrics(name))
                except StackError:
                    continue  # it went away just now: what it counted since is lost, as it would be anywhere
        return counts


def counted(metrics: Metrics) -> tuple[float, float]:
    """(store reads, cache commands) so far."""
    return (
        metrics.value("store_operations_total", operation="find"),
        metrics.value("cache_commands_total"),
    )
