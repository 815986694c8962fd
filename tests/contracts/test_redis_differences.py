"""Where the embedded Redis and a real one differ, and where one would think so: compose/differences.md, shown.

Each test runs on every service that it speaks of, and says what each of them does: it fails if one of them changes.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from redis.asyncio import Connection, Redis
from redis.exceptions import OutOfMemoryError, ResponseError

from reference.platform import event_log
from reference.platform.errors import Indefinite
from reference.platform.event_log import START, EventLog
from reference.platform.redis_client import redis_client
from reference.shortener.redirect_cache import REPLACE_TICKET
from tests.contracts.conftest import Services
from tests.contracts.events import MINE, PARTITIONS, event, ids
from tests.contracts.profiles import EVERYWHERE, LAPTOP
from tests.listening import turns

pytestmark = pytest.mark.anyio


@pytest.fixture
async def log(services: Services) -> AsyncIterator[EventLog]:
    log = event_log.connect(services.log_url, PARTITIONS, timeout=2.0)
    yield log
    await log.close()


@pytest.fixture
async def redis(services: Services) -> AsyncIterator[Redis]:
    client = redis_client(services.cache_url, timeout=5.0)
    yield client
    await client.aclose()


async def limits(redis: Redis) -> tuple[int, str] | None:
    """Bytes, and what is done about more; None: it knows no limit."""
    try:
        found = await redis.config_get("maxmemory*")
    except ResponseError:
        return None
    return int(found["maxmemory"]), found["maxmemory-policy"]


@asynccontextmanager
async def room_for(redis: Redis, more: int, profile: str) -> AsyncIterator[None]:
    """So many bytes beyond what it has, where there is a limit."""
    if profile == "embedded":
        yield
        return
    before = (await redis.config_get("maxmemory"))["maxmemory"]
    await redis.config_set("maxmemory", (await redis.info("memory"))["used_memory"] + more)
    try:
        yield
    finally:
        await redis.config_set("maxmemory", before)


@EVERYWHERE
async def test_a_cache_that_is_full_forgets_tickets_too(profile: str, services: Services) -> None:
    mega = 1024 * 1024
    policy = {"embedded": None, "local": (64 * mega, "allkeys-lru"), "compose": (96 * mega, "allkeys-lru")}
    key = "redirect:abc"
    async with Redis.from_url(services.cache_url, protocol=2, decode_responses=True) as cache:
        assert await limits(cache) == policy[profile]
        await cache.set(key, "ticket:1")
        async with room_for(cache, mega, profile):
            for number in range(2000):
                await cache.set(f"redirect:{number}", "x" * 16_384)  # is never refused
                if not await cache.exists(key):
                    break
        await cache.eval(REPLACE_TICKET, 1, key, "ticket:1", "entry", 60_000)
        assert await cache.get(key) == ("entry" if profile == "embedded" else None)


@EVERYWHERE
async def test_a_pool_that_is_full_refuses_and_forgets_nothing(profile: str, services: Services) -> None:
    policy = {"embedded": None, "local": (0, "noeviction"), "compose": (96 * 1024 * 1024, "noeviction")}
    async with Redis.from_url(services.pool_url, protocol=2, decode_responses=True) as pool:
        assert await limits(pool) == policy[profile]
        await pool.sadd("unused", "code-1", "code-2")
        async with room_for(pool, -1024, profile):
            if profile == "embedded":
                await pool.sadd("unused", "code-3")
            else:
                with pytest.raises(OutOfMemoryError):
                    await pool.sadd("unused", "code-3")
            assert await pool.spop("unused") is not None  # what makes room may go on
        assert await pool.scard("unused") == (2 if profile == "embedded" else 1)


@LAPTOP
async def test_a_log_that_is_full_takes_no_event_and_can_be_read_and_trimmed(
    profile: str, services: Services, log: EventLog
) -> None:
    await log.append([event(1)])
    async with (
        Redis.from_url(services.log_url, protocol=2, decode_responses=True) as redis,
        room_for(redis, -1024, profile),
    ):
        if profile == "embedded":
            await log.append([event(2)])
        else:
            with pytest.raises(Indefinite, match="maxmemory"):
                await log.append([event(2)])
        entries = await log.read(MINE, START, 100)
        await log.trim(MINE, entries[-1].offset)
    await log.append([event(3)])
    kept = ["id-2", "id-3"] if profile == "embedded" else ["id-1", "id-3"]
    assert await ids(log, START) == kept


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[Connection]:
    """One connection, on which a test asks and reads as it likes."""
    client = redis_client(url, timeout=10.0)
    connection = client.connection_pool.make_connection()
    await connection.connect()
    try:
        yield connection
    finally:
        await connection.disconnect(nowait=True)
        await client.aclose()


async def ask(connection: Connection, *commands: tuple[str, ...]) -> None:
    """In one write."""
    await connection.send_packed_command([b"".join(connection.pack_commands(commands))])


@LAPTOP
async def test_others_come_between_the_commands_of_a_pipeline(services: Services) -> None:
    """In their order, and not alone: not on either."""
    async with (
        connected(services.cache_url) as connection,
        Redis.from_url(services.cache_url, protocol=2) as other,
    ):
        await ask(connection, ("GET", "k"), ("BLPOP", "queue", "0"), ("GET", "k"))
        assert await connection.read_response() is None
        await other.set("k", "new")
        await other.rpush("queue", "x")
        assert [await connection.read_response() for _ in range(2)] == [["queue", "x"], "new"]


@LAPTOP
async def test_a_long_pipeline_is_carried_out_in_pieces(profile: str, services: Services) -> None:
    """By a real Redis, 16 kB at a time; the embedded one does all that has arrived together."""
    many, looks, rounds = 2000, 20, 10 if profile == "embedded" else 500
    seen: set[int] = set()
    async with (
        connected(services.cache_url) as connection,
        connected(services.cache_url) as other,
    ):
        for _ in range(rounds):
            looking = asyncio.create_task(look(other, looks))
            await ask(connection, *[("INCR", "n")] * many)
            for _ in range(many):
                await connection.read_response()
            seen |= {value % many for value in await looking}
            if seen != {0}:
                break
    assert (seen == {0}) == (profile == "embedded")


async def look(connection: Connection, times: int) -> list[int]:
    values = []
    for _ in range(times):
        await ask(connection, ("GET", "n"))
        values.append(int(await connection.read_response() or 0))
    return values


@LAPTOP
async def test_what_one_embedded_service_does_keeps_the_others_waiting(
    profile: str, services: Services
) -> None:
    """They share a process, and its event loop; each real one has its own."""
    spin = (
        "local t = redis.call('TIME') local e = t[1] + t[2] / 1e6 + 1 "
        "repeat t = redis.call('TIME') until t[1] + t[2] / 1e6 > e"
    )
    async with (
        Redis.from_url(services.cache_url, protocol=2) as cache,
        Redis.from_url(services.pool_url, protocol=2) as pool,
    ):
        await asyncio.gather(cache.ping(), pool.ping())
        spinning = asyncio.create_task(cache.eval(spin, 0))
        await turns()
        await pool.ping()
        assert spinning.done() == (profile == "embedded")
        await spinning


@LAPTOP
async def test_a_subscriber_that_does_not_read_is_cut_off(profile: str, services: Services) -> None:
    """By a real Redis, beyond 32 MB; the embedded one keeps everything for it."""
    async with (
        connected(services.cache_url) as subscriber,
        Redis.from_url(services.cache_url, protocol=2) as redis,
    ):
        await ask(subscriber, ("SUBSCRIBE", "news"))
        await subscriber.read_response()
        for _ in range(60 if profile == "embedded" else 300):
            heard = await redis.publish("news", b"x" * 1_048_576)
            if not heard:
                break
        assert heard == (1 if profile == "embedded" else 0)


@LAPTOP
async def test_a_script_that_sets_a_global_is_refused_and_the_next_one_is_not(redis: Redis) -> None:
    for _ in range(2):
        with pytest.raises(ResponseError):
            await redis.eval("seen = 1", 0)
        assert await redis.eval("return 1", 0) == 1


@LAPTOP
async def test_what_a_script_did_before_it_raised_stays_done(redis: Redis) -> None:
    with pytest.raises(ResponseError, match="wrong"):
        await redis.eval("redis.call('SET', KEYS[1], 1) error('wrong')", 1, "k")
    assert await redis.get("k") == "1"


@LAPTOP
async def test_a_script_is_kept_from_the_system_everywhere(profile: str, redis: Redis) -> None:
    for name in ("io", "os", "require", "debug", "python", "redis.call.func"):
        with pytest.raises(ResponseError):
            await redis.eval(f"return {name}.anything()", 0)
    # A name that nobody knows is nil, as Lua has it. To a real one it is a mistake.
    if profile == "embedded":
        assert await redis.eval("return type(python)", 0) == "nil"
    else:
        with pytest.raises(ResponseError, match="python"):
            await redis.eval("return type(python)", 0)
