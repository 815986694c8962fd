"""Redis as components and services use it: the embedded one and a real one behave alike."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from redis.asyncio import Redis
from redis.exceptions import RedisError, ResponseError

from reference.platform.redis_client import redis_client
from tests.listening import listening

pytestmark = pytest.mark.anyio


@pytest.fixture
async def redis(services: Any) -> AsyncIterator[Redis]:
    client = redis_client(services.cache_url, timeout=1.0)
    yield client
    await client.aclose()


async def test_values_and_their_lives(redis: Redis) -> None:
    assert await redis.set("k", "ä日\r\n", px=80, nx=True)
    assert await redis.set("k", "other", nx=True) is None
    assert await redis.get("k") == "ä日\r\n"
    assert 0 < await redis.pttl("k") <= 80
    await asyncio.sleep(0.1)
    assert await redis.get("k") is None
    assert (await redis.pttl("k"), await redis.delete("k")) == (-2, 0)


async def test_scripts_run(redis: Redis) -> None:
    script = redis.register_script(
        "redis.call('SET', KEYS[1], ARGV[1]); return {redis.call('GET', KEYS[1]), 7}"
    )
    assert await script(keys=["k"], args=["v"]) == ["v", 7]
    with pytest.raises(ResponseError):
        await redis.eval("return nonsense(", 0)


async def test_transactions_and_pipelines(redis: Redis) -> None:
    async with redis.pipeline() as pipeline:
        assert await pipeline.set("n", 1).incr("n").get("n").execute() == [True, 2, "2"]
    async with redis.pipeline(transaction=False) as pipeline:
        answers = await pipeline.get("n").lpush("n", "x").get("n").execute(raise_on_error=False)
    assert (answers[0], answers[2]) == ("2", "2")
    assert isinstance(answers[1], ResponseError)


async def test_messages_are_pushed(redis: Redis) -> None:
    async with redis.pubsub() as pubsub:
        await pubsub.subscribe("news")
        assert (await pubsub.get_message(timeout=1))["type"] == "subscribe"
        await redis.publish("news", "hello")
        assert (await pubsub.get_message(timeout=1))["data"] == "hello"


async def test_whoever_waits_is_served_and_whoever_left_takes_nothing(redis: Redis) -> None:
    leaving = asyncio.create_task(redis.blpop("queue", timeout=0))
    await asyncio.sleep(0.05)
    leaving.cancel()
    await asyncio.gather(leaving, return_exceptions=True)
    await asyncio.sleep(0.05)
    waiting = asyncio.create_task(redis.blpop("queue", timeout=0))
    await asyncio.sleep(0.05)
    await redis.rpush("queue", "item")
    async with asyncio.timeout(1):
        assert tuple(await waiting) == ("queue", "item")


async def test_flushing_one_instance_leaves_the_other(redis: Redis, services: Any) -> None:
    log = redis_client(services.pool_url, timeout=1.0)
    await log.set("k", "kept")
    await redis.flushall()
    assert await log.get("k") == "kept"
    await log.aclose()


async def test_what_is_no_redis_is_told_so(services: Any) -> None:
    port = int(services.cache_url.rpartition(":")[2].removesuffix("/0"))
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"*1\r\n!bad\r\n")
    async with asyncio.timeout(2):
        assert (await reader.read(5)).startswith(b"-ERR")
    writer.close()
    await writer.wait_closed()


async def test_every_command_is_counted_and_none_is_repeated(services: Any) -> None:
    counted: list[tuple[str, str]] = []
    client = redis_client(services.cache_url, 1.0, lambda *each: counted.append(each))
    await client.get("k")
    async with client.pipeline() as pipeline:
        await pipeline.set("k", "v").get("k").execute()
    with pytest.raises(ResponseError):
        await client.lpush("k", "x")
    assert counted == [("GET", "ok"), ("SET", "ok"), ("GET", "ok"), ("LPUSH", "error")]
    await client.aclose()
    connections = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        await reader.read(1)

    async with listening(serve) as port:
        broken = redis_client(f"redis://127.0.0.1:{port}/0", 0.2)
        with pytest.raises(RedisError):
            await broken.get("k")
        await broken.aclose()
    assert connections == 1
