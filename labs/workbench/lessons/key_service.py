"""What batches of keys save, counted on a pretended Redis."""

from __future__ import annotations

from typing import Any

UNUSED = "pool:unused"


async def round_trips(batch: int, creates: int = 1_000) -> int:
    """Commands that one server sends to the pool for `creates` new links if it takes `batch` codes at a time."""
    from fakeredis import FakeAsyncRedis, FakeServer

    async with FakeAsyncRedis(server=FakeServer(), decode_responses=True) as redis:
        await redis.sadd(UNUSED, *(f"{number:07}" for number in range(creates + 2 * batch)))
        counted = Counted(redis)
        lease: list[str] = []
        for _ in range(creates):
            if not lease:
                lease += await counted.spop(UNUSED, batch)
            lease.pop()
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
