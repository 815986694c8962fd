"""The click buffer: never waits, loses at most what it says, and keeps an event's id through every retry."""

import asyncio
import random
from collections.abc import Sequence

import pytest

from reference.platform.errors import Indefinite, Unavailable
from reference.platform.event_log import START
from reference.platform.events import Envelope
from reference.platform.memory_log import MemoryLog
from reference.platform.metrics import Metrics
from reference.platform.packs import Row, Stem
from reference.shortener.clicks import BATCH, ClickBuffer
from reference.shortener.privacy import Visitor

pytestmark = pytest.mark.anyio

VISITOR = Visitor("news.example", "Firefox", "203.0.113.0/24")


class Log(MemoryLog):
    """Fails while `away`; `lying`: appends all the same, as when the acknowledgement gets lost."""

    away = lying = False
    calls = 0

    async def append_rows(self, stem: Stem, rows: Sequence[Row]) -> None:
        self.calls += 1
        assert len(rows) <= BATCH
        if self.lying or not self.away:
            await super().append_rows(stem, rows)
        if self.away:
            raise Indefinite("?") if self.lying else Unavailable("away")

    async def ids(self) -> list[str]:
        return [entry.event.id for entry in await self.read(0, START, 10_000)]


class Clock:
    def now(self) -> float:
        return 1000.0

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds / 50)


class World:
    def __init__(self, capacity: int) -> None:
        self.log, self.metrics = Log(1), Metrics()
        self.buffer = ClickBuffer(self.log, capacity, Clock(), random.Random(1), self.metrics)

    def count(self, outcome: str) -> float:
        return self.metrics.registry.get_sample_value("click_events_total", {"outcome": outcome}) or 0.0

    async def empty(self) -> None:
        async with asyncio.timeout(5):
            while len(self.buffer):  # noqa: ASYNC110
                await asyncio.sleep(0.001)


async def test_clicks_reach_the_log_in_order() -> None:
    world = World(5000)
    await world.buffer.start()
    for n in range(2 * BATCH + 50):
        assert world.buffer.offer(f"code-{n}", "trace", VISITOR)
    await world.empty()
    await world.buffer.stop()
    entries = await world.log.read(0, START, 10_000)
    assert [entry.event.key for entry in entries] == [f"code-{n}" for n in range(2 * BATCH + 50)]
    assert world.count("accepted") == 2 * BATCH + 50
    assert world.log.calls >= 3


async def test_what_is_under_way_counts_against_the_capacity() -> None:
    world = World(3)
    world.log.away = True
    await world.buffer.start()
    taken = [world.buffer.offer("abc", "", VISITOR) for _ in range(5)]
    assert taken == [True, True, True, False, False]
    await asyncio.sleep(0.02)
    assert world.log.calls > 1
    assert not world.buffer.offer("abc", "", VISITOR)
    assert world.metrics.registry.get_sample_value("click_buffer_events") == 3
    world.log.away = False
    await world.empty()
    await world.buffer.stop()
    assert (world.count("accepted"), world.count("dropped")) == (3, 3)
    assert world.count("retried") > 0
    assert len(await world.log.ids()) == 3


async def test_a_retry_carries_the_same_ids() -> None:
    world = World(10)
    world.log.away = world.log.lying = True
    await world.buffer.start()
    world.buffer.offer("abc", "", VISITOR)
    world.buffer.offer("abc", "", VISITOR)
    await asyncio.sleep(0.02)
    world.log.away = False
    await world.empty()
    await world.buffer.stop()
    ids = await world.log.ids()
    assert len(ids) > 2
    assert len(set(ids)) == 2


async def test_stopping_appends_what_is_there() -> None:
    world = World(1000)
    await world.buffer.start()
    for _ in range(5):
        world.buffer.offer("abc", "", VISITOR)
    await world.buffer.stop()
    assert len(await world.log.ids()) == 5


async def test_stopping_does_not_wait_for_a_log_that_is_away() -> None:
    world = World(1000)
    world.log.away = True
    await world.buffer.start()
    world.buffer.offer("abc", "", VISITOR)
    async with asyncio.timeout(2):
        await world.buffer.stop(patience=0.05)
    assert world.count("dropped") == 1


async def test_an_event_is_what_json_would_make_of_it() -> None:
    """The text is put together by hand: nothing that a code or a request id may hold breaks out of it."""
    world = World(10)
    await world.buffer.start()
    for code, trace in (("abc", "trace-1"), ('a"b\\c\n', "\u2028é\x00")):
        world.buffer.offer(code, trace, Visitor('"', "\\", ""))
        world.buffer.offer(code, trace, VISITOR)
    await world.empty()
    await world.buffer.stop()
    events = [entry.event for entry in await world.log.read(0, START, 10)]
    ids = [each.id for each in events]
    assert len(set(ids)) == 4
    assert all(len(each) == 32 and int(each, 16) >= 0 for each in ids)
    data = [{"referrer": '"', "agent": "\\", "address": ""}, VISITOR._asdict()]
    assert events == [
        Envelope(ids[2 * n + m], code, "link.clicked", 2, 1000.0, trace, data[m])
        for n, (code, trace) in enumerate((("abc", "trace-1"), ('a"b\\c\n', "\u2028é\x00")))
        for m in range(2)
    ]


async def test_two_starts_never_make_the_same_id() -> None:
    log, ids = Log(1), set()
    for seed in (1, 2):
        buffer = ClickBuffer(log, 10, Clock(), random.Random(seed), Metrics())
        await buffer.start()
        buffer.offer("abc", "", VISITOR)
        await buffer.stop()
        ids = set(await log.ids())
    assert len(ids) == 2


async def test_a_full_batch_does_not_wait_for_the_pause() -> None:
    """Otherwise the buffer would have to hold all that comes in a pause."""

    class Patient(Clock):
        async def sleep(self, seconds: float) -> None:
            await asyncio.Event().wait()

    log = Log(1)
    buffer = ClickBuffer(log, 5000, Patient(), random.Random(1), Metrics())
    await buffer.start()
    await asyncio.sleep(0)
    for _ in range(BATCH - 1):
        buffer.offer("abc", "", VISITOR)
    for _ in range(10):
        await asyncio.sleep(0)
    assert len(buffer) == BATCH - 1
    buffer.offer("abc", "", VISITOR)
    async with asyncio.timeout(5):
        while len(buffer):  # noqa: ASYNC110
            await asyncio.sleep(0)
    await buffer.stop()
