"""What batches of keys save, counted on the reference's key pool over a pretended Redis."""

from __future__ import annotations

from typing import Any

from reference.shortener.base62 import Base62
from reference.shortener.components import CODE_LENGTH
from reference.shortener.key_pool import UNUSED, KeyPool


async def round_trips(batch: int, creates: int = 1_000) -> int:
    """Commands that one server sends to the pool for `creates` new links if it takes `batch` codes at a time."""
    from fakeredis import FakeAsyncRedis, FakeServer

    base62 = Base62()
    async with FakeAsyncRedis(server=FakeServer(), decode_responses=True) as redis:
        await redis.sadd(UNUSED, *(base62.encode(n, CODE_LENGTH) for n in range(creates + 2 * batch)))
        counted = Counted(redis)
        client: Any = counted
        nobody: Any = None  # handing out needs neither ranges nor a clock
        pool = KeyPool(
            pool=client, ranges=nobody, base62=base62, clock=nobody, key=b"", batch=batch, low_water=0
        )
        for _ in range(creates):
            await pool.new_code("https://example.com/", Free())
        await pool.stop()
    return counted.commands


class Counted:
    """A client of the pool that counts what it sends."""

    def __init__(self, redis: Any) -> None:
        self.redis = redis
        self.commands = 0

    def __getattr__(self, command: str) -> Any:
        async def send(*arguments: Any) -> Any:
            self.commands += 1
            return await getattr(self.redis, command)(*arguments)

        return send


class Free:
    """A namespace in which nobody has anything."""

    async def claim(self, code: str) -> bool:
        return True

    async def taken(self, code: str) -> bool:
        return False
