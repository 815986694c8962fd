"""From redirects to the event log, without ever making a redirect wait.

A click goes into a buffer in memory; a task appends what is there to the log. Two things are stated, and
measured: a killed server loses at most the buffer (`capacity` events, those under way included), and while
the log is away longer than the buffer lasts, clicks are dropped and counted as dropped.
"""

from __future__ import annotations

import asyncio
import random
from collections import deque

from reference.platform.clock import Clock
from reference.platform.errors import PortError
from reference.platform.event_log import Envelope, EventLog
from reference.platform.metrics import Metrics

PAUSE = 0.02
"""Seconds between appends, so that they have something to carry."""
BATCH = 200
RETRY_FIRST, RETRY_LAST = 0.05, 1.0

CLICKED = "link.clicked"


class ClickBuffer:
    """Bounded; `offer` is called by redirects, `run` is the task that empties it."""

    def __init__(
        self, log: EventLog, capacity: int, clock: Clock, random: random.Random, metrics: Metrics
    ) -> None:
        self._log = log
        self._capacity = capacity
        self._clock = clock
        self._random = random
        self._waiting: deque[Envelope] = deque()
        self._task: asyncio.Task[None] | None = None
        self._outcomes = metrics.counter("click_events", "Clicks on their way to the log", "outcome")
        for outcome in ("accepted", "dropped", "retried"):
            self._outcomes.labels(outcome)
        metrics.gauge("click_buffer_events", "Clicks in memory").set_function(self.__len__)

    def __len__(self) -> int:
        return len(self._waiting)

    def offer(self, code: str, trace: str) -> bool:
        """Takes a click of now; False if there is no room, and it is lost. Nothing in it tells who clicked."""
        if len(self._waiting) >= self._capacity:
            self._outcomes.labels("dropped").inc()
            return False
        event_id = f"{self._random.getrandbits(128):032x}"
        self._waiting.append(Envelope(event_id, code, CLICKED, 1, self._clock.now(), trace))
        return True

    async def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="click-buffer")

    async def stop(self, patience: float = 1.0) -> None:
        """Appends what is there, for `patience` seconds at most; the rest is dropped."""
        if self._task is None:
            return
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        self._task = None
        try:
            async with asyncio.timeout(patience):
                while self._waiting:
                    await self._flush()
        except TimeoutError:
            self._outcomes.labels("dropped").inc(len(self._waiting))
            self._waiting.clear()

    async def _run(self) -> None:
        while True:
            await self._clock.sleep(PAUSE)
            while self._waiting:
                await self._flush()
                if len(self._waiting) < BATCH:
                    break

    async def _flush(self) -> None:
        """Appends one batch, again and again until the log has acknowledged it.

        An append whose outcome is unknown is repeated with the same ids; whoever counts drops what came twice.
        """
        batch = [self._waiting[i] for i in range(min(BATCH, len(self._waiting)))]
        pause = RETRY_FIRST
        while True:
            try:
                await self._log.append(batch)
                break
            except PortError:
                self._outcomes.labels("retried").inc(len(batch))
                await self._clock.sleep(pause)
                pause = min(2 * pause, RETRY_LAST)
        for _ in batch:  # only now: until the acknowledgement they count against the capacity
            self._waiting.popleft()
        self._outcomes.labels("accepted").inc(len(batch))
