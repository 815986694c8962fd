"""Counts clicks: reads the event log, a batch at a time, and has each batch counted.

Every partition has a task, and is worked on under a fenced lease. A batch is counted in one transaction: its ids, the
counts, and the offset. Killed before it, nothing has happened, and the batch is read again. Killed after it, the
offset has moved. Unsure (an Indefinite error), the task acquires its lease anew, which tells the offset. Only what is
below a committed offset is trimmed from the log.

How large is a batch? A lone click is counted as soon as it is there. When more come, the task waits a moment for
them to gather, for small batches cost as much as large ones; in a flood batches are full, and nobody waits. If the
store takes too long over one, the next is half as large.
"""

from __future__ import annotations

import asyncio

from reference.platform.clock import Clock
from reference.platform.contained import ComponentError
from reference.platform.errors import PortError, TimedOut
from reference.platform.event_log import Entry, EventLog
from reference.platform.leases import LEASE_SECONDS
from reference.platform.logs import JsonLog
from reference.platform.metrics import Metrics
from reference.platform.tasks import end
from reference.platform.tracing import Traces, asks, recorded
from reference.shortener.aggregators import Aggregators
from reference.shortener.click_events import click_of, is_click
from reference.shortener.click_repository import ClickRepository, LeasedClickStore

BATCH = 1000
"""Events read at once at most."""
GROW = 50
"""By which a batch that was halved may be larger the next time."""
BLOCK = 0.5
"""Seconds that a read waits for events; much less than a lease lasts."""
GATHER = 0.05
"""Seconds between batches that are not full."""
RETRY, RETRY_COMPONENT = 0.2, 1.0
"""Seconds after an error of a port, or of the component."""
TIDY = 0.25
"""Seconds between two looks at what is left in the log."""


class ClickConsumer:
    """Works on all partitions that it can get. `owner`: its name, the same after a restart."""

    def __init__(
        self,
        log: EventLog,
        clicks: ClickRepository,
        owner: str,
        clock: Clock,
        metrics: Metrics,
        record: JsonLog,
        aggregators: Aggregators,
        traces: Traces | None = None,
    ) -> None:
        self._log = log
        self._clicks = clicks
        self._owner = owner
        self._clock = clock
        self._record = record
        self._aggregators = aggregators
        self._traces = traces or Traces()
        self._counted = metrics.counter(
            "clicks_counted", "Clicks counted; without batches whose outcome this process did not learn"
        )
        self._duplicate = metrics.counter("clicks_duplicate", "Events that had been counted before")
        self._unreadable = metrics.counter(
            "clicks_unreadable", "Events that could not be read, and were skipped"
        )
        self._batches = metrics.counter("click_batches", "Batches counted")
        self._lag = metrics.gauge("consumer_lag_events", "Events not yet counted", "partition")
        self._tasks: list[asyncio.Task[None]] = []
        self._sizes = dict.fromkeys(range(log.partitions), BATCH)
        self.owned: set[int] = set()

    async def start(self) -> None:
        for partition in range(self._log.partitions):
            name = f"consumer-{partition}"
            self._tasks.append(asyncio.create_task(self._work(partition), name=name))

    async def stop(self) -> None:
        """A batch under way is counted or not; the next start finds out."""
        await end(self._tasks)
        self._tasks.clear()

    async def _work(self, partition: int) -> None:
        while True:
            pause = RETRY
            try:
                await self._clicks.prepare()
                store = await self._clicks.acquire(partition, self._owner)
                if store is not None:
                    self.owned.add(partition)
                    await self._work_under(store)
            except ComponentError as error:
                pause = RETRY_COMPONENT
                self._halve(partition)  # it may have been too slow
                self._record.write(
                    "warning", "a batch was not counted", partition=partition, error=str(error)
                )
            except (
                PortError
            ) as error:  # store or log are away, or the partition is somebody else's: begin anew
                if isinstance(error, TimedOut):
                    self._halve(partition)
            except Exception as error:  # a bug of ours; the events are still in the log
                self._record.write("error", "counting failed", partition=partition, error=repr(error))
            finally:
                self.owned.discard(partition)
            await self._clock.sleep(pause)

    def _halve(self, partition: int) -> None:
        self._sizes[partition] = max(1, self._sizes[partition] // 2)

    async def _work_under(self, store: LeasedClickStore) -> None:
        """Until something goes wrong, which is raised."""
        partition = store.partition
        renewed = tidied = self._clock.now()
        untidy = True
        while True:
            size = self._sizes[partition]
            entries = await self._log.read(partition, store.committed, size, BLOCK)
            now = self._clock.now()
            if entries:
                await self._count_recorded(store, entries)
                self._sizes[partition] = min(BATCH, size + GROW)
                renewed, untidy = now, True
            elif now - renewed > LEASE_SECONDS / 3:
                await store.renew()
                renewed = now
            if untidy and (not entries or now - tidied > TIDY):
                await self._tidy(store)
                tidied, untidy = now, False
            if entries and len(entries) < size // 2:
                await self._clock.sleep(GATHER)

    async def _count_recorded(self, store: LeasedClickStore, entries: list[Entry]) -> None:
        """Counts, and takes notes if requests of these clicks are traced."""
        traced = {each.event.trace for each in entries if asks(each.event.trace)}
        if not traced:
            return await self.count(store, entries)
        recording = self._traces.begin(*traced)
        with recorded(recording, "count", partition=store.partition, events=len(entries)):
            await self.count(store, entries)

    async def count(self, store: LeasedClickStore, entries: list[Entry]) -> None:
        """Has a batch counted. Several events may have one offset, so only the last of a read is one to stop at."""
        events = [click_of(each.event) for each in entries if is_click(each.event)]
        new = await self._aggregators.count(store, events, entries[-1].offset)
        unreadable = events.count(None)
        self._counted.inc(new)
        self._duplicate.inc(len(events) - unreadable - new)
        self._unreadable.inc(unreadable)
        self._batches.inc()

    async def _tidy(self, store: LeasedClickStore) -> None:
        """Drops what is done from the log, and tells how much is left."""
        await self._log.trim(store.partition, store.committed)
        lag = await self._log.lag(store.partition, store.committed)
        self._lag.labels(str(store.partition)).set(lag)
