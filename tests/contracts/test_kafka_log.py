"""Where Kafka differs from Redis streams as an event log, and what it does when its broker is away."""

import asyncio
import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest

from reference.platform.errors import TimedOut, Unavailable
from reference.platform.event_log import START
from reference.platform.events import Envelope, partition_of
from reference.platform.kafka_log import KafkaLog
from reference.platform.packs import PACK
from tests.contracts.conftest import COMPOSE_LANE

PARTITIONS = 3
IN_CONTAINERS = pytest.mark.parametrize(
    "profile", [pytest.param("compose", marks=COMPOSE_LANE)], indirect=True
)
pytestmark = pytest.mark.anyio


def event(number: int, key: str = "abc") -> Envelope:
    return Envelope(f"id-{number}", key, "link.clicked", 1, 1000.5 + number, "trace", {"n": number})


@pytest.fixture
async def log(services: Any) -> AsyncIterator[KafkaLog]:
    log = KafkaLog(services.log_url, PARTITIONS, timeout=1.0)
    yield log
    await log.close()


async def read_all(log: KafkaLog, partition: int) -> list[str]:
    found, offset = [], START
    while entries := await log.read(partition, offset, 500):
        found += [entry.event.id for entry in entries]
        offset = entries[-1].offset
    return found


@IN_CONTAINERS
async def test_events_appended_together_may_be_read_apart(log: KafkaLog) -> None:
    """Redis streams hold a pack, which is read whole; here every event has an offset of its own."""
    await log.append([event(n) for n in range(3)])
    partition, offset, sizes = partition_of("abc", PARTITIONS), START, []
    while entries := await log.read(partition, offset, 2):
        sizes.append(len(entries))
        offset = entries[-1].offset
    assert sizes == [2, 1]
    assert await log.lag(partition, START) == 3


@IN_CONTAINERS
async def test_a_large_append_keeps_its_order(log: KafkaLog) -> None:
    many = [event(n) for n in range(5 * PACK + 1)]
    await log.append(many)
    assert await read_all(log, partition_of("abc", PARTITIONS)) == [each.id for each in many]


@IN_CONTAINERS
async def test_records_that_are_none_of_ours_stop_nobody(log: KafkaLog) -> None:
    partition = partition_of("abc", PARTITIONS)
    await log.append([event(1)])
    producer = await log._sender()
    row = b'[1,"abc",1002500000,"",1,2]'
    strange: list[dict[str, Any]] = [
        {"value": None, "key": b"deleted"},  # a tombstone
        {"value": b"\xff\xfe"},
        {"value": b'{"id": "x", "colour": "of a later version"}'},
        *(
            {"value": row, "headers": [("stem", stem)]}
            for stem in (b"{", b"7", b'{"a": 1}', b'["x", "t", 1]')
        ),
    ]
    for each in strange:
        await producer.send_and_wait(log._topic, partition=partition, **each)
    await log.append([event(2)])
    entries = await log.read(partition, START, 100)
    types = [entry.event.type for entry in entries]
    assert types == ["link.clicked", *["unreadable"] * len(strange), "link.clicked"]
    assert len({entry.event.id for entry in entries}) == len(entries)


@IN_CONTAINERS
async def test_a_topic_that_nobody_made_is_unavailable(services: Any) -> None:
    log = KafkaLog(f"{services.log_url}-missing", PARTITIONS, timeout=0.5)
    with pytest.raises(Unavailable):
        await log.append([event(1)])
    await log.close()


async def test_a_broker_that_refuses_is_unavailable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    log = KafkaLog(f"kafka://127.0.0.1:{port}/events", PARTITIONS, timeout=0.5)
    for call in (
        log.append([event(1)]),
        log.read(0, START, 1),
        log.trim(0, "3"),
        log.ping(),
        log.lag(0, START),
    ):
        with pytest.raises(Unavailable):
            await call
    await log.close()


@IN_CONTAINERS
async def test_while_the_broker_is_paused_an_append_may_have_happened(log: KafkaLog, services: Any) -> None:
    """The client sends again until its deadline: nobody knows. Afterwards the same client goes on by itself."""
    partition = partition_of("abc", PARTITIONS)
    await log.append([event(1)])
    project = services.servers["log"].project
    project.run("pause", "kafka")
    try:
        with pytest.raises(TimedOut):
            await log.append([event(2)])
        with pytest.raises(Unavailable):
            await log.lag(partition, START)
    finally:
        project.run("unpause", "kafka")
    async with asyncio.timeout(20):
        while True:
            try:
                await log.append([event(3)])
                break
            except TimedOut:
                continue
    found = await read_all(log, partition)
    assert found[0] == "id-1"
    assert "id-3" in found


@IN_CONTAINERS
async def test_what_is_trimmed_is_read_no_more_by_a_late_reader(log: KafkaLog) -> None:
    """A reader whose offset lies before the first one that is left begins with that."""
    await log.append([event(n) for n in range(5)])
    partition = partition_of("abc", PARTITIONS)
    entries = await log.read(partition, START, 10)
    await log.trim(partition, entries[3].offset)
    assert [entry.event.id for entry in await log.read(partition, entries[0].offset, 10)] == ["id-3", "id-4"]
    assert await log.lag(partition, START) == 2
