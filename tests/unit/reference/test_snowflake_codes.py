"""Codes from time, worker and sequence: never one twice, whatever clocks, stores and servers do."""

import asyncio
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference.platform.errors import Indefinite, LeaseLost, TimedOut, Unavailable
from reference.shortener import snowflake_codes
from reference.shortener.base62 import Base62
from reference.shortener.components import SNOWFLAKE_EPOCH, WorkerLease
from reference.shortener.permutation import Permutation
from reference.shortener.plain import snowflake_codes as plain
from reference.shortener.snowflake_codes import AHEAD, LAYOUTS, LOOKAHEAD, PATIENCE
from reference.shortener.worker_ids import LEASE_SECONDS, SqlWorkerIds
from tests.unit.reference.codes_world import KEY, Clock, MemoryNamespace, MemorySql

pytestmark = pytest.mark.anyio

FILLINGS = [snowflake_codes.SnowflakeCodes, plain.SnowflakeCodes]


def make(filling: Any, database: MemorySql, clock: Clock, layout: str = "short", workers: int = 32) -> Any:
    return filling(
        base62=Base62(), workers=SqlWorkerIds(database, clock, workers), clock=clock, key=KEY, layout=layout
    )


def parts(code: str, layout: str = "short") -> tuple[int, int, int]:
    """(tick, worker, sequence), of which the code was made."""
    shape = LAYOUTS[layout]
    number = Permutation(62**shape.length, KEY).back(Base62().decode(code))
    number, sequence = divmod(number, 1 << shape.sequence_bits)
    return *divmod(number, 1 << shape.worker_bits), sequence


async def many(codes: Any, count: int) -> list[str]:
    namespace = MemoryNamespace()
    return [await codes.new_code("", namespace) for _ in range(count)]


@pytest.mark.parametrize("filling", FILLINGS)
@pytest.mark.parametrize(("layout", "length"), [("short", 7), ("standard", 11)])
async def test_a_code_holds_its_time_and_worker(filling: Any, layout: str, length: int) -> None:
    clock, namespace = Clock(), MemoryNamespace()
    codes = make(filling, MemorySql(), clock, layout)
    first = await codes.new_code("https://example.org/", namespace)
    clock.time += 5
    second = await codes.new_code("https://example.org/", namespace)
    assert len(first) == len(second) == length
    assert first != second
    ticks = [parts(code, layout)[0] * LAYOUTS[layout].tick for code in (first, second)]
    assert ticks == [pytest.approx(time - SNOWFLAKE_EPOCH, abs=1) for time in (1_800_000_000, 1_800_000_005)]
    assert [parts(code, layout)[1] for code in (first, second)] == [0, 0]


@pytest.mark.parametrize("filling", FILLINGS)
async def test_several_servers_have_several_workers(filling: Any) -> None:
    database, clock, namespace = MemorySql(), Clock(), MemoryNamespace()
    servers = [make(filling, database, clock) for _ in range(5)]
    made = [await server.new_code("", namespace) for server in servers for _ in range(20)]
    assert len(set(made)) == 100
    assert {parts(code)[1] for code in made} == {0, 1, 2, 3, 4}


@pytest.mark.parametrize("filling", FILLINGS)
async def test_when_all_numbers_are_held_there_are_no_codes(filling: Any) -> None:
    database, clock, namespace = MemorySql(), Clock(), MemoryNamespace()
    await make(filling, database, clock, workers=1).new_code("", namespace)
    late = make(filling, database, clock, workers=1)
    with pytest.raises(Unavailable):
        await late.new_code("", namespace)
    clock.time += LEASE_SECONDS
    assert parts(await late.new_code("", namespace))[1] == 0


@pytest.mark.parametrize("filling", FILLINGS)
async def test_an_alias_in_the_way_is_passed_by(filling: Any) -> None:
    clock = Clock()
    foreseen = MemoryNamespace()
    for _ in range(3):
        await make(filling, MemorySql(), clock).new_code("", foreseen)
    namespace = MemoryNamespace(owned=set(foreseen.owned))
    code = await make(filling, MemorySql(), clock).new_code("", namespace)
    assert code not in foreseen.owned


@pytest.mark.parametrize("filling", FILLINGS)
async def test_a_burst_takes_the_numbers_of_seconds_to_come(filling: Any) -> None:
    clock, namespace = Clock(), MemoryNamespace()
    codes = make(filling, MemorySql(), clock)
    made = await asyncio.gather(*(codes.new_code("", namespace) for _ in range(1000)))
    assert len(set(made)) == 1000
    if filling is snowflake_codes.SnowflakeCodes:
        assert clock.time == Clock().time  # nobody waited
    else:
        assert clock.time >= Clock().time + 6


async def test_a_burst_beyond_that_waits_and_then_is_refused() -> None:
    clock, namespace = Clock(), MemoryNamespace()
    clock.sleep = sleep = Sleeps()  # type: ignore[assignment,method-assign]
    codes = make(snowflake_codes.SnowflakeCodes, MemorySql(), clock)
    answers = await asyncio.gather(
        *(codes.new_code("", namespace) for _ in range(2000)), return_exceptions=True
    )
    made = [answer for answer in answers if isinstance(answer, str)]
    assert len(set(made)) == len(made) == 128 * (1 + AHEAD + PATIENCE)
    assert sum(isinstance(answer, Unavailable) for answer in answers) == 2000 - len(made)
    assert sleep.asked == [1.0] * 128 + [2.0] * 128


class Sleeps:
    """Sleeps of no length, noted. The clock stands still meanwhile."""

    def __init__(self) -> None:
        self.asked: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.asked.append(seconds)


async def test_a_clock_that_steps_back_is_not_followed() -> None:
    clock, namespace = Clock(), MemoryNamespace()
    codes = make(snowflake_codes.SnowflakeCodes, MemorySql(), clock)
    before = await codes.new_code("", namespace)
    clock.time -= AHEAD
    after = [await codes.new_code("", namespace) for _ in range(200)]
    assert [parts(code)[0] - parts(before)[0] for code in after] == [0] * 127 + [1] * 73


@pytest.mark.parametrize("filling", FILLINGS)
async def test_a_clock_that_steps_back_far_is_refused_until_it_has_caught_up(filling: Any) -> None:
    clock, namespace = Clock(), MemoryNamespace()
    codes = make(filling, MemorySql(), clock)
    await codes.new_code("", namespace)
    clock.time -= 3600
    with pytest.raises(Unavailable):
        await many(codes, 200)
    clock.time += 3600
    await codes.new_code("", namespace)


@pytest.mark.parametrize("time", [SNOWFLAKE_EPOCH - 1, SNOWFLAKE_EPOCH + 2**29])
@pytest.mark.parametrize("filling", FILLINGS)
async def test_outside_its_seventeen_years_there_are_no_codes(filling: Any, time: float) -> None:
    namespace = MemoryNamespace()
    with pytest.raises(Unavailable):
        await make(filling, MemorySql(), Clock(time)).new_code("", namespace)
    assert namespace.claims == []


async def test_a_number_whose_last_holder_was_in_the_future_is_given_up() -> None:
    database, clock, namespace = MemorySql(), Clock(), MemoryNamespace()
    fast = Clock(clock.time + 3600)
    await make(snowflake_codes.SnowflakeCodes, database, fast, workers=2).new_code("", namespace)
    fast.time = clock.time = fast.time + LEASE_SECONDS - 3600
    database.connection.execute(
        "UPDATE worker_leases SET expires_at = worker"
    )  # number 0 is the first choice
    codes = make(snowflake_codes.SnowflakeCodes, database, clock, workers=2)
    with pytest.raises(Unavailable, match="behind"):
        await codes.new_code("", namespace)
    assert parts(await codes.new_code("", namespace))[1] == 1


async def test_a_busy_server_renews_every_few_seconds_and_an_idle_one_never() -> None:
    database, clock, namespace = MemorySql(), Clock(), MemoryNamespace()
    codes = make(snowflake_codes.SnowflakeCodes, database, clock)
    for _ in range(60 * 20):
        await codes.new_code("", namespace)
        await asyncio.sleep(0)  # the renewal beside the work
        await asyncio.sleep(0)
        clock.time += 0.05
    assert 60 / LOOKAHEAD <= database.transactions <= 60 / (LOOKAHEAD / 2)
    before = database.transactions
    clock.time += 3600
    assert database.transactions == before


async def test_the_store_may_be_away_while_the_reservation_lasts() -> None:
    database, clock, namespace = MemorySql(), Clock(), MemoryNamespace()
    codes = make(snowflake_codes.SnowflakeCodes, database, clock)
    await codes.new_code("", namespace)
    database.errors = [TimedOut() for _ in range(1000)]
    clock.time += LOOKAHEAD - 0.5
    for _ in range(50):
        await codes.new_code("", namespace)
        await asyncio.sleep(0)
    clock.time += 2
    with pytest.raises(Unavailable) as refused:  # definite: no code was claimed
        await codes.new_code("", namespace)
    assert isinstance(refused.value.__cause__, TimedOut)
    database.errors = []
    await codes.new_code("", namespace)


@pytest.mark.parametrize("filling", FILLINGS)
async def test_who_lost_its_number_takes_another(filling: Any) -> None:
    database, clock, namespace = MemorySql(), Clock(), MemoryNamespace()
    paused = make(filling, database, clock, workers=2)
    first = await paused.new_code("", namespace)
    clock.time += LEASE_SECONDS + 1
    # The number that was never used, and then the one that ran out.
    others = [make(filling, database, clock, workers=2) for _ in range(2)]
    assert [parts(await other.new_code("", namespace))[1] for other in others] == [1, 0]
    with pytest.raises(Unavailable):  # it finds out that its own is gone, and there is no other
        await paused.new_code("", namespace)
    clock.time += LEASE_SECONDS / 2
    await others[1].new_code("", namespace)
    clock.time += LEASE_SECONDS / 2 + 1
    second = await paused.new_code("", namespace)
    assert (parts(first)[1], parts(second)[1]) == (0, 1)


@pytest.mark.parametrize("filling", FILLINGS)
async def test_the_next_holder_begins_after_the_last_reserved_tick(filling: Any) -> None:
    """Also where the one before has used that up to its end, and the clock of the next is behind."""
    database, clock, namespace = MemorySql(), Clock(), MemoryNamespace()
    one = make(filling, database, clock, workers=1)
    await one.new_code("", namespace)
    if filling is snowflake_codes.SnowflakeCodes:
        clock.time += LOOKAHEAD
    database.errors = [TimedOut() for _ in range(1000)]
    answers = await asyncio.gather(*(one.new_code("", namespace) for _ in range(200)), return_exceptions=True)
    assert any(isinstance(answer, Unavailable) for answer in answers)  # to its end
    database.errors = []
    database.connection.execute("UPDATE worker_leases SET expires_at = 0")
    other = make(filling, database, Clock(clock.time - 1.5), workers=1)
    for _ in range(300):
        await other.new_code("", namespace)
    assert len(set(namespace.claims)) == len(namespace.claims)


class OneNumberForAll:
    """`WorkerIds` that leases the same number to everybody, one after the other, with the floor that it must give."""

    def __init__(self) -> None:
        self.fence = 0
        self.used_until = 0.0

    async def lease(self) -> WorkerLease:
        self.fence += 1
        return WorkerLease(3, self.fence, 2e9, self.used_until)

    async def renew(self, lease: WorkerLease, used_until: float) -> WorkerLease:
        if lease.fence != self.fence:
            raise LeaseLost
        self.used_until = max(self.used_until, used_until)
        return lease


@pytest.mark.parametrize("layout", ["short", "standard"])
@pytest.mark.parametrize("filling", FILLINGS)
async def test_one_number_passed_on_again_and_again_makes_nothing_twice(filling: Any, layout: str) -> None:
    """Also while those who had it before go on with what they have reserved."""
    clock, namespace, workers = Clock(), MemoryNamespace(), OneNumberForAll()
    servers: list[Any] = []
    made = []
    for _ in range(8):
        server = filling(base62=Base62(), workers=workers, clock=clock, key=KEY, layout=layout)
        servers.append(server)
        for one in servers[-3:]:
            for _ in range(150):
                try:
                    made.append(await one.new_code("", namespace))
                except Unavailable:
                    clock.time += 1.0
    assert len(set(made)) == len(made) > 1000
    assert len(namespace.claims) == len(made)


ACTIONS = st.one_of(
    st.tuples(st.just("codes"), st.integers(0, 2), st.integers(1, 300)),
    st.tuples(st.just("clock"), st.integers(0, 2), st.floats(-40, 40)),
    st.tuples(st.just("crash"), st.integers(0, 2), st.just(0)),
    st.tuples(st.just("fail"), st.integers(0, 1), st.integers(1, 3)),
)


@pytest.mark.parametrize("filling", FILLINGS)
@pytest.mark.parametrize("layout", ["short", "standard"])
@settings(max_examples=25, deadline=None)
@given(actions=st.lists(ACTIONS, max_size=25))
def test_no_number_comes_twice(filling: Any, layout: str, actions: list[tuple[str, int, float]]) -> None:
    """Three servers with clocks of their own, which step to and fro; two worker numbers; servers crash, and the store
    fails before or after it has acted."""

    async def run() -> None:
        database = MemorySql()
        clocks = [Clock(), Clock(), Clock()]
        namespace = MemoryNamespace()
        servers = [make(filling, database, clock, layout, workers=2) for clock in clocks]
        made: list[str] = []
        for what, which, amount in actions:
            if what == "codes":
                calls = (servers[which].new_code("", namespace) for _ in range(int(amount)))
                answers = await asyncio.gather(*calls, return_exceptions=True)
                for answer in answers:
                    assert isinstance(answer, str | Unavailable), answer
                made += [answer for answer in answers if isinstance(answer, str)]
            elif what == "clock":
                clocks[which].time += amount
            elif what == "crash":
                servers[which] = make(filling, database, clocks[which], layout, workers=2)
            else:
                database.act_first = bool(which)
                database.errors = [Indefinite() if which else Unavailable() for _ in range(int(amount))]
        assert len(set(made)) == len(made)
        assert len(set(namespace.claims)) == len(namespace.claims)
        database.connection.close()

    asyncio.run(run())
