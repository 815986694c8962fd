"""The keeper's job that keeps the key pool full, and says so when it cannot.

It does little: now and then it asks the component of the slot `key-pool` to `generate`. How codes are made is the
component's affair. Several keepers may do this at once; their numbers come from ranges that do not overlap.
"""

from __future__ import annotations

from typing import Any, Protocol

from redis.asyncio import Redis
from redis.exceptions import RedisError

from reference.platform.clock import Clock
from reference.platform.contained import ComponentError
from reference.platform.errors import PortError
from reference.platform.logs import JsonLog
from reference.platform.metrics import Metrics

PAUSE = 0.2
"""Seconds between two looks. A pool must last for so long, and for the time that filling it takes."""
PAUSE_AFTER_ERROR = 1.0
UNUSED = "pool:unused"


class Holder(Protocol):
    """What is needed of `reference.platform.slots.SlotHolder`."""

    async def call(self, method: str, *args: Any) -> Any: ...


class KeyGenerator:
    """Job. `pool`: the keeper's own client of the pool, to measure it. `low_water`: as the component is told."""

    def __init__(
        self, holder: Holder, pool: Redis, low_water: int, clock: Clock, metrics: Metrics, record: JsonLog
    ) -> None:
        self._holder = holder
        self._pool = pool
        self._low_water = low_water
        self._clock = clock
        self._record = record
        self._codes = metrics.gauge("key_pool_codes", "Codes in the pool, when last looked")
        self._low = metrics.gauge(
            "key_pool_low", "1: after the last attempt, fewer than half the low-water mark"
        )
        self._generated = metrics.counter("key_pool_generated", "Codes added to the pool by this keeper")
        self._failures = metrics.counter(
            "key_pool_failures", "Attempts to fill the pool that failed", "error"
        )
        self._failing = False

    async def run(self) -> None:
        while True:
            await self._clock.sleep(PAUSE if await self.turn() else PAUSE_AFTER_ERROR)

    async def turn(self) -> bool:
        """One look, and a filling if it is needed. Whether that went well."""
        try:
            added = await self._holder.call("generate")
            size = await self._pool.scard(UNUSED)
        except (PortError, RedisError, ComponentError) as error:
            self._failures.labels(type(error).__name__).inc()
            self._low.set(1)  # it may be full, but nobody fills it: that is what the alarm is for
            if not self._failing:  # said once, not five times a second
                self._record.write("warning", "the key pool cannot be filled", error=str(error))
            self._failing = True
            return False
        self._failing = False
        self._generated.inc(added if isinstance(added, int) and added > 0 else 0)
        self._codes.set(size)
        self._low.set(int(size < self._low_water / 2))
        return True
