"""Where the embedded event log and the real ones differ, and where one would think so: compose/differences.md, shown.

Each test runs on every service that it speaks of, and says what each of them does: it fails if one of them changes.
Stores and caches have modules of their own (test_store_differences, test_redis_differences).
"""

import asyncio
import re
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from redis.asyncio import Redis

from compose.project import COMPOSE
from reference.platform import event_log, sql
from reference.platform.errors import LeaseLost, PortError
from reference.platform.event_log import START, EventLog
from reference.platform.leases import LEASE_SECONDS
from reference.platform.redis_server import FakeRedisServer
from reference.shortener.click_repository import SqlClickRepository
from reference.shortener.components import Counted
from tests.contracts import kafka_groups
from tests.contracts.conftest import Services
from tests.contracts.events import MINE, PARTITIONS, event, ids
from tests.contracts.profiles import EVERYWHERE, LAPTOP

pytestmark = pytest.mark.anyio


@pytest.fixture
async def log(services: Services) -> AsyncIterator[EventLog]:
    log = event_log.connect(services.log_url, PARTITIONS, timeout=2.0)
    yield log
    await log.close()


@dataclass
class Hand:
    """A clock that is moved by hand."""

    at: float = 1000.0

    def now(self) -> float:
        return self.at

    async def sleep(self, seconds: float) -> None:
        self.at += seconds


@pytest.fixture
async def clicks(services: Services) -> AsyncIterator[tuple[SqlClickRepository, Hand]]:
    store, clock = sql.connect(services.store_url, timeout=5.0), Hand()
    clicks = SqlClickRepository(store, clock)
    await clicks.prepare()
    yield clicks, clock
    await store.close()


@EVERYWHERE
async def test_our_partitions_pass_on_by_a_lease_everywhere(clicks: tuple[SqlClickRepository, Hand]) -> None:
    repository, clock = clicks
    assert all([await repository.acquire(partition, "first") for partition in range(PARTITIONS)])
    assert [await repository.acquire(partition, "second") for partition in range(PARTITIONS)] == [None] * 3
    assert await repository.acquire(MINE, "first")  # killed and started again: at once
    clock.at += LEASE_SECONDS + 0.1
    assert await repository.acquire(MINE, "second")
    assert await repository.acquire(MINE, "first") is None


@EVERYWHERE
async def test_what_was_not_committed_is_read_again_everywhere(
    clicks: tuple[SqlClickRepository, Hand], log: EventLog
) -> None:
    """Whoever has the lease next begins at the offset that is in the store, and whoever had it can count no more."""
    repository, clock = clicks
    for number in range(5):
        await log.append([event(number)])
    first = await repository.acquire(MINE, "first")
    assert first is not None
    entries = await log.read(MINE, first.committed, 100)
    await first.commit(Counted((), {}, entries[1].offset))
    assert await ids(log, entries[-1].offset) == []  # no window ends: nothing comes again by itself
    clock.at += LEASE_SECONDS + 0.1
    second = await repository.acquire(MINE, "second")
    assert second is not None
    assert await ids(log, second.committed) == ["id-2", "id-3", "id-4"]
    with pytest.raises(LeaseLost):
        await first.commit(Counted((), {}, entries[-1].offset))


def numbers_of(answer: Any) -> list[str]:
    return [fields["n"] for _, entries in answer for _, fields in entries]


@LAPTOP
async def test_a_group_of_redis_gives_each_entry_to_whoever_asks(services: Services) -> None:
    """No member has a partition, and none is missed: what it has read waits for it, until another one claims it."""
    async with Redis.from_url(services.pool_url, protocol=2, decode_responses=True) as redis:
        await redis.xgroup_create("clicks", "group", mkstream=True)
        for number in range(6):
            await redis.xadd("clicks", {"n": str(number)})

        async def read(name: str, count: int) -> list[str]:
            return numbers_of(await redis.xreadgroup("group", name, {"clicks": ">"}, count))

        assert await read("first", 2) == ["0", "1"]
        assert await read("second", 1) == [
            "2"
        ]  # a new member waits for nobody, and one key's events are apart
        assert await read("first", 1) == ["3"]
        assert await read("second", 10) == ["4", "5"]
        assert await read("second", 10) == []
        waiting = await redis.xpending_range("clicks", "group", "-", "+", 10)
        assert [each["consumer"] for each in waiting] == [
            "first",
            "first",
            "second",
            "first",
            "second",
            "second",
        ]
        await redis.xack("clicks", "group", waiting[0]["message_id"])
        long, none = 3_600_000, 0  # milliseconds that an entry must have waited
        claimed = [await redis.xautoclaim("clicks", "group", "second", idle) for idle in (long, none)]
        assert [[fields["n"] for _, fields in found[1]] for found in claimed] == [
            [],
            ["1", "2", "3", "4", "5"],
        ]
        again = await redis.xpending_range("clicks", "group", "-", "+", 10)
        assert {each["consumer"] for each in again} == {"second"}
        assert {each["times_delivered"] for each in again} == {2}


@dataclass
class Topic:
    servers: str
    name: str
    admin: AIOKafkaAdminClient

    async def members(self) -> int:
        [described] = await self.admin.describe_consumer_groups([self.name])
        return len(described.groups[0][5])


@pytest.fixture
async def topic(containers: Any) -> AsyncIterator[Topic]:
    """Of four partitions, with two records in each."""
    servers, name = containers[1]["log"].removeprefix("kafka://"), f"group-{uuid.uuid4().hex[:12]}"
    admin, producer = (
        AIOKafkaAdminClient(bootstrap_servers=servers),
        AIOKafkaProducer(bootstrap_servers=servers),
    )
    await admin.start()
    await producer.start()
    await admin.create_topics([NewTopic(name, 4, 1)])
    for number in range(8):
        await producer.send_and_wait(name, b"", partition=number % 4)
    await producer.stop()
    yield Topic(servers, name, admin)
    await admin.close()


@asynccontextmanager
async def joined(topic: Topic) -> AsyncIterator[Any]:
    consumer = kafka_groups.member(topic.servers, topic.name)
    await consumer.start()
    try:
        yield consumer
    finally:
        await consumer.stop()


ALL = {(partition, offset) for partition in range(4) for offset in range(2)}


@pytest.mark.slow
@pytest.mark.compose
async def test_a_group_of_kafka_shares_partitions_out_and_waits_for_the_dead(topic: Topic) -> None:
    async with asyncio.timeout(90), kafka_groups.doomed_member(topic.servers, topic.name) as doomed:
        while doomed.read != ALL:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
        async with joined(topic) as heir:
            read = set(await kafka_groups.read(heir))
            while doomed.assigned | kafka_groups.assigned(heir) != set(range(4)) or len(doomed.assigned) != 2:
                read |= set(await kafka_groups.read(heir))
            assert doomed.assigned.isdisjoint(kafka_groups.assigned(heir))
            await doomed.kill()
            assert await topic.members() == 2  # nobody knows yet
            assert len(kafka_groups.assigned(heir)) == 2
            while kafka_groups.assigned(heir) != set(range(4)) or read != ALL:
                read |= set(await kafka_groups.read(heir))
            assert await topic.members() == 1


@pytest.mark.slow
@pytest.mark.compose
async def test_a_group_of_kafka_begins_again_at_the_committed_offset(topic: Topic) -> None:
    async with asyncio.timeout(60):
        async with joined(topic) as first:
            read: set[tuple[int, int]] = set()
            while read != ALL:
                read |= set(await kafka_groups.read(first))
            await first.commit({TopicPartition(topic.name, 0): 1, TopicPartition(topic.name, 1): 2})
            assert [await kafka_groups.read(first) for _ in range(5)] == [[]] * 5
        async with joined(topic) as second:
            again: set[tuple[int, int]] = set()
            while again != ALL - {(0, 0), (1, 0), (1, 1)}:
                more = set(await kafka_groups.read(second))
                assert more <= ALL - {(0, 0), (1, 0), (1, 1)}
                again |= more


@EVERYWHERE
async def test_what_was_appended_together_is_one_entry_or_several(profile: str, log: EventLog) -> None:
    await log.append([event(number) for number in range(3)])
    sizes, offset = [], START
    while entries := await log.read(MINE, offset, 2):
        sizes.append((len(entries), len({entry.offset for entry in entries})))
        offset = entries[-1].offset
    packs, records = [(3, 1)], [(2, 2), (1, 1)]
    assert sizes == {"embedded": packs, "local": packs, "compose": records}[profile]


@LAPTOP
async def test_a_kill_empties_the_embedded_log(profile: str, services: Services) -> None:
    """Of Kafka, test_event_log shows that it keeps what it acknowledged."""
    embedded = FakeRedisServer("127.0.0.1", 0)
    own_url = f"redis://127.0.0.1:{await embedded.start()}/0"
    url = own_url if profile == "embedded" else services.log_url
    log = event_log.connect(url, PARTITIONS, timeout=2.0)
    await log.append([event(1)])
    if profile == "embedded":
        await embedded.stop()
        embedded = FakeRedisServer("127.0.0.1", embedded.port)
        await embedded.start()
    else:
        services.servers["log"].kill()
        services.servers["log"].start()
    async with asyncio.timeout(10):
        while True:
            with suppress(PortError):
                found = await ids(log, START)
                break
    assert found == {"embedded": [], "local": ["id-1"]}[profile]
    await log.close()
    await embedded.stop()


async def emptied(services: Services) -> None:
    """The log is lost, and begins anew."""
    if services.log_url.startswith("redis"):
        async with Redis.from_url(services.log_url, protocol=2) as redis:
            await redis.flushall()
        await asyncio.sleep(0.01)  # its offsets are times, in milliseconds
        return
    servers, name = services.log_url.removeprefix("kafka://").split("/")
    admin = AIOKafkaAdminClient(bootstrap_servers=servers)
    await admin.start()
    await admin.delete_topics([name])
    async with asyncio.timeout(20):
        while name in await admin.list_topics():  # noqa: ASYNC110
            await asyncio.sleep(0.1)
    await admin.close()


@EVERYWHERE
async def test_an_offset_of_a_lost_log_hides_events_of_a_new_kafka(profile: str, services: Services) -> None:
    old = event_log.connect(services.log_url, PARTITIONS, timeout=2.0)
    for number in range(3):
        await old.append([event(number)])
    committed = (await old.read(MINE, START, 100))[-1].offset
    await old.close()
    await emptied(services)
    new = event_log.connect(services.log_url, PARTITIONS, timeout=2.0)
    await new.create()
    for number in range(5):
        await new.append([event(10 + number)])
    everything = [f"id-{10 + number}" for number in range(5)]
    assert await ids(new, committed) == (everything[3:] if profile == "compose" else everything)
    assert await ids(new, START) == everything
    await new.close()


def test_each_difference_names_the_tests_that_show_it() -> None:
    modules = "\n".join(
        file.read_text("utf-8") for file in Path(__file__).parent.glob("test_*differences.py")
    )
    mine = set(re.findall(r"^async def (test_\w+)", modules, re.MULTILINE))
    _, *sections = re.split(r"^## ", (COMPOSE / "differences.md").read_text("utf-8"), flags=re.MULTILINE)
    named = {section.splitlines()[0]: set(re.findall(r"`(test_\w+)`", section)) for section in sections}
    assert [title for title, tests in named.items() if not tests & mine] == []
    assert set().union(*named.values()) == mine
