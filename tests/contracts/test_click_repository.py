"""The port ClickRepository: leases, fences, and clicks that count once whatever breaks in between."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from reference.platform import sql
from reference.platform.errors import Indefinite, Unavailable
from reference.platform.event_log import START, Entry, Envelope, MemoryLog
from reference.platform.leases import LEASE_SECONDS, Lease
from reference.platform.logs import JsonLog
from reference.platform.metrics import Metrics
from reference.shortener.click_repository import Click, ClickRepository, LeaseLost, SqlClickRepository
from reference.shortener.consumer import ClickConsumer
from reference.shortener.repository import NewLink, SqlLinkRepository

pytestmark = pytest.mark.anyio


@dataclass
class Store:
    links: SqlLinkRepository
    clicks: SqlClickRepository

    async def counted(self, code: str) -> int:
        stats = await self.links.stats(code)
        assert stats is not None
        return stats.clicks


@pytest.fixture
async def store(services: Any) -> AsyncIterator[Store]:
    database = sql.connect(services.store_url, timeout=5.0)
    links = SqlLinkRepository(database)
    await links.prepare()
    for code in ("abc", "xyz"):
        await links.insert(NewLink(code, "https://example.org/", 1000.0, 2000.0, "hash"))
    yield Store(links, SqlClickRepository(database))
    await database.close()


async def lease_of(store: Store, owner: str = "consumer", now: float = 1000.0) -> Lease:
    lease = await store.clicks.acquire(0, owner, now)
    assert lease is not None
    return lease


async def test_clicks_are_added_and_the_offset_moves(store: Store) -> None:
    lease = await lease_of(store)
    assert lease == Lease(0, 1, START)
    clicks = [Click("1", "abc"), Click("2", "abc"), Click("3", "xyz")]
    assert await store.clicks.count(lease, clicks, "5-0", 1000.0) == 3
    assert (await store.counted("abc"), await store.counted("xyz")) == (2, 1)
    assert (await lease_of(store)).committed == "5-0"


async def test_an_id_counts_once(store: Store) -> None:
    lease = await lease_of(store)
    assert await store.clicks.count(lease, [Click("1", "abc"), Click("1", "abc")], "1-0", 1000.0) == 1
    again = await lease_of(store)
    assert await store.clicks.count(again, [Click("1", "abc"), Click("2", "abc")], "2-0", 1000.0) == 1
    assert await store.counted("abc") == 2


async def test_a_batch_without_clicks_moves_the_offset(store: Store) -> None:
    assert await store.clicks.count(await lease_of(store), [], "7-0", 1000.0) == 0
    assert (await lease_of(store)).committed == "7-0"


async def test_the_offset_moves_only_from_where_it_was_read(store: Store) -> None:
    lease = await lease_of(store)
    await store.clicks.count(lease, [Click("1", "abc")], "1-0", 1000.0)
    with pytest.raises(LeaseLost):  # the same batch again, as after an answer that got lost
        await store.clicks.count(lease, [Click("9", "abc")], "1-0", 1000.0)
    assert await store.counted("abc") == 1


async def test_a_lease_is_exclusive_until_it_runs_out(store: Store) -> None:
    await lease_of(store, "first", 1000.0)
    assert await store.clicks.acquire(0, "second", 1000.0 + LEASE_SECONDS - 0.1) is None
    assert (await lease_of(store, "second", 1000.0 + LEASE_SECONDS + 0.1)).fence == 2
    assert await store.clicks.acquire(0, "first", 1000.0 + LEASE_SECONDS + 0.2) is None


async def test_a_renewed_lease_lasts(store: Store) -> None:
    lease = await lease_of(store, "first", 1000.0)
    await store.clicks.renew(lease, 1004.0)
    assert await store.clicks.acquire(0, "second", 1004.0 + LEASE_SECONDS - 0.1) is None


async def test_whoever_lost_the_lease_can_do_nothing_more(store: Store) -> None:
    """A consumer that was paused believes it still owns the partition; the fence knows better."""
    old = await lease_of(store, "first", 1000.0)
    new = await lease_of(store, "second", 1000.0 + LEASE_SECONDS + 1)
    for attempt in (
        store.clicks.count(old, [Click("1", "abc")], "1-0", 1010.0),
        store.clicks.renew(old, 1010.0),
    ):
        with pytest.raises(LeaseLost):
            await attempt
    assert await store.counted("abc") == 0
    assert await store.clicks.count(new, [Click("1", "abc")], "1-0", 1010.0) == 1


async def test_a_restarted_owner_need_not_wait_and_fences_off_its_former_self(store: Store) -> None:
    old = await lease_of(store, "consumer", 1000.0)
    assert (await lease_of(store, "consumer", 1000.5)).fence == old.fence + 1
    with pytest.raises(LeaseLost):
        await store.clicks.count(old, [Click("1", "abc")], "1-0", 1001.0)


async def test_of_many_that_acquire_at_once_one_succeeds(store: Store) -> None:
    found = await asyncio.gather(*(store.clicks.acquire(0, f"owner-{n}", 1000.0) for n in range(8)))
    assert sum(lease is not None for lease in found) == 1


async def test_old_ids_are_forgotten(store: Store) -> None:
    await store.clicks.count(await lease_of(store), [Click("1", "abc")], "1-0", 1000.0)
    await store.clicks.forget(1000.5)
    assert await store.clicks.count(await lease_of(store), [Click("1", "abc")], "2-0", 2000.0) == 1


# --- the consumer, which crashes


class Crash(BaseException):
    """As kill -9: nothing of the consumer runs afterwards."""


class FailingClicks:
    """`ClickRepository` that fails before or after a batch was counted."""

    def __init__(self, clicks: ClickRepository, when: str, error: type[BaseException]) -> None:
        self.clicks, self.when, self.error, self.left = clicks, when, error, 1

    async def acquire(self, partition: int, owner: str, now: float) -> Lease | None:
        return await self.clicks.acquire(partition, owner, now)

    async def renew(self, lease: Lease, now: float) -> None:
        await self.clicks.renew(lease, now)

    async def forget(self, before: float) -> None: ...

    async def count(self, lease: Lease, clicks: Sequence[Click], offset: str, now: float) -> int:
        self.fail("before counting")
        counted = await self.clicks.count(lease, clicks, offset, now)
        self.fail("after counting")
        return counted

    def fail(self, step: str) -> None:
        if step == self.when and self.left:
            self.left -= 1
            raise self.error


class FailingLog(MemoryLog):
    when, error, left = "", Unavailable, 0

    async def read(self, partition: int, after: str, limit: int, block: float = 0.0) -> list[Entry]:
        self.fail("before reading")
        found = await super().read(partition, after, limit, min(block, 0.01))
        if found:
            self.fail("after reading")
        return found

    async def trim(self, partition: int, below: str) -> None:
        self.fail("before trimming")
        await super().trim(partition, below)
        self.fail("after trimming")

    def fail(self, step: str) -> None:
        if step == self.when and self.left:
            self.left -= 1
            raise self.error


class QuickClock:
    def now(self) -> float:
        return 1000.0

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds / 100)


STEPS = [
    "before reading",
    "after reading",
    "before counting",
    "after counting",
    "before trimming",
    "after trimming",
]


@pytest.mark.parametrize("error", [Crash, Unavailable, Indefinite])
@pytest.mark.parametrize("step", STEPS)
async def test_each_click_counts_once_whatever_breaks(
    store: Store, step: str, error: type[BaseException]
) -> None:
    """Also with a producer that repeated itself. A crash is followed by a new consumer of the same name."""
    log = FailingLog(1)
    log.when, log.error, log.left = step, error, 1  # type: ignore[assignment]
    failing = FailingClicks(store.clicks, step, error)
    events = [Envelope(f"id-{n}", "abc" if n % 3 else "xyz", "link.clicked", 1, 1000.0) for n in range(30)]
    await log.append(events)
    await log.append(events[10:20])

    async def consume() -> None:
        consumer = ClickConsumer(log, failing, "consumer", QuickClock(), Metrics(), JsonLog("consumer"))
        await consumer.start()
        try:
            async with asyncio.timeout(10):
                while await store.counted("abc") < 20 or await store.counted("xyz") < 10:
                    for task in consumer._tasks:
                        if task.done():
                            task.result()
                    await asyncio.sleep(0.005)
        finally:
            await consumer.stop()

    try:
        await consume()
    except Crash:
        await consume()
    await asyncio.sleep(0.02)
    assert (await store.counted("abc"), await store.counted("xyz")) == (20, 10)
    assert log.left + failing.left == 1, "the failure must have happened, once"
    lease = await lease_of(store)
    assert await log.lag(0, lease.committed) == 0
