"""The port EventLog, over the embedded Redis, a real one, Kafka, and memory."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from dataclasses import asdict
from typing import Any

import pytest

from reference.platform.errors import Indefinite, PortError, TimedOut, Unavailable
from reference.platform.event_log import START, EventLog, connect
from reference.platform.events import Envelope, partition_of
from reference.platform.memory_log import MemoryLog
from reference.platform.packs import PACK, Stem
from reference.platform.redis_streams_log import RedisStreamsLog
from tests.contracts.conftest import COMPOSE_LANE
from tests.listening import listening

pytestmark = pytest.mark.anyio

PARTITIONS = 3
STEM = Stem("0123456789abcdef", "link.clicked", 2, ("n", "m"))


def event(number: int, key: str = "abc") -> Envelope:
    return Envelope(f"id-{number}", key, "link.clicked", 1, 1000.5 + number, "trace", {"n": number})


LOCAL = pytest.param("local", marks=pytest.mark.local)
COMPOSE = pytest.param("compose", marks=COMPOSE_LANE)


@pytest.fixture(params=["memory", "embedded", LOCAL, COMPOSE])
def profile(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
async def log(services: Any) -> AsyncIterator[EventLog]:
    if services is None:
        yield MemoryLog(PARTITIONS)
    else:
        log = connect(services.log_url, PARTITIONS, timeout=1.0)
        yield log
        await log.close()


PACKED = pytest.mark.parametrize("profile", ["memory", "embedded", LOCAL], indirect=True)
"""For what holds of logs that keep packs; Kafka has an offset for each event (see test_kafka_log)."""


async def read_all(log: EventLog) -> dict[int, list[Envelope]]:
    return {p: [entry.event for entry in await log.read(p, START, 1000)] for p in range(PARTITIONS)}


async def test_what_was_appended_is_read_whole(log: EventLog) -> None:
    await log.append([event(1)])
    partition = partition_of("abc", PARTITIONS)
    [entry] = await log.read(partition, START, 10)
    assert entry.event == event(1)


async def test_events_of_a_key_stay_in_order_in_one_partition(log: EventLog) -> None:
    keys = [f"key-{n}" for n in range(9)]
    for batch in range(5):
        await log.append([event(10 * batch + n, key) for n, key in enumerate(keys)])
    found = await read_all(log)
    assert sum(len(events) for events in found.values()) == 45
    assert sum(bool(events) for events in found.values()) > 1
    for key in keys:
        mine = [e for e in found[partition_of(key, PARTITIONS)] if e.key == key]
        assert [e.id for e in mine] == [f"id-{10 * batch + keys.index(key)}" for batch in range(5)]


async def test_reading_goes_on_after_an_offset(log: EventLog) -> None:
    for n in range(7):
        await log.append([event(n)])
    partition = partition_of("abc", PARTITIONS)
    seen, offset = [], START
    while entries := await log.read(partition, offset, 3):
        assert len(entries) <= 3
        seen += [entry.event.id for entry in entries]
        offset = entries[-1].offset
    assert seen == [f"id-{n}" for n in range(7)]


@PACKED
async def test_what_was_appended_together_is_read_together(log: EventLog) -> None:
    """A pack is never cut, not even by a limit below its size: only its last event may be committed."""
    for first in (0, 3, 6):
        await log.append([event(first + n) for n in range(3)])
    partition = partition_of("abc", PARTITIONS)
    for limit, whole in ((1, 3), (3, 3), (5, 3), (6, 6), (100, 9)):
        entries = await log.read(partition, START, limit)
        assert [entry.event.id for entry in entries] == [f"id-{n}" for n in range(whole)]
    offsets = [entry.offset for entry in entries]
    assert [offsets.count(offset) for offset in dict.fromkeys(offsets)] == [3, 3, 3]
    assert [e.event.id for e in await log.read(partition, offsets[2], 3)] == ["id-3", "id-4", "id-5"]


@PACKED
async def test_a_large_batch_becomes_several_packs(log: EventLog) -> None:
    await log.append([event(n) for n in range(2 * PACK + 1)])
    partition = partition_of("abc", PARTITIONS)
    found, offset = [], START
    while entries := await log.read(partition, offset, 1):
        found.append([entry.event.id for entry in entries])
        offset = entries[-1].offset
    assert [len(ids) for ids in found] == [PACK, PACK, 1]
    assert [each for ids in found for each in ids] == [f"id-{n}" for n in range(2 * PACK + 1)]


async def test_events_may_come_as_rows(log: EventLog) -> None:
    await log.append([event(1)])
    rows = [("abc", '[17,"abc",1002500000,"",1,"x"]'), ("abc", '[255,"abc",1003250001,"trace",2,[]]')]
    await log.append_rows(STEM, rows)
    await log.append([event(4)])
    partition = partition_of("abc", PARTITIONS)
    first, second = f"{STEM.start}{17:016x}", f"{STEM.start}{255:016x}"
    assert [entry.event for entry in await log.read(partition, START, 10)] == [
        event(1),
        Envelope(first, "abc", "link.clicked", 2, 1002.5, first, {"n": 1, "m": "x"}),
        Envelope(second, "abc", "link.clicked", 2, 1003.250001, "trace", {"n": 2, "m": []}),
        event(4),
    ]
    assert await log.lag(partition, START) == 4


async def test_one_bad_event_of_a_pack_spoils_no_other(log: EventLog) -> None:
    good = '[1,"abc",1002500000,"",1,2]'
    bad = (
        *("", "{", "7", "[" * 100_000, "{}", '"abcde"', "[]", '[1,"abc",1002500000,"",1]', good[:-1] + ",3]"),
        *('["1","abc",1002500000,"",1,2]', '[1,"abc","now","",1,2]', f'[1,"abc",{"9" * 400},"",1,2]'),
    )
    await log.append_rows(STEM, [("abc", text) for text in (good, *bad, good)])
    entries = await log.read(partition_of("abc", PARTITIONS), START, 100)
    types = [entry.event.type for entry in entries]
    assert types == ["link.clicked", *["unreadable"] * len(bad), "link.clicked"]
    assert len({entry.event.id for entry in entries}) == len(bad) + 1


async def test_the_lag_counts_events_not_packs(log: EventLog) -> None:
    partition = partition_of("abc", PARTITIONS)
    assert await log.lag(partition, START) == 0
    await log.append([event(n) for n in range(4)])
    await log.append([event(n) for n in range(4, 7)])
    assert await log.lag(partition, START) == 7
    entries = await log.read(partition, START, 4)
    assert await log.lag(partition, entries[-1].offset) == 3
    await log.trim(partition, entries[-1].offset)
    assert await log.lag(partition, entries[-1].offset) == 3
    entries = await log.read(partition, entries[-1].offset, 10)
    assert await log.lag(partition, entries[-1].offset) == 0


async def test_a_reader_that_waits_is_woken(log: EventLog) -> None:
    partition = partition_of("abc", PARTITIONS)
    waiting = asyncio.create_task(log.read(partition, START, 10, block=5.0))
    await asyncio.sleep(0.05)
    await log.append([event(1)])
    async with asyncio.timeout(2):
        assert [entry.event.id for entry in await waiting] == ["id-1"]


async def test_a_reader_waits_no_longer_than_it_said(log: EventLog) -> None:
    async with asyncio.timeout(2):
        assert await log.read(0, START, 10, block=0.1) == []


async def test_trimming_keeps_the_offset_itself_and_what_follows(log: EventLog) -> None:
    for n in range(5):
        await log.append([event(n)])
    partition = partition_of("abc", PARTITIONS)
    entries = await log.read(partition, START, 10)
    await log.trim(partition, entries[2].offset)
    assert [entry.event.id for entry in await log.read(partition, START, 10)] == ["id-2", "id-3", "id-4"]
    assert await log.lag(partition, entries[2].offset) == 2
    await log.append([event(5)])
    assert await log.lag(partition, entries[2].offset) == 3


def test_partitions_are_the_same_everywhere() -> None:
    assert [partition_of(key, 4) for key in ("abc", "abd", "日", "")] == [2, 1, 2, 0]


@pytest.mark.parametrize(
    "profile", ["embedded", pytest.param("local", marks=pytest.mark.local)], indirect=True
)
async def test_an_entry_that_is_none_of_ours_stops_nobody(log: Any) -> None:
    partition = partition_of("abc", PARTITIONS)
    stream = f"events:{partition}"
    await log._redis.xadd(stream, {"other": "thing"})
    await log._redis.xadd(stream, {"event": '{"id": "x", "colour": "of a later version"}'})
    row = '[1,"abc",1002500000,"",1,2]'
    bad_stems = ("{", "7", "[]" * 2, "[" * 100_000, '{"a": 1}', '["x", "t", 1, 5]', '["x", "t", 1]')
    for stem in bad_stems:
        await log._redis.xadd(stream, {"events": row, "stem": stem})
    await log.append([event(1)])
    found = await log.read(partition, START, 100)
    types = [entry.event.type for entry in found]
    assert types == ["unreadable"] * (2 + len(bad_stems)) + ["link.clicked"]
    assert await log.lag(partition, START) >= 1


@pytest.mark.parametrize(
    "profile", ["embedded", pytest.param("local", marks=pytest.mark.local)], indirect=True
)
async def test_a_single_event_of_an_earlier_version_is_read(log: Any) -> None:
    text = json.dumps(asdict(event(1)))
    await log._redis.xadd(f"events:{partition_of('abc', PARTITIONS)}", {"event": text})
    await log.append([event(2)])
    found = await log.read(partition_of("abc", PARTITIONS), START, 200)
    assert [entry.event for entry in found] == [event(1), event(2)]


async def test_a_log_that_refuses_is_unavailable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    log = RedisStreamsLog(f"redis://127.0.0.1:{port}/0", PARTITIONS, timeout=0.5)
    for call in (log.append([event(1)]), log.read(0, START, 1), log.trim(0, START), log.ping()):
        with pytest.raises(Unavailable):
            await call
    await log.close()


@pytest.mark.parametrize("mute", [True, False])
async def test_an_append_without_an_answer_is_indefinite(mute: bool) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        if mute:
            await reader.read()

    async with listening(serve) as port:
        log = RedisStreamsLog(f"redis://127.0.0.1:{port}/0", PARTITIONS, timeout=0.2)
        with pytest.raises(TimedOut if mute else Indefinite):
            await log.append([event(1)])
        await log.close()


@pytest.mark.parametrize("profile", [LOCAL, COMPOSE], indirect=True)
async def test_what_was_acknowledged_survives_kill_9(log: EventLog, services: Any) -> None:
    """Appends go on until the kill hits one of them; every one that had returned is there afterwards."""
    acknowledged: list[str] = []

    async def produce() -> None:
        number = 0
        while True:
            batch = [event(number + n, f"key-{number + n}") for n in range(5)]
            await log.append(batch)
            acknowledged.extend(each.id for each in batch)
            number += 5

    producing = asyncio.create_task(produce())
    async with asyncio.timeout(20):
        while len(acknowledged) <= 100:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    services.servers["log"].kill()
    with pytest.raises(PortError):
        await producing
    services.servers["log"].start()
    found = {each.id for events in (await read_all_pages(log)).values() for each in events}
    assert set(acknowledged) - found == set()


async def read_all_pages(log: EventLog) -> dict[int, list[Envelope]]:
    """A server that has just come back may still refuse: a read may be repeated."""
    found: dict[int, list[Envelope]] = {}
    async with asyncio.timeout(30):
        for partition in range(PARTITIONS):
            found[partition], offset = [], START
            while True:
                try:
                    entries = await log.read(partition, offset, 500)
                except PortError:
                    continue
                if not entries:
                    break
                found[partition] += [entry.event for entry in entries]
                offset = entries[-1].offset
    return found
