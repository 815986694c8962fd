"""Word of deletions over the embedded Redis and a real one: it comes, or the listener knows that it may not have."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import pytest
from redis.asyncio import Redis
from redis.exceptions import RedisError

from reference.platform.redis_client import redis_client
from reference.shortener.components import Answer
from reference.shortener.deletions import CHANNEL, AnnouncedRedirects, DeletionNews

pytestmark = pytest.mark.anyio


class Listener:
    def __init__(self) -> None:
        self.codes: list[str] = []
        self.asked = 0.0
        self.losses = 0
        self.proof = asyncio.Event()

    def deleted(self, code: str) -> None:
        self.codes.append(code)

    def proven(self, asked: float) -> None:
        assert asked > self.asked
        self.asked = asked
        self.proof.set()

    def lost(self) -> None:
        self.losses += 1

    async def proven_after(self, instant: float) -> None:
        """Until a proof was asked for after `instant`."""
        async with asyncio.timeout(10):
            while self.asked <= instant:
                self.proof.clear()
                await self.proof.wait()


class Relay:
    """Stands between the listener and Redis. `mute`: takes what comes, and passes nothing on."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._writers: set[asyncio.StreamWriter] = set()
        self.mute = False

    async def start(self) -> int:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return int(self._server.sockets[0].getsockname()[1])

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", self._port)
        self._writers |= {writer, back}

        async def pump(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
            with suppress(ConnectionError):
                while data := await source.read(65536):
                    if not self.mute:
                        target.write(data)
            target.close()

        await asyncio.gather(pump(reader, back), pump(there, writer))

    def cut(self) -> None:
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()

    async def stop(self) -> None:
        self.cut()
        self._server.close()
        await self._server.wait_closed()


@dataclass
class World:
    cache: Redis
    listener: Listener
    relay: Relay


@pytest.fixture
async def world(services: Any) -> AsyncIterator[World]:
    url = urlsplit(services.cache_url)
    relay, listener = Relay(url.port), Listener()
    port = await relay.start()
    cache = redis_client(services.cache_url, 1.0)
    subscriber = redis_client(url._replace(netloc=url.netloc.replace(str(url.port), str(port))).geturl(), 0.5)
    news = DeletionNews(subscriber, listener, time.monotonic)
    await news.start()
    yield World(cache, listener, relay)
    await news.stop()
    await relay.stop()
    await subscriber.aclose()
    await cache.aclose()


async def test_what_was_published_before_a_proof_was_asked_for_has_come(world: World) -> None:
    await world.listener.proven_after(0.0)
    for number in range(5):
        await world.cache.publish(CHANNEL, f"code-{number}")
        await world.listener.proven_after(time.monotonic())
        assert world.listener.codes == [f"code-{n}" for n in range(number + 1)]
    assert world.listener.losses == 0


async def test_a_broken_connection_is_told_and_made_again(world: World) -> None:
    await world.listener.proven_after(0.0)
    world.relay.cut()
    await world.listener.proven_after(time.monotonic())
    assert world.listener.losses == 1
    await world.cache.publish(CHANNEL, "after")
    await world.listener.proven_after(time.monotonic())
    assert world.listener.codes == ["after"]


async def test_a_connection_that_has_gone_silent_proves_nothing(world: World) -> None:
    await world.listener.proven_after(0.0)
    world.relay.mute = True
    await asyncio.sleep(0.05)  # an answer may have been under way
    muted = time.monotonic()
    await world.cache.publish(CHANNEL, "missed")
    async with asyncio.timeout(10):
        while not world.listener.losses:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    assert world.listener.asked < muted
    world.relay.mute = False
    await world.listener.proven_after(time.monotonic())
    assert world.listener.codes == []


class Inner:
    """What the cache says of a link, and when it is asked to forget it."""

    def __init__(self, listener: Listener) -> None:
        self.listener = listener
        self.heard: list[list[str]] = []
        self.error: Exception | None = None

    async def resolve(self, code: str) -> Answer:
        return Answer("unknown")

    async def invalidate(self, code: str) -> None:
        self.heard.append(list(self.listener.codes))
        if self.error:
            raise self.error


async def test_an_invalidation_is_heard_here_at_once_and_elsewhere_after_the_cache_forgot(
    world: World,
) -> None:
    await world.listener.proven_after(0.0)
    here = Listener()
    inner = Inner(world.listener)
    await AnnouncedRedirects(inner, world.cache, here).invalidate("abc")
    assert here.codes == ["abc"]
    assert inner.heard == [[]]
    await world.listener.proven_after(time.monotonic())
    assert world.listener.codes == ["abc"]


async def test_an_invalidation_that_fails_or_cannot_be_told_raises(world: World) -> None:
    inner = Inner(world.listener)
    inner.error = RedisError("away")
    with pytest.raises(RedisError):
        await AnnouncedRedirects(inner, world.cache, Listener()).invalidate("abc")
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    away = redis_client(f"redis://127.0.0.1:{port}/0", 0.2)
    inner.error = None
    with pytest.raises(RedisError):
        await AnnouncedRedirects(inner, away, Listener()).invalidate("abc")
    await away.aclose()
