"""The ports behind the strategies for codes, over SQLite and PostgreSQL; and the pool, over Redis.

Servers that share a number, a range or a pool have connections of their own here, as they have in service."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import pytest
from redis.asyncio import Redis

from reference.platform import sql
from reference.platform.errors import LeaseLost, PortError, TimedOut, Unavailable
from reference.platform.redis_client import redis_client
from reference.shortener import key_pool
from reference.shortener.base62 import Base62
from reference.shortener.key_pool import UNUSED, KeyPool
from reference.shortener.key_ranges import BLOCK, SqlKeyRanges
from reference.shortener.plain import key_pool as plain
from reference.shortener.worker_ids import LEASE_SECONDS, WORKERS, SqlWorkerIds

pytestmark = pytest.mark.anyio


class Clock:
    time = 1_800_000_000.123456

    def now(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.time += seconds


@pytest.fixture
async def databases(services: Any) -> AsyncIterator[list[sql.Database]]:
    """Of five servers."""
    databases = [sql.connect(services.store_url, timeout=5.0) for _ in range(5)]
    yield databases
    for database in databases:
        await database.close()


@pytest.fixture
async def clients(services: Any) -> AsyncIterator[list[Redis]]:
    """Of the pool, of five servers."""
    async with AsyncExitStack() as stack:
        clients = [redis_client(services.pool_url, 5.0) for _ in range(5)]
        for client in clients:
            stack.push_async_callback(client.aclose)
        yield clients


# --- worker numbers


async def test_no_number_is_held_twice_at_one_time(databases: list[sql.Database]) -> None:
    clock = Clock()
    servers = [SqlWorkerIds(database, clock) for database in databases]
    leases = await asyncio.gather(*(servers[n % 5].lease() for n in range(WORKERS)))
    assert sorted(lease.worker for lease in leases) == list(range(WORKERS))
    assert {lease.fence for lease in leases} == {1}
    assert {lease.expires_at for lease in leases} == {clock.time + LEASE_SECONDS}
    with pytest.raises(Unavailable, match="held"):
        await servers[0].lease()


async def test_for_the_last_number_there_is_one_winner(databases: list[sql.Database]) -> None:
    clock = Clock()
    outcomes = await asyncio.gather(
        *(SqlWorkerIds(database, clock, workers=1).lease() for database in databases), return_exceptions=True
    )
    assert sum(isinstance(outcome, Unavailable) for outcome in outcomes) == 4


async def test_a_number_is_free_once_its_lease_has_run_out(databases: list[sql.Database]) -> None:
    clock = Clock()
    one, other = (SqlWorkerIds(database, clock, workers=1) for database in databases[:2])
    lease = await one.lease()
    clock.time += LEASE_SECONDS - 0.001
    with pytest.raises(Unavailable):
        await other.lease()
    await one.renew(lease, clock.time)
    clock.time += LEASE_SECONDS - 0.001
    with pytest.raises(Unavailable):
        await other.lease()
    clock.time += 0.001
    assert (await other.lease()).fence == lease.fence + 1


async def test_the_floor_is_all_that_was_ever_reserved(databases: list[sql.Database]) -> None:
    clock = Clock()
    one, other = (SqlWorkerIds(database, clock, workers=1) for database in databases[:2])
    lease = await one.lease()
    assert lease.floor == 0.0
    farthest = clock.time + 7.0000001
    lease = await one.renew(lease, farthest)
    assert lease.floor == 0.0
    await one.renew(lease, clock.time - 100)  # the clock has stepped back: what was reserved stays so
    clock.time += LEASE_SECONDS
    assert (await other.lease()).floor == farthest


async def test_who_has_lost_its_number_is_told_and_changes_nothing(databases: list[sql.Database]) -> None:
    clock = Clock()
    one, other = (SqlWorkerIds(database, clock, workers=1) for database in databases[:2])
    lease = await one.lease()
    clock.time += LEASE_SECONDS
    theirs = await other.lease()
    with pytest.raises(LeaseLost):
        await one.renew(lease, clock.time + 1000)
    await other.renew(theirs, clock.time)
    clock.time += LEASE_SECONDS
    assert (await one.lease()).floor == clock.time - LEASE_SECONDS


async def test_a_lease_that_ran_out_and_was_not_taken_can_be_renewed(databases: list[sql.Database]) -> None:
    clock = Clock()
    one = SqlWorkerIds(databases[0], clock, workers=1)
    lease = await one.lease()
    clock.time += 10 * LEASE_SECONDS
    assert (await one.renew(lease, clock.time)).expires_at == clock.time + LEASE_SECONDS


async def test_the_longest_unused_number_is_given_first(databases: list[sql.Database]) -> None:
    clock = Clock()
    workers = SqlWorkerIds(databases[0], clock, workers=3)
    for expected in (0, 1, 2, 0, 1):
        assert (await workers.lease()).worker == expected
        clock.time += LEASE_SECONDS


# --- ranges


async def test_no_two_ranges_overlap(databases: list[sql.Database]) -> None:
    generators = [SqlKeyRanges(database) for database in databases]
    ranges = await asyncio.gather(*(generators[n % 5].allot() for n in range(100)))
    assert sorted(each.start for each in ranges) == list(range(0, 100 * BLOCK, BLOCK))
    assert {len(each) for each in ranges} == {BLOCK}
    again = await SqlKeyRanges(databases[0]).allot()  # a generator that was started anew
    assert again.start == 100 * BLOCK


async def test_when_the_numbers_end_it_says_so(databases: list[sql.Database]) -> None:
    ranges = SqlKeyRanges(databases[0], block=40, numbers=100)
    assert [await ranges.allot() for _ in range(3)] == [range(0, 40), range(40, 80), range(80, 100)]
    for _ in range(2):
        with pytest.raises(Unavailable, match="no numbers"):
            await ranges.allot()


async def test_the_last_numbers_fit_the_column(databases: list[sql.Database]) -> None:
    ranges = SqlKeyRanges(databases[0])
    await ranges.allot()
    await databases[0].transaction([sql.statement("UPDATE key_ranges SET next_number = $1", 62**7 - 1)])
    assert await ranges.allot() == range(62**7 - 1, 62**7)


class Lossy:
    """A database whose answers do not arrive."""

    def __init__(self, database: sql.Database) -> None:
        self.database = database

    async def define(self, tables: Any) -> None:
        await self.database.define(tables)

    async def query(self, text: str, *values: Any) -> Any:
        return await self.database.query(text, *values)

    async def transaction(self, statements: Any) -> Any:
        await self.database.transaction(statements)
        raise TimedOut("no answer")


async def test_after_an_unknown_outcome_nothing_is_given_twice(databases: list[sql.Database]) -> None:
    clock, good = Clock(), SqlWorkerIds(databases[1], Clock(), workers=2)
    lossy: Any = Lossy(databases[0])
    first = await good.lease()
    for _ in range(2):
        with pytest.raises(TimedOut):
            await SqlWorkerIds(lossy, clock, workers=2).lease()
        with pytest.raises(TimedOut):
            await SqlKeyRanges(lossy).allot()
    assert (await good.renew(first, clock.time + 1)).worker == first.worker
    ranges = [await SqlKeyRanges(databases[n]).allot() for n in (1, 2)]
    assert ranges[0].stop <= ranges[1].start


@pytest.mark.parametrize("port", ["workers", "ranges"])
async def test_a_store_that_is_away_is_a_port_error(port: str) -> None:
    database = sql.connect("sqlite+tcp://127.0.0.1:1", timeout=0.5)
    with pytest.raises(PortError):
        await (
            SqlWorkerIds(database, Clock()).lease() if port == "workers" else SqlKeyRanges(database).allot()
        )
    await database.close()


# --- the pool


class Namespace:
    def __init__(self) -> None:
        self.owned: set[str] = set()

    async def claim(self, code: str) -> bool:
        new = code not in self.owned
        self.owned.add(code)
        return new

    async def taken(self, code: str) -> bool:
        return code in self.owned


@pytest.mark.parametrize("filling", [key_pool.KeyPool, plain.KeyPool])
async def test_generators_and_servers_share_a_pool(
    databases: list[sql.Database], clients: list[Redis], filling: Any
) -> None:
    namespace = Namespace()
    members = [
        filling(
            pool=client,
            ranges=SqlKeyRanges(database),
            base62=Base62(),
            clock=Clock(),
            key=b"key",
            batch=20,
            low_water=300,
        )
        for client, database in zip(clients, databases, strict=True)
    ]
    await asyncio.gather(*(member.generate() for member in members))
    assert await clients[0].scard(UNUSED) >= 600
    made = [
        code
        for _ in range(10)
        for code in await asyncio.gather(*(m.new_code("", namespace) for m in members for _ in range(10)))
    ]
    assert len(set(made)) == 500
    assert not set(made) & set(await clients[0].smembers(UNUSED))  # type: ignore[misc]


async def test_a_batch_that_is_given_back_is_whole(
    databases: list[sql.Database], clients: list[Redis]
) -> None:
    keys = KeyPool(
        pool=clients[0],
        ranges=SqlKeyRanges(databases[0]),
        base62=Base62(),
        clock=Clock(),
        key=b"key",
        batch=50,
        low_water=100,
    )
    await keys.generate()
    everything = set(await clients[1].smembers(UNUSED))  # type: ignore[misc]
    used = await keys.new_code("", Namespace())
    await keys.drain()
    assert set(await clients[1].smembers(UNUSED)) == everything - {used}  # type: ignore[misc]
