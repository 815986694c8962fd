"""Clients of Redis, as a service uses them: short deadlines, no hidden retries, every command counted (and recorded,
for a request that is traced).

redis-py retries a failed command by itself. Here it must not: whoever issued it decides, and knows better.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterable
from typing import Any

from redis.asyncio import BlockingConnectionPool, Connection, Redis
from redis.asyncio.client import Pipeline
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError

from reference.platform.errors import Indefinite, PortError, TimedOut, Unavailable
from reference.platform.tracing import current, described, shown

CommandSink = Callable[[str, str], None]
"""Told of each command: its name, such as "GET", and "ok" or "error"."""


def redis_client(
    url: str, timeout: float, count: CommandSink | None = None, connections: int = 64, service: str = "redis"
) -> Redis:
    """A client for `redis://host:port/db` that connects when first used. Close it with `aclose`.

    `timeout`: seconds for a connect, for one reply, and for a turn when all `connections` are in use. `service`: what a
    trace calls it.
    """
    pool = BlockingConnectionPool.from_url(
        url,
        connection_class=_Connection,
        max_connections=connections,
        timeout=timeout,
        socket_timeout=timeout,
        socket_connect_timeout=timeout,
        retry=Retry(NoBackoff(), 0),
        decode_responses=True,
        protocol=2,  # with version 3, or the driver's name, each connect would cost round trips
        driver_info=None,
    )
    client = CountingRedis(connection_pool=pool)
    client.count = count or (lambda command, outcome: None)
    client.service = service
    client.auto_close_connection_pool = True
    return client


class _Connection(Connection):
    async def _send_packed_command(self, command: Iterable[bytes]) -> None:
        """On uvloop, writing to a connection that the other side has closed is a RuntimeError, where asyncio's own loop
        lets the next read find out; redis-py knows of the latter only."""
        try:
            await super()._send_packed_command(command)
        except RuntimeError as error:
            raise ConnectionResetError(errno.ECONNRESET, "the connection is closed") from error


class CountingRedis(Redis):
    count: CommandSink
    service = "redis"

    async def execute_command(self, *args: Any, **options: Any) -> Any:
        if (recording := current()) is None:
            return await self._counted(args, options)
        name, key, value = described(args)
        with recording.span(name, self.service, key=key, value=value) as span:
            answer = await self._counted(args, options)
            span["answer"] = shown(answer)
            return answer

    async def _counted(self, args: tuple[Any, ...], options: dict[str, Any]) -> Any:
        try:
            answer = await super().execute_command(*args, **options)  # type: ignore[no-untyped-call]
        except RedisError:
            self.count(_name(args), "error")
            raise
        self.count(_name(args), "ok")
        return answer

    def pipeline(self, transaction: bool = True, shard_hint: str | None = None) -> Pipeline:
        pipeline = _CountingPipeline(self.connection_pool, self.response_callbacks, transaction, shard_hint)
        pipeline.count = self.count
        pipeline.service = self.service
        return pipeline


class _CountingPipeline(Pipeline):
    count: CommandSink
    service = "redis"

    async def execute(self, raise_on_error: bool = True) -> list[Any]:
        names = [_name(args) for args, _ in self.command_stack]
        if (recording := current()) is None:
            return await self._counted(names, raise_on_error)
        with recording.span(" ".join(dict.fromkeys(names)), self.service, commands=len(names)):
            return await self._counted(names, raise_on_error)

    async def _counted(self, names: list[str], raise_on_error: bool) -> list[Any]:
        try:
            answers: list[Any] = await super().execute(raise_on_error)
        except RedisError:
            for name in names:
                self.count(name, "error")
            raise
        for name in names:
            self.count(name, "ok")
        return answers


def _name(args: tuple[Any, ...]) -> str:
    return str(args[0]).split(" ", 1)[0].upper()


def port_error(error: RedisError) -> PortError:
    """The error that a port raises for `error`; raise it `from error`."""
    if isinstance(error, RedisTimeoutError):
        return TimedOut(f"Redis: {error}")
    if isinstance(error, RedisConnectionError) and isinstance(error.__context__, ConnectionRefusedError):
        return Unavailable(f"Redis: {error}")
    return Indefinite(f"Redis: {error}")  # sound where we cannot tell
