"""The ports ClickRepository and ClickStore: leases, fences, and clicks that count once whatever breaks in between."""

import asyncio
import math
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from typing import Any

import pytest

from reference.platform import sql
from reference.platform.errors import Indefinite, LeaseLost, PortError, Unavailable
from reference.platform.event_log import START, Entry
from reference.platform.events import Envelope
from reference.platform.leases import LEASE_SECONDS, Lease
from reference.platform.logs import JsonLog
from reference.platform.memory_log import MemoryLog
from reference.platform.metrics import Metrics
from reference.shortener.aggregators import PerPartition
from reference.shortener.click_aggregator import ClickAggregator
from reference.shortener.click_repository import LeasedClickStore, SqlClickRepository
from reference.shortener.components import Bucket, Click, Counted
from reference.shortener.consumer import ClickConsumer
from reference.shortener.plain.click_aggregator import ClickAggregator as PlainAggregator

pytestmark = pytest.mark.anyio


@dataclass
class FakeClock:
    time: float = 1_800_000_000.0

    def now(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds / 100)


@dataclass
class World:
    database: sql.Database
    clock: FakeClock
    clicks: SqlClickRepository

    async def lease(self, owner: str = "consumer", partition: int = 0) -> LeasedClickStore:
        store = await self.clicks.acquire(partition, owner)
        assert store is not None
        return store

    async def counts(self) -> dict[Bucket, int]:
        rows = await self.database.query("SELECT * FROM click_counts")
        return {Bucket(**{name: row[name] for name in Bucket.__slots__}): row["clicks"] for row in rows}

    async def total(self, code: str) -> int:
        return (await self.counts()).get(Bucket(code, "total", 0), 0)

    async def raw(self) -> list[dict[str, Any]]:
        return await self.database.query("SELECT * FROM raw_clicks ORDER BY event_id")


@pytest.fixture
async def world(services: Any) -> AsyncIterator[World]:
    database = sql.connect(services.store_url, timeout=5.0)
    clock = FakeClock()
    clicks = SqlClickRepository(database, clock)
    await clicks.prepare()
    yield World(database, clock, clicks)
    await database.close()


def batch(*codes: str, first: int = 0) -> tuple[Click, ...]:
    return tuple(Click(f"id-{first + n}", code, 1_800_000_000.0) for n, code in enumerate(codes))


def counted(clicks: tuple[Click, ...], offset: str | None) -> Counted:
    growth: dict[Bucket, int] = {}
    for click in clicks:
        bucket = Bucket(click.code, "total", 0)
        growth[bucket] = growth.get(bucket, 0) + 1
    return Counted(clicks, growth, offset)


async def test_a_batch_is_added_remembered_and_the_offset_moves(world: World) -> None:
    store = await world.lease()
    assert store.lease == Lease(0, 1, START)
    await store.commit(counted(batch("abc", "abc", "xyz"), "5-0"))
    assert (await world.total("abc"), await world.total("xyz")) == (2, 1)
    assert store.committed == "5-0"
    assert (await world.lease()).committed == "5-0"
    assert await store.known(["id-0", "id-2", "id-9"]) == {"id-0", "id-2"}
    assert await store.known([]) == set()


async def test_a_click_is_kept_with_what_is_known_of_the_visitor(world: World) -> None:
    click = Click("id-1", "abc", 1_799_999_999.5, "news.example", "Firefox", "203.0.113.0/24")
    store = await world.lease()
    await store.commit(counted((click, Click("id-2", "abc", math.nan)), "1-0"))
    first, second = await world.raw()
    assert first == {
        "event_id": "id-1",
        "code": "abc",
        "time": 1_799_999_999.5,
        "referrer": "news.example",
        "agent": "Firefox",
        "address": "203.0.113.0/24",
        "counted_at": world.clock.time,
    }
    assert second["time"] is None


async def test_every_bucket_has_a_count_of_its_own(world: World) -> None:
    buckets = [
        Bucket("abc", "total", 0),
        Bucket("abc", "minute", 60),
        Bucket("abc", "minute", 120),
        Bucket("abc", "hour", 0),
        Bucket("abc", "total", 0, "referrer", ""),
        Bucket("abc", "total", 0, "referrer", "a.example"),
        Bucket("abc", "total", 0, "agent", "a.example"),
        Bucket("xyz", "total", 0),
    ]
    store = await world.lease()
    first = {bucket: n for n, bucket in enumerate(buckets, 1)}
    await store.commit(Counted((), first, "1-0"))
    assert await world.counts() == first
    await store.commit(Counted((), dict.fromkeys(buckets[2:], 10), "2-0"))
    assert await world.counts() == {b: n + (10 if n > 2 else 0) for b, n in first.items()}


@pytest.mark.parametrize("size", [1, 19, 20, 199, 200, 201, 1234])
async def test_a_batch_may_have_any_size(world: World, size: int) -> None:
    store = await world.lease()
    clicks = batch(*(f"code-{n}" for n in range(size)))
    await store.commit(counted(clicks, "1-0"))
    await store.commit(counted(tuple(Click(f"more-{c.event_id}", c.code, c.time) for c in clicks), "2-0"))
    assert list((await world.counts()).values()) == [2] * size
    assert await store.known(c.event_id for c in clicks) == {c.event_id for c in clicks}


async def test_a_commit_without_an_offset_leaves_it(world: World) -> None:
    store = await world.lease()
    await store.commit(counted(batch("abc"), None))
    assert (await world.lease()).committed == START
    assert await world.total("abc") == 1


async def test_the_offset_moves_only_from_where_it_was_read(world: World) -> None:
    store = await world.lease()
    before = LeasedClickStore(world.database, store.lease, world.clock)
    await store.commit(counted(batch("abc"), "1-0"))
    with pytest.raises(LeaseLost):  # the same batch again, as after an answer that got lost
        await before.commit(counted(batch("abc"), "1-0"))
    assert await world.total("abc") == 1


async def test_what_cannot_be_kept_is_refused_as_a_whole(world: World) -> None:
    store = await world.lease()
    wrong: list[Any] = [
        *({Bucket("abc", "total", 0): each} for each in (1.0, "1", None, True)),
        {Bucket("abc", "total", 0.5): 1},  # type: ignore[arg-type]
        {Bucket(None, "total", 0): 1},  # type: ignore[arg-type]
        {Bucket("abc", "total", 0, "agent", None): 1},  # type: ignore[arg-type]
    ]
    for growth in wrong:
        with pytest.raises(TypeError, match="cannot be kept"):
            await store.commit(Counted(batch("abc"), growth, "1-0"))
    assert await world.raw() == []
    assert (await world.lease()).committed == START


# --- leases


async def test_a_lease_is_exclusive_until_it_runs_out(world: World) -> None:
    await world.lease("first")
    world.clock.time += LEASE_SECONDS - 0.1
    assert await world.clicks.acquire(0, "second") is None
    world.clock.time += 0.2
    assert (await world.lease("second")).lease.fence == 2
    assert await world.clicks.acquire(0, "first") is None


async def test_partitions_have_leases_of_their_own(world: World) -> None:
    first, second = await world.lease("first", 0), await world.lease("second", 1)
    await first.commit(counted(batch("abc"), "1-0"))
    await second.commit(counted(batch("xyz", first=1), "7-0"))
    assert (await world.lease("first", 0)).committed == "1-0"
    assert (await world.lease("second", 1)).committed == "7-0"


@pytest.mark.parametrize("offset", ["1-0", None])
async def test_a_renewed_lease_lasts_and_counting_renews_it(world: World, offset: str | None) -> None:
    store = await world.lease("first")
    for keep in (store.renew, lambda: store.commit(counted((), offset))):
        world.clock.time += LEASE_SECONDS - 1
        await keep()
    world.clock.time += LEASE_SECONDS - 1
    assert await world.clicks.acquire(0, "second") is None


@pytest.mark.parametrize("offset", ["1-0", None])
async def test_whoever_lost_the_lease_can_do_nothing_more(world: World, offset: str | None) -> None:
    """A consumer that was paused believes it still owns the partition; the fence knows better."""
    old = await world.lease("first")
    world.clock.time += LEASE_SECONDS + 1
    new = await world.lease("second")
    for attempt in (old.commit(counted(batch("abc"), offset)), old.renew()):
        with pytest.raises(LeaseLost):
            await attempt
    assert await world.counts() == {}
    assert await world.raw() == []
    await new.commit(counted(batch("abc"), "1-0"))
    assert await world.total("abc") == 1


async def test_a_restarted_owner_need_not_wait_and_fences_off_its_former_self(world: World) -> None:
    old = await world.lease()
    assert (await world.lease()).lease.fence == old.lease.fence + 1
    with pytest.raises(LeaseLost):
        await old.commit(counted(batch("abc"), "1-0"))


async def test_of_many_that_acquire_at_once_one_succeeds(world: World) -> None:
    found = await asyncio.gather(*(world.clicks.acquire(0, f"owner-{n}") for n in range(8)))
    assert sum(store is not None for store in found) == 1


# --- forgetting


async def test_forgotten_links_leave_ids_and_nothing_else(world: World) -> None:
    store = await world.lease()
    aggregator = ClickAggregator(store=store, clock=world.clock)
    told = [
        Click(f"id-{n}", code, world.clock.time, "a.example", "bot") for n, code in enumerate(("abc", "xyz"))
    ]
    await aggregator.count(told, "1-0")
    await world.clicks.forget_codes(["abc", *(f"other-{n}" for n in range(120))])
    gone, kept = await world.raw()
    assert gone["event_id"] == "id-0"
    assert [gone[name] for name in ("code", "time", "referrer", "agent", "address")] == ["", None, "", "", ""]
    assert (kept["code"], kept["referrer"]) == ("xyz", "a.example")
    assert {bucket.code for bucket in await world.counts()} == {"xyz"}
    await world.clicks.forget_codes(["abc"])  # again, as after an answer that got lost


async def test_an_event_that_the_log_tells_again_does_not_bring_a_forgotten_link_back(world: World) -> None:
    store = await world.lease()
    for offset in ("1-0", "2-0"):
        aggregator = ClickAggregator(store=store, clock=world.clock)
        await aggregator.count(batch("abc"), offset)
        await world.clicks.forget_codes(["abc"])
    assert await world.counts() == {}


# --- the consumer, which crashes


class Crash(BaseException):
    """As kill -9: nothing of the consumer runs afterwards."""


@dataclass
class Failure:
    """Happens once, at one step."""

    step: str
    error: type[BaseException]
    left: int = 1

    def at(self, step: str) -> None:
        if step == self.step and self.left:
            self.left -= 1
            raise self.error


class FailingStore:
    def __init__(self, store: LeasedClickStore, failure: Failure) -> None:
        self.store, self.failure = store, failure

    def __getattr__(self, name: str) -> Any:
        return getattr(self.store, name)

    async def known(self, event_ids: Iterable[str]) -> set[str]:
        self.failure.at("before looking up")
        return await self.store.known(event_ids)

    async def commit(self, counted: Counted) -> None:
        self.failure.at("before counting")
        await self.store.commit(counted)
        self.failure.at("after counting")


class FailingClicks:
    def __init__(self, clicks: SqlClickRepository, failure: Failure) -> None:
        self.clicks, self.failure = clicks, failure

    async def prepare(self) -> None:
        await self.clicks.prepare()

    async def acquire(self, partition: int, owner: str) -> Any:
        store = await self.clicks.acquire(partition, owner)
        self.failure.at("after acquiring")
        return FailingStore(store, self.failure) if store else None


class FailingLog(MemoryLog):
    failure: Failure

    async def read(self, partition: int, after: str, limit: int, block: float = 0.0) -> list[Entry]:
        self.failure.at("before reading")
        found = await super().read(partition, after, min(limit, 7), min(block, 0.01))
        if found:
            self.failure.at("after reading")
        return found

    async def trim(self, partition: int, below: str) -> None:
        self.failure.at("before trimming")
        await super().trim(partition, below)
        self.failure.at("after trimming")


STEPS = [
    *("after acquiring", "before reading", "after reading", "before looking up"),
    *("before counting", "after counting", "before trimming", "after trimming"),
]


@pytest.mark.parametrize(
    ("aggregator", "error"),
    [
        (ClickAggregator, Crash),
        (ClickAggregator, Unavailable),
        (ClickAggregator, Indefinite),
        (PlainAggregator, Indefinite),
    ],
)
@pytest.mark.parametrize("step", STEPS)
async def test_each_click_counts_once_whatever_breaks(
    world: World, step: str, error: type[BaseException], aggregator: Any
) -> None:
    """Also with a producer that repeated itself. A crash is followed by a new consumer of the same name."""
    failure = Failure(step, error)
    log = FailingLog(1)
    log.failure = failure
    now = world.clock.time
    events = [Envelope(f"id-{n}", "abc" if n % 3 else "xyz", "link.clicked", 2, now) for n in range(30)]
    await log.append([*events, *events[10:20]])

    async def consume() -> None:
        consumer = ClickConsumer(
            log,
            FailingClicks(world.clicks, failure),  # type: ignore[arg-type]
            "consumer",
            world.clock,
            Metrics(),
            JsonLog("consumer"),
            PerPartition(aggregator, clock=world.clock),
        )
        await consumer.start()
        try:
            async with asyncio.timeout(10):
                while (await world.total("abc"), await world.total("xyz")) != (20, 10) or failure.left:
                    for task in consumer._tasks:
                        if task.done():
                            task.result()
                    world.clock.time += 0.3
                    await asyncio.sleep(0.005)
        finally:
            await consumer.stop()

    try:
        await consume()
    except Crash:
        await consume()
    counts = await world.counts()
    assert (counts[Bucket("abc", "total", 0)], counts[Bucket("xyz", "total", 0)]) == (20, 10)
    assert len(await world.raw()) == 30
    assert not failure.left, "the failure must have happened"


async def test_two_consumers_share_the_partitions_and_take_over_from_each_other(world: World) -> None:
    log = MemoryLog(4)

    def consumer(owner: str) -> ClickConsumer:
        aggregators = PerPartition(ClickAggregator, clock=world.clock)
        return ClickConsumer(log, world.clicks, owner, world.clock, Metrics(), JsonLog(owner), aggregators)

    async def counted_all(of: int) -> None:
        async with asyncio.timeout(10):
            while (
                sum(n for b, n in (await world.counts()).items() if b.width == "day" and not b.dimension) < of
            ):
                world.clock.time += 0.1
                await asyncio.sleep(0.01)

    def events(first: int) -> list[Envelope]:
        now = world.clock.time
        return [
            Envelope(f"id-{n}", f"code-{n % 9}", "link.clicked", 2, now) for n in range(first, first + 90)
        ]

    one, two = consumer("one"), consumer("two")
    await one.start()
    await two.start()
    await log.append(events(0))
    await counted_all(90)
    assert not one.owned & two.owned
    await one.stop()
    await log.append(events(90))
    await counted_all(180)
    await two.stop()
    assert len(await world.raw()) == 180


async def test_errors_of_the_store_are_errors_of_ports(world: World) -> None:
    store = await world.lease()
    await world.database.transaction([sql.statement("DROP TABLE raw_clicks")])
    with pytest.raises(PortError):
        await store.commit(counted(batch("abc"), "1-0"))
