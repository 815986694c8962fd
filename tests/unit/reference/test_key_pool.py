"""Codes from a pool: no code twice, whatever crashes, times out, or stands in the way."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from fakeredis import FakeAsyncRedis, FakeServer
from hypothesis import given, settings
from hypothesis import strategies as st
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError

from reference.platform.errors import Indefinite, Unavailable
from reference.platform.logs import JsonLog
from reference.platform.metrics import Metrics
from reference.shortener import key_pool
from reference.shortener.base62 import Base62
from reference.shortener.components import CODE_LENGTH
from reference.shortener.key_generator import KeyGenerator
from reference.shortener.plain import key_pool as plain
from tests.unit.reference.codes_world import KEY, Clock, MemoryNamespace

pytestmark = pytest.mark.anyio

FILLINGS = [key_pool.KeyPool, plain.KeyPool]
UNUSED = key_pool.UNUSED


@dataclass
class Pool:
    """Redis, with a note of each command. `errors`: raised by the next ones, one each, before they act or after."""

    redis: Any = field(default_factory=lambda: FakeAsyncRedis(server=FakeServer(), decode_responses=True))
    commands: list[tuple[str, int]] = field(default_factory=list)
    errors: list[RedisError] = field(default_factory=list)
    act_first: bool = False
    gate: asyncio.Event | None = None

    async def spop(self, *args: Any) -> Any:
        return await self._do("spop", args, args[1] if len(args) > 1 else 1)

    async def sadd(self, *args: Any) -> Any:
        return await self._do("sadd", args, len(args) - 1)

    async def scard(self, *args: Any) -> Any:
        return await self._do("scard", args, 0)

    async def _do(self, name: str, args: tuple[Any, ...], size: int) -> Any:
        self.commands.append((name, size))
        if self.gate is not None:
            await self.gate.wait()
        if self.errors and not self.act_first:
            raise self.errors.pop(0)
        answer = await getattr(self.redis, name)(*args)
        if self.errors:
            raise self.errors.pop(0)
        return answer

    def count(self, name: str) -> int:
        return sum(command == name for command, _ in self.commands)

    async def unused(self) -> set[str]:
        return set(await self.redis.smembers(UNUSED))


@dataclass
class Ranges:
    """`KeyRanges` in memory. `errors`: raised by the next calls; the ranges are lost then."""

    block: int = 300
    next_block: Any = field(default_factory=itertools.count)
    errors: list[Exception] = field(default_factory=list)

    async def allot(self) -> range:
        begin = next(self.next_block) * self.block
        if self.errors:
            raise self.errors.pop(0)
        return range(begin, begin + self.block)


def make(filling: Any, pool: Pool, ranges: Ranges, batch: int = 20, low_water: int = 50) -> Any:
    return filling(
        pool=pool,
        ranges=ranges,
        base62=Base62(),
        clock=Clock(),
        key=KEY,
        batch=batch,
        low_water=low_water,
    )


@pytest.fixture
async def pool() -> AsyncIterator[Pool]:
    pool = Pool()
    yield pool
    await pool.redis.aclose()


@pytest.mark.parametrize("filling", FILLINGS)
async def test_a_pool_below_low_water_is_filled_to_twice_that(filling: Any, pool: Pool) -> None:
    keys = make(filling, pool, Ranges())
    assert await keys.generate() >= 100
    size = len(await pool.unused())
    assert size >= 100
    assert await keys.generate() == 0
    await pool.redis.spop(UNUSED, size - 50)
    assert await keys.generate() == 0
    await pool.redis.spop(UNUSED, 1)
    assert await keys.generate() >= 51
    assert all(len(code) == CODE_LENGTH for code in await pool.unused())


@pytest.mark.parametrize("filling", FILLINGS)
async def test_no_command_adds_more_than_a_thousand(filling: Any, pool: Pool) -> None:
    await make(filling, pool, Ranges(block=10_000), low_water=2500).generate()
    assert len(await pool.unused()) == 5000
    assert max(size for name, size in pool.commands if name == "sadd") <= 1000


@pytest.mark.parametrize("filling", FILLINGS)
async def test_the_codes_of_the_pool_are_handed_out_once(filling: Any, pool: Pool) -> None:
    ranges, namespace = Ranges(), MemoryNamespace()
    await make(filling, pool, ranges, low_water=500).generate()
    before = await pool.unused()
    servers = [make(filling, pool, ranges) for _ in range(3)]
    made = await asyncio.gather(*(server.new_code("", namespace) for server in servers for _ in range(30)))
    assert len(set(made)) == 90
    assert set(made) <= before


@pytest.mark.parametrize("filling", FILLINGS)
async def test_a_dry_pool_is_unavailable_and_then_serves_again(filling: Any, pool: Pool) -> None:
    keys, namespace = make(filling, pool, Ranges()), MemoryNamespace()
    with pytest.raises(Unavailable, match="dry"):
        await keys.new_code("", namespace)
    await keys.generate()
    await keys.new_code("", namespace)


@pytest.mark.parametrize("error", [RedisConnectionError("x"), RedisTimeoutError("x")])
@pytest.mark.parametrize("filling", FILLINGS)
async def test_a_pool_that_is_away_is_unavailable(filling: Any, error: RedisError, pool: Pool) -> None:
    keys, namespace = make(filling, pool, Ranges()), MemoryNamespace()
    await keys.generate()
    pool.errors = [error]
    with pytest.raises(Unavailable):
        await keys.new_code("", namespace)
    pool.errors = [error]
    with pytest.raises(RedisError):
        await keys.generate()
    await keys.new_code("", namespace)


@pytest.mark.parametrize("filling", FILLINGS)
async def test_an_alias_in_the_way_is_passed_by(filling: Any, pool: Pool) -> None:
    keys = make(filling, pool, Ranges())
    await keys.generate()
    unused = sorted(await pool.unused())
    namespace = MemoryNamespace(owned=set(unused[10:]))
    made = [await keys.new_code("", namespace) for _ in range(10)]
    assert sorted(made) == unused[:10]
    with pytest.raises(Unavailable):
        await keys.new_code("", namespace)


@pytest.mark.parametrize("filling", FILLINGS)
async def test_what_was_allotted_and_not_added_is_never_added_later(filling: Any, pool: Pool) -> None:
    """The SADD that timed out may have happened, and its codes may be links by now."""
    sadd_fails = FailingAdd(pool)
    keys = make(filling, sadd_fails, Ranges())
    with pytest.raises(RedisError):
        await keys.generate()
    lost = await pool.unused()
    assert lost
    await pool.redis.delete(UNUSED)
    sadd_fails.failing = False
    for _ in range(5):
        await keys.generate()
        assert not await pool.unused() & lost
        lost |= await pool.unused()
        await pool.redis.delete(UNUSED)


class FailingAdd(Pool):
    """Its SADD acts, and then times out."""

    def __init__(self, pool: Pool) -> None:
        super().__init__(pool.redis)
        self.failing = True

    async def sadd(self, *args: Any) -> Any:
        answer = await super().sadd(*args)
        if self.failing:
            raise RedisTimeoutError("no answer")
        return answer


@pytest.mark.parametrize("filling", FILLINGS)
async def test_without_ranges_nothing_is_added(filling: Any, pool: Pool) -> None:
    with pytest.raises(Indefinite):
        await make(filling, pool, Ranges(errors=[Indefinite()])).generate()
    assert await pool.unused() == set()


# --- of the reference alone


async def test_a_batch_is_one_command_and_fetched_before_it_is_needed(pool: Pool) -> None:
    namespace = MemoryNamespace()
    keys = make(key_pool.KeyPool, pool, Ranges(), batch=100, low_water=1000)
    await keys.generate()
    pool.commands.clear()
    waited = 0
    for _ in range(1000):
        before = pool.count("spop")
        waited += not keys.codes
        await keys.new_code("", namespace)
        assert pool.count("spop") - before <= 1
        await asyncio.sleep(0)
    await asyncio.gather(keys.refill())
    assert waited == 1
    assert pool.count("spop") <= 1000 / 75 + 2
    assert {size for _, size in pool.commands} == {100}


async def test_who_waits_for_a_batch_shares_it(pool: Pool) -> None:
    keys, namespace = make(key_pool.KeyPool, pool, Ranges()), MemoryNamespace()
    await keys.generate()
    pool.commands.clear()
    pool.gate = asyncio.Event()
    calls = [asyncio.create_task(keys.new_code("", namespace)) for _ in range(10)]
    await asyncio.sleep(0)
    calls[0].cancel()
    await asyncio.sleep(0)
    pool.gate.set()
    answers = await asyncio.gather(*calls, return_exceptions=True)
    assert isinstance(answers[0], asyncio.CancelledError)
    assert len({answer for answer in answers[1:] if isinstance(answer, str)}) == 9
    assert pool.count("spop") == 1


async def test_the_local_batch_serves_while_the_pool_is_away(pool: Pool) -> None:
    keys, namespace = make(key_pool.KeyPool, pool, Ranges()), MemoryNamespace()
    await keys.generate()
    await keys.new_code("", namespace)
    pool.errors = [RedisConnectionError("away") for _ in range(1000)]
    for _ in range(19):
        await keys.new_code("", namespace)
        await asyncio.sleep(0)
    with pytest.raises(Unavailable, match="away"):
        await keys.new_code("", namespace)


async def test_a_swap_puts_back_what_is_certainly_unused(pool: Pool) -> None:
    namespace = MemoryNamespace()
    keys = make(key_pool.KeyPool, pool, Ranges())
    await keys.generate()
    everything = await pool.unused()
    used = await keys.new_code("", namespace)
    namespace.errors = [Indefinite()]
    with pytest.raises(Indefinite):
        await keys.new_code("", namespace)
    doubtful = namespace.claims[-1]
    namespace.errors = [Unavailable()]
    with pytest.raises(Unavailable):
        await keys.new_code("", namespace)
    await keys.drain()
    await keys.stop()
    assert await pool.unused() == everything - {used, doubtful}
    assert keys.codes == []  # what others may have by now


async def test_a_swap_waits_for_the_batch_under_way(pool: Pool) -> None:
    keys = make(key_pool.KeyPool, pool, Ranges())
    await keys.generate()
    everything = await pool.unused()
    pool.gate = asyncio.Event()
    refill = keys.refill()
    draining = asyncio.create_task(keys.drain())
    await asyncio.sleep(0)
    pool.gate.set()
    await draining
    await refill
    assert await pool.unused() == everything


async def test_several_generators_do_not_overfill_by_much(pool: Pool) -> None:
    ranges = Ranges()
    generators = [make(key_pool.KeyPool, pool, ranges, low_water=2000) for _ in range(5)]
    await asyncio.gather(*(generator.generate() for generator in generators))
    assert 4000 <= len(await pool.unused()) < 4000 + 5 * 300


# --- everything at once

ACTIONS = st.one_of(
    st.tuples(st.just("generate"), st.integers(0, 2), st.just(0)),
    st.tuples(st.just("codes"), st.integers(0, 2), st.integers(1, 60)),
    st.tuples(st.just("crash"), st.integers(0, 5), st.just(0)),
    st.tuples(st.just("swap"), st.integers(0, 2), st.just(0)),
    st.tuples(st.just("alias"), st.just(0), st.just(0)),
    st.tuples(st.just("fail"), st.integers(0, 1), st.integers(1, 4)),
    st.tuples(st.just("claims fail"), st.integers(0, 1), st.integers(1, 4)),
)


@pytest.mark.parametrize("filling", FILLINGS)
@settings(max_examples=25, deadline=None)
@given(actions=st.lists(ACTIONS, max_size=30))
def test_no_code_comes_twice(filling: Any, actions: list[tuple[str, int, int]]) -> None:
    """Three generators, three servers, crashes, swaps, aliases chosen among the unused, errors before and after acts.

    What is handed out is never in the pool again, so a claim finds a code taken by nobody but an alias."""

    async def run() -> None:
        pool, ranges, namespace = Pool(), Ranges(), MemoryNamespace()
        generators = [make(filling, pool, ranges) for _ in range(3)]
        servers = [make(filling, pool, ranges) for _ in range(3)]
        made: list[str] = []
        aliases: set[str] = set()
        for what, which, amount in actions:
            if what == "generate":
                await asyncio.gather(generators[which].generate(), return_exceptions=True)
            elif what == "codes":
                calls = (servers[which].new_code("", namespace) for _ in range(amount))
                answers = await asyncio.gather(*calls, return_exceptions=True)
                for answer in answers:
                    assert isinstance(answer, str | Unavailable | Indefinite), answer
                made += [answer for answer in answers if isinstance(answer, str)]
            elif what == "crash" and which < 3:
                generators[which] = make(filling, pool, ranges)
            elif what == "crash":
                servers[which - 3] = make(filling, pool, ranges)
            elif what == "swap" and filling is key_pool.KeyPool:
                await asyncio.gather(servers[which].drain(), return_exceptions=True)
                servers[which] = make(filling, pool, ranges)
            elif what == "alias":
                aliases |= set(sorted(await pool.unused() - namespace.owned)[:3])
                namespace.owned |= aliases
            elif what == "fail":
                pool.act_first = bool(which)
                pool.errors = [RedisTimeoutError("x") for _ in range(amount)]
            elif what == "claims fail":
                namespace.act_first = bool(which)
                namespace.errors = [Indefinite() if which else Unavailable() for _ in range(amount)]
            assert not (set(made) | (namespace.owned - aliases)) & await pool.unused()
        assert len(set(made)) == len(made)
        assert not set(made) & aliases
        await pool.redis.aclose()

    asyncio.run(run())


# --- the keeper's job


class Holder:
    def __init__(self, act: Any) -> None:
        self.act = act

    async def call(self, method: str, *args: Any) -> Any:
        assert method == "generate"
        return await self.act()


async def test_the_generator_says_how_full_the_pool_is(
    pool: Pool, capsys: pytest.CaptureFixture[str]
) -> None:
    keys, metrics = make(key_pool.KeyPool, pool, Ranges()), Metrics()
    job = KeyGenerator(Holder(keys.generate), pool.redis, 50, Clock(), metrics, JsonLog("keeper-1"))

    def metric(name: str, **labels: str) -> float | None:
        return metrics.registry.get_sample_value(name, labels)

    assert await job.turn()
    assert (metric("key_pool_codes"), metric("key_pool_generated_total"), metric("key_pool_low")) == (
        100,
        100,
        0,
    )
    assert await job.turn()
    assert metric("key_pool_generated_total") == 100
    pool.errors = [RedisConnectionError("away"), RedisConnectionError("away")]
    assert not await job.turn()
    assert not await job.turn()
    assert metric("key_pool_low") == 1
    assert metric("key_pool_failures_total", error="ConnectionError") == 2
    assert capsys.readouterr().err.count("cannot be filled") == 1
    assert await job.turn()
    assert metric("key_pool_low") == 0


async def test_the_alarm_rings_while_nobody_fills_the_pool(pool: Pool) -> None:
    async def idle() -> int:
        return 0

    metrics = Metrics()
    job = KeyGenerator(Holder(idle), pool.redis, 50, Clock(), metrics, JsonLog("keeper-1"))
    assert await job.turn()
    assert metrics.registry.get_sample_value("key_pool_low") == 1
