"""The consumer over fakes: how it cuts batches, what it counts in its metrics, and components that fail."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from reference.platform.errors import LeaseLost, TimedOut, Unavailable
from reference.platform.event_log import START, Entry
from reference.platform.events import Envelope
from reference.platform.fillings import Equipment
from reference.platform.leases import LEASE_SECONDS, Lease
from reference.platform.logs import JsonLog
from reference.platform.memory_log import MemoryLog
from reference.platform.metrics import Metrics
from reference.platform.modules import ComponentRejected
from reference.shortener.aggregators import AggregatorSlot, SlottedAggregators
from reference.shortener.click_aggregator import ClickAggregator
from reference.shortener.components import Click, Counted
from reference.shortener.consumer import BATCH, BLOCK, GATHER, RETRY_COMPONENT, ClickConsumer
from reference.shortener.plain.click_aggregator import ClickAggregator as PlainAggregator
from reference.shortener.slots import CLICK_AGGREGATOR

pytestmark = pytest.mark.anyio


class FakeClock:
    """`sleep` is short; what was slept, and in virtual time, is kept."""

    def __init__(self) -> None:
        self.time = 1_800_000_000.0
        self.slept: list[float] = []

    def now(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += seconds
        await asyncio.sleep(0)


class FakeLog(MemoryLog):
    """`reads`: the limit of each read that found something. An empty read takes its time, on the clock."""

    def __init__(self, clock: FakeClock, partitions: int = 1) -> None:
        super().__init__(partitions)
        self.clock = clock
        self.reads: list[int] = []
        self.trims: list[str] = []
        self.broken = 0

    async def read(self, partition: int, after: str, limit: int, block: float = 0.0) -> list[Entry]:
        await asyncio.sleep(0)
        if self.broken:
            self.broken -= 1
            raise Unavailable
        found = await super().read(partition, after, limit)
        if found:
            self.reads.append(limit)
        else:
            self.clock.time += block
        return found

    async def trim(self, partition: int, below: str) -> None:
        self.trims.append(below)
        await super().trim(partition, below)


class FakeStore:
    """`LeasedClickStore` of one partition, and all that its repository remembers."""

    def __init__(self, clicks: "FakeClicks", lease: Lease) -> None:
        self.clicks, self.lease = clicks, lease

    @property
    def partition(self) -> int:
        return self.lease.partition

    @property
    def committed(self) -> str:
        return self.lease.committed

    async def known(self, event_ids: Iterable[str]) -> set[str]:
        return self.clicks.ids & set(event_ids)

    async def commit(self, counted: Counted) -> None:
        if self.clicks.commit_errors:
            raise self.clicks.commit_errors.pop(0)
        if self.lease.fence != self.clicks.fences[self.partition]:
            raise LeaseLost
        self.clicks.ids |= {click.event_id for click in counted.clicks}
        if counted.offset:
            self.clicks.offsets[self.partition] = counted.offset
            self.lease = replace(self.lease, committed=counted.offset)

    async def renew(self) -> None:
        self.clicks.renewals += 1


class FakeClicks:
    def __init__(self) -> None:
        self.ids: set[str] = set()
        self.offsets: dict[int, str] = {}
        self.fences: dict[int, int] = {}
        self.commit_errors: list[Exception] = []
        self.renewals = 0

    async def prepare(self) -> None: ...

    async def acquire(self, partition: int, owner: str) -> Any:
        self.fences[partition] = self.fences.get(partition, 0) + 1
        offset = self.offsets.get(partition, START)
        return FakeStore(self, Lease(partition, self.fences[partition], offset))


class World:
    def __init__(self, partitions: int = 1) -> None:
        self.clock = FakeClock()
        self.log = FakeLog(self.clock, partitions)
        self.clicks = FakeClicks()
        self.metrics = Metrics()
        self.slot = AggregatorSlot(CLICK_AGGREGATOR, self.equip, lambda event: None, self.count_error)
        self.consumer = ClickConsumer(
            self.log,
            self.clicks,  # type: ignore[arg-type]
            "consumer",
            self.clock,
            self.metrics,
            JsonLog("consumer"),
            SlottedAggregators(self.slot),
        )

    def equip(self) -> Equipment:
        async def close() -> None: ...

        return Equipment({"clock": self.clock}, close)

    def count_error(self, error: str) -> None:
        self.metrics.component_errors.labels(CLICK_AGGREGATOR.name, error).inc()

    def metric(self, name: str, **labels: str) -> float:
        return self.metrics.registry.get_sample_value(name, labels) or 0.0

    async def run_until(self, done: Callable[[], bool]) -> None:
        await self.consumer.start()
        try:
            await until(done)
        finally:
            await self.consumer.stop()

    async def append(self, count: int, first: int = 0) -> None:
        await self.log.append([click(n) for n in range(first, first + count)])


async def until(done: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not done():  # noqa: ASYNC110
            await asyncio.sleep(0)


def click(number: int, **more: Any) -> Envelope:
    return Envelope(
        **{"id": f"id-{number}", "key": "abc", "type": "link.clicked", "version": 2, "time": 5.0, **more}
    )


async def world(make: Any = ClickAggregator, partitions: int = 1) -> World:
    made = World(partitions)
    await made.slot.put("test", make)
    return made


async def test_what_is_counted_repeated_and_unreadable_is_told() -> None:
    w = await world()
    await w.log.append(
        [click(1), click(2), click(1), click(3, version=9), click(4, type="unreadable", key="")]
    )
    await w.log.append([click(5, type="link.created"), click(6)])
    await w.run_until(lambda: len(w.clicks.ids) == 3 and w.log.trims != [])
    assert w.metric("clicks_counted_total") == 3
    assert w.metric("clicks_duplicate_total") == 1
    assert w.metric("clicks_unreadable_total") == 2
    assert w.metric("consumer_lag_events", partition="0") == 0


async def test_a_lone_click_is_counted_at_once_and_the_next_ones_gather() -> None:
    w = await world()
    await w.append(1)
    await w.run_until(lambda: len(w.clicks.ids) == 1 and GATHER in w.clock.slept)
    assert w.clock.slept == [GATHER]


async def test_a_flood_is_counted_in_full_batches_without_a_pause() -> None:
    w = await world()
    await w.append(3 * BATCH)
    await w.run_until(lambda: len(w.clicks.ids) == 3 * BATCH)
    assert w.log.reads == [BATCH] * 3
    assert w.clock.slept == []
    assert w.metric("click_batches_total") == 3


async def test_a_batch_that_takes_too_long_is_halved_and_grows_again() -> None:
    w = await world()
    w.clicks.commit_errors = [TimedOut(), TimedOut()]
    await w.append(2 * BATCH)
    await w.run_until(lambda: len(w.clicks.ids) == 2 * BATCH)
    assert w.log.reads[:3] == [BATCH, BATCH // 2, BATCH // 4]
    assert BATCH // 4 < w.log.reads[4] < BATCH


async def test_an_idle_consumer_keeps_its_lease_and_tidies_once() -> None:
    w = await world()
    await w.append(1)
    await w.run_until(lambda: w.clicks.renewals == 3)
    assert w.clicks.fences == {0: 1}
    assert BLOCK < LEASE_SECONDS / 3
    assert len(w.log.trims) <= 3
    assert w.log.trims[-1] == w.clicks.offsets[0]


async def test_a_log_that_is_away_is_asked_again() -> None:
    w = await world()
    w.log.broken = 3
    await w.append(5)
    await w.run_until(lambda: len(w.clicks.ids) == 5)
    assert w.consumer.owned == set()  # stopped


async def test_events_that_share_an_offset_are_never_parted() -> None:
    """As those of one pack: the log gives them together, and only the last entry's offset is committed."""
    w = await world()
    offsets: list[str] = []

    class Watching(ClickAggregator):
        async def count(self, events: Sequence[Click | None], offset: str) -> int:
            offsets.append(offset)
            return await super().count(events, offset)

    await w.slot.put("watching", Watching)
    entries = [Entry("1-0" if n < 4 else "2-0", click(n)) for n in range(6)]
    await w.consumer.count(await w.clicks.acquire(0, "consumer"), entries)
    assert offsets == ["2-0"]
    assert w.clicks.offsets == {0: "2-0"}


# --- components


class Failing(ClickAggregator):
    left = 2

    async def count(self, events: Sequence[Click | None], offset: str) -> int:
        if Failing.left:
            Failing.left -= 1
            raise ZeroDivisionError("by design")
        return await super().count(events, offset)


class Forgetful(ClickAggregator):
    async def count(self, events: Sequence[Click | None], offset: str) -> int:
        return len(events)


class Boastful(ClickAggregator):
    async def count(self, events: Sequence[Click | None], offset: str) -> int:
        return await super().count(events, offset) + 1


class Leaving(ClickAggregator):
    async def count(self, events: Sequence[Click | None], offset: str) -> int:
        raise SystemExit


async def test_a_component_that_fails_is_counted_made_anew_and_asked_again() -> None:
    Failing.left = 2
    w = await world(Failing)
    await w.append(3)
    await w.run_until(lambda: len(w.clicks.ids) == 3)
    assert w.metric("component_errors_total", slot=CLICK_AGGREGATOR.name, error="ZeroDivisionError") == 2
    assert w.clock.slept[:2] == [RETRY_COMPONENT, RETRY_COMPONENT]
    assert w.clicks.fences == {0: 3}, "each failure costs the lease, and what was bound to it"


@pytest.mark.parametrize(
    ("component", "error"), [(Forgetful, "WrongAnswer"), (Boastful, "WrongAnswer"), (Leaving, "SystemExit")]
)
async def test_what_a_component_must_not_do_is_noticed(component: Any, error: str) -> None:
    w = await world(component)
    await w.append(3)
    errors = {"slot": CLICK_AGGREGATOR.name, "error": error}
    await w.run_until(lambda: w.metric("component_errors_total", **errors) >= 1)
    assert w.metric("clicks_counted_total") == 0
    assert w.log.trims == []


async def test_a_swap_counts_from_the_next_batch_on_and_repairs_what_was_stuck() -> None:
    w = await world(Leaving)
    await w.append(3)
    await w.consumer.start()
    try:
        errors = {"slot": CLICK_AGGREGATOR.name, "error": "SystemExit"}
        await until(lambda: w.metric("component_errors_total", **errors) > 0)
        for number, make in enumerate((PlainAggregator, ClickAggregator), 1):
            swapped = await w.slot.put("next", make)
            assert swapped["problems"] == []
            await w.append(3, first=10 * number)
            await until(lambda expected=3 + 3 * number: len(w.clicks.ids) == expected)  # type: ignore[misc]
    finally:
        await w.consumer.stop()


async def test_each_partition_and_each_lease_has_an_instance_of_its_own() -> None:
    made: list[int] = []

    class Noting(ClickAggregator):
        def __init__(self, *, store: Any, clock: Any) -> None:
            super().__init__(store=store, clock=clock)
            if isinstance(store, FakeStore):
                made.append(store.partition)

    w = await world(Noting, partitions=2)
    keys = ["abc", "key-1", "key-2", "key-3", "key-4"]
    for _ in range(3):
        await w.log.append([click(n, key=key, id=f"{_}-{n}") for n, key in enumerate(keys)])
    await w.run_until(lambda: len(w.clicks.ids) == 15)
    assert sorted(made) == [0, 1]


@pytest.mark.parametrize("attribute", ["count", "__init__"])
async def test_a_class_that_is_no_aggregator_is_not_swapped_in(attribute: str) -> None:
    w = await world()
    with pytest.raises(ComponentRejected, match="ClickAggregator"):
        await w.slot.put("wrong", type("Wrong", (ClickAggregator,), {attribute: lambda self: None}))
    assert w.slot.filling == "test"
