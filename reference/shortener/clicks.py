"""From redirects to the event log, without ever making a redirect wait.

A click goes into a buffer in memory; a task appends what is there to the log. Two things are stated, and
measured: a killed server loses at most the buffer (`capacity` events, those under way included), and while
the log is away longer than the buffer lasts, clicks are dropped and counted as dropped.

A redirect's own share is a tuple in a list. Everything else, the event's text above all, is made once a batch.
"""

from __future__ import annotations

import asyncio
import itertools
import random

from reference.platform.clock import Clock
from reference.platform.errors import PortError
from reference.platform.event_log import EventLog
from reference.platform.metrics import Metrics
from reference.platform.packs import Row, Stem
from reference.platform.tasks import end
from reference.platform.tracing import Recording, current
from reference.platform.tracing import clock as steps
from reference.shortener.click_rows import CLICKED, VERSION, Click, rows, told
from reference.shortener.privacy import Visitor

PAUSE = 0.02
"""Seconds between appends at most, so that they have something to carry."""
BATCH = 800
"""Events of one append at most. So many waiting end the pause."""
SLICE = 100
"""Events that are encoded in one go: no redirect waits for longer than that."""
RETRY_FIRST, RETRY_LAST = 0.05, 1.0


class ClickBuffer:
    """Bounded; `offer` is called by redirects, a task empties it."""

    def __init__(
        self, log: EventLog, capacity: int, clock: Clock, random: random.Random, metrics: Metrics
    ) -> None:
        self._log = log
        self._capacity = capacity
        self._clock = clock
        self._waiting: list[Click] = []
        self._some = asyncio.Event()
        self._full = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._followed: dict[str, Recording] = {}
        """Of the clicks in memory whose requests are traced: by request id, where that is recorded."""
        # An event's id: 64 random bits for this start of the server, and a number. Unique, and cheap.
        self.start_id = f"{random.getrandbits(64):016x}"
        self.number = itertools.count().__next__
        self._stem = Stem(self.start_id, CLICKED, VERSION, Visitor._fields)
        outcomes = metrics.counter("click_events", "Clicks on their way to the log", "outcome")
        self._accepted = outcomes.labels("accepted")
        self._dropped = outcomes.labels("dropped")
        self._retried = outcomes.labels("retried")
        metrics.gauge("click_buffer_events", "Clicks in memory").set_function(self.__len__)

    def __len__(self) -> int:
        return len(self._waiting)

    def offer(self, code: str, trace: str, visitor: Visitor) -> bool:
        """Takes a click of this instant; False if there is no room, and it is lost."""
        taken = self.put((self.number(), code, self._clock.now(), trace, told(visitor)))
        if (recording := current()) is not None:
            self.follow(trace, recording, taken)
        return taken

    def put(self, click: Click) -> bool:
        """The same for a click that has its number."""
        waiting = self._waiting
        before = len(waiting)
        if before >= self._capacity:
            self._dropped.inc()
            return False
        waiting.append(click)
        if not before:
            self._some.set()
        elif before == BATCH - 1:
            self._full.set()
        return True

    def follow(self, trace: str, recording: Recording, taken: bool) -> None:
        """The click of the request `trace` was offered: its way to the log is to be recorded."""
        recording.moment("click", waiting=len(self._waiting), taken=taken)
        if taken:
            self._followed[trace] = recording

    async def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="click-buffer")

    async def stop(self, patience: float = 1.0) -> None:
        """Appends what is there, for `patience` seconds at most; the rest is dropped."""
        if self._task is None:
            return
        await end([self._task])
        self._task = None
        try:
            async with asyncio.timeout(patience):
                while self._waiting:
                    await self._flush()
        except TimeoutError:
            self._dropped.inc(len(self._waiting))
            self._waiting.clear()

    async def _run(self) -> None:
        while True:
            if not self._waiting:  # a server that nobody asks sleeps
                self._some.clear()
                await self._some.wait()
            await self._pause()
            while self._waiting:
                await self._flush()
                if len(self._waiting) < BATCH:
                    break

    async def _pause(self) -> None:
        """PAUSE seconds, or until a batch is full."""
        self._full.clear()
        ends = [asyncio.ensure_future(end) for end in (self._clock.sleep(PAUSE), self._full.wait())]
        try:
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for end in ends:
                end.cancel()

    async def _flush(self) -> None:
        """Appends one batch, again and again until the log has acknowledged it.

        An append whose outcome is unknown is repeated with the same ids; whoever counts drops what came twice.
        """
        batch: list[Row] = []
        until = min(BATCH, len(self._waiting))
        for start in range(0, until, SLICE):
            batch += rows(self._waiting[start : min(start + SLICE, until)])
            await asyncio.sleep(0)  # redirects that have come go first
        pause = RETRY_FIRST
        began = steps()
        while True:
            try:
                await self._log.append_rows(self._stem, batch)
                break
            except PortError:
                self._retried.inc(len(batch))
                await self._clock.sleep(pause)
                pause = min(2 * pause, RETRY_LAST)
        if self._followed:
            self._tell(len(batch), began)
        del self._waiting[: len(batch)]  # only now: until the acknowledgement they count against the capacity
        self._accepted.inc(len(batch))

    def _tell(self, count: int, began: float) -> None:
        """The first `count` clicks are in the log now: to the recordings of those that are followed."""
        for _, _, _, trace, _ in self._waiting[:count]:
            if (recording := self._followed.pop(trace, None)) is not None:
                recording.add("append", "log", began=began, seconds=steps() - began, events=count)
