"""Counts clicks: reads the event log, adds to the counts, each event once.

Every partition has a task, and is worked on under a fenced lease. A batch is counted in one transaction: its
ids, the counts, and the offset. Killed before it, nothing has happened, and the batch is read again. Killed
after it, the offset has moved. Unsure (an Indefinite error), the task acquires its lease anew, which tells the
offset. Only what is below a committed offset is trimmed from the log.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace

from reference.platform.clock import Clock
from reference.platform.errors import PortError
from reference.platform.event_log import Entry, EventLog
from reference.platform.leases import LEASE_SECONDS, Lease
from reference.platform.logs import JsonLog
from reference.platform.metrics import Metrics
from reference.shortener.click_repository import REMEMBERED, Click, ClickRepository, LeaseLost
from reference.shortener.clicks import CLICKED

BATCH = 500
BLOCK = 0.5
"""Seconds that a read waits for events; much less than a lease lasts."""
RETRY = 0.2
GATHER = 0.02
"""Seconds between batches: small ones cost a flush to the disk each."""
FORGET_EVERY = 600.0


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
    ) -> None:
        self._log = log
        self._clicks = clicks
        self._owner = owner
        self._clock = clock
        self._record = record
        self._counted = metrics.counter("clicks_counted", "Clicks counted")
        self._duplicate = metrics.counter("clicks_duplicate", "Events that had been counted before")
        self._lag = metrics.gauge("consumer_lag_events", "Events not yet counted", "partition")
        self._tasks: list[asyncio.Task[None]] = []
        self.owned: set[int] = set()

    async def start(self) -> None:
        for partition in range(self._log.partitions):
            name = f"consumer-{partition}"
            self._tasks.append(asyncio.create_task(self._work(partition), name=name))
        self._tasks.append(asyncio.create_task(self._forget(), name="consumer-forget"))

    async def stop(self) -> None:
        """A batch under way is counted or not; the next start finds out."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()

    async def _work(self, partition: int) -> None:
        while True:
            try:
                lease = await self._clicks.acquire(partition, self._owner, self._clock.now())
                if lease is not None:
                    self.owned.add(partition)
                    await self._work_under(lease)
            except (PortError, LeaseLost):
                pass  # the store or the log is away, or the partition is somebody else's: begin anew
            except Exception as error:  # a bug of ours; the events are still in the log
                self._record.write("error", "counting failed", partition=partition, error=repr(error))
            finally:
                self.owned.discard(partition)
            await self._clock.sleep(RETRY)

    async def _work_under(self, lease: Lease) -> None:
        """Until something goes wrong, which is raised."""
        renewed = self._clock.now()
        while True:
            entries = await self._log.read(lease.partition, lease.committed, BATCH, BLOCK)
            if entries:
                lease = await self.count(lease, entries)
                renewed = self._clock.now()
                await self._log.trim(lease.partition, lease.committed)
                lag = await self._log.lag(lease.partition, lease.committed)
                self._lag.labels(str(lease.partition)).set(lag)
                await self._clock.sleep(GATHER)
            elif self._clock.now() - renewed > LEASE_SECONDS / 3:
                renewed = self._clock.now()
                await self._clicks.renew(lease, renewed)
                self._lag.labels(str(lease.partition)).set(0)

    async def count(self, lease: Lease, entries: list[Entry]) -> Lease:
        """Counts a batch; returns the lease with its new offset."""
        clicks = [Click(each.event.id, each.event.key) for each in entries if each.event.type == CLICKED]
        offset = entries[-1].offset
        new = await self._clicks.count(lease, clicks, offset, self._clock.now())
        self._counted.inc(new)
        self._duplicate.inc(len(clicks) - new)
        return replace(lease, committed=offset)

    async def _forget(self) -> None:
        while True:
            await self._clock.sleep(FORGET_EVERY)
            try:
                await self._clicks.forget(self._clock.now() - REMEMBERED)
            except (PortError, LeaseLost):
                pass
