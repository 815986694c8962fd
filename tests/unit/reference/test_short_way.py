"""The short way through the balancer: taken where it may be, left where it must be, and nobody sees a difference."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from reference.platform import exchange
from reference.platform.front import Front
from tests.unit.reference.test_balancer import Streams, World

pytestmark = pytest.mark.anyio

PLAIN = b"GET /x HTTP/1.1\r\nHost: a\r\nConnection: keep-alive\r\n\r\n"
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc"


class Client:
    """A raw connection to the balancer, and how often a request had to be handed over."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.handed_over = 0

    async def connect(self) -> None:
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.world.port)

    async def close(self) -> None:
        self.writer.close()
        await self.writer.wait_closed()

    async def ask(self, request: bytes = PLAIN) -> bytes:
        self.writer.write(request)
        return await self.answer()

    async def answer(self) -> bytes:
        """Head and body of an answer with a Content-Length."""
        async with asyncio.timeout(5):
            head = await self.reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
            return head + await self.reader.readexactly(length)


@pytest.fixture
async def world() -> AsyncIterator[World]:
    world = World()
    await world.start()
    yield world
    await world.stop()


@pytest.fixture
async def client(world: World, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Client]:
    """One that has warmed a connection to each server."""
    client = Client(world)
    await client.connect()
    for _ in world.servers:
        await client.ask()
    hand_over = Front.hand_over

    def counted(*args: object) -> None:
        client.handed_over += 1
        hand_over(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(Front, "hand_over", counted)
    yield client
    await client.close()


def answer_with(world: World, *pieces: bytes, pause: float = 0.02) -> None:
    async def behave(streams: Streams, head: bytes) -> None:
        for piece in pieces:
            streams[1].write(piece)
            await asyncio.sleep(pause)

    for server in world.servers.values():
        server.behaviour = behave


def counts(world: World) -> dict[str, tuple[int, int, int]]:
    found = world.balancer.health()["backends"]
    return {name: (each["in_flight"], each["answered"], each["failures"]) for name, each in found.items()}


async def test_a_plain_get_goes_the_short_way_and_is_counted(world: World, client: Client) -> None:
    bodies = {(await client.ask())[-5:] for _ in world.servers}
    assert bodies == {b"app-1", b"app-2", b"app-3"}
    assert client.handed_over == 0
    assert set(counts(world).values()) == {(0, 2, 0)}
    head = world.servers["app-1"].heads[-1].lower()
    assert b"\r\nx-forwarded-for: 127.0.0.1\r\n" in head
    assert b"\r\nx-request-id: " in head
    assert b"connection" not in head


@pytest.mark.parametrize(
    "pieces",
    [
        (ANSWER[:10], ANSWER[10:]),
        (ANSWER[:-2], ANSWER[-2:]),
        (b"HTTP/1.1 103 Early Hints\r\n\r\n", ANSWER),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + ANSWER,),
        (ANSWER.replace(b"\r\n\r\n", b"\r\nKeep-Alive: timeout=5\r\n\r\n"),),
    ],
)
async def test_an_odd_answer_is_handed_over(world: World, client: Client, pieces: tuple[bytes, ...]) -> None:
    answer_with(world, *pieces)
    answers = [await client.ask() for _ in range(4)]
    assert {answer[-3:] for answer in answers} == {b"abc"}
    assert {answer[:15] for answer in answers} == {b"HTTP/1.1 200 OK"}
    assert not any(b"keep-alive: timeout" in answer.lower() for answer in answers)
    assert client.handed_over == 4
    assert {in_flight for in_flight, _, _ in counts(world).values()} == {0}


@pytest.mark.parametrize(
    "header",
    [b"X-Request-Id: mine", b"X-Forwarded-For: 10.0.0.1", b"TE: trailers", b"connection: x, keep-alive"],
)
async def test_an_odd_request_is_never_taken(world: World, client: Client, header: bytes) -> None:
    before = sum(len(server.heads) for server in world.servers.values())
    assert (await client.ask(b"GET /x HTTP/1.1\r\nHost: a\r\n" + header + b"\r\n\r\n")).startswith(
        b"HTTP/1.1 200"
    )
    assert sum(len(server.heads) for server in world.servers.values()) == before + 1
    sent = [server.heads[-1].lower() for server in world.servers.values() if len(server.heads) == 2]
    assert len(sent) == 1
    assert sent[0].count(b"x-forwarded-for") == sent[0].count(b"x-request-id") == 1
    assert b"te: trailers" not in sent[0]


async def test_what_comes_meanwhile_waits_and_is_answered_in_order(world: World, client: Client) -> None:
    answer_with(world, b"", ANSWER)
    client.writer.write(PLAIN)
    await asyncio.sleep(0.005)
    client.writer.write(PLAIN.replace(b"/x", b"/y") + PLAIN.replace(b"/x", b"/z")[:20])
    await asyncio.sleep(0.005)
    client.writer.write(PLAIN.replace(b"/x", b"/z")[20:])
    for _ in range(3):
        assert (await client.answer()).endswith(b"abc")
    paths = [head.split(b" ")[1] for server in world.servers.values() for head in server.heads[1:]]
    assert sorted(paths) == [b"/x", b"/y", b"/z"]


async def test_a_server_that_hangs_up_is_left_for_another(world: World, client: Client) -> None:
    broken = world.servers["app-2"]
    broken.behaviour = broken.hang_up
    answers = {(await client.ask())[-5:] for _ in range(6)}
    assert answers == {b"app-1", b"app-3"}
    assert client.handed_over == 1
    ids = [line for line in broken.heads[-1].split(b"\r\n") if line.lower().startswith(b"x-request-id")]
    others = [head for name in ("app-1", "app-3") for head in world.servers[name].heads]
    assert any(ids[0] in head for head in others), "repeated under the same id"
    assert counts(world)["app-2"] == (0, 1, 1)


async def test_silence_is_handed_over_too(
    world: World, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exchange, "SILENCE", 0.05)
    for name in ("app-1", "app-2"):
        world.servers[name].behaviour = world.servers[name].silence
    assert {(await client.ask())[-5:] for _ in range(3)} == {b"app-3"}
    world.servers["app-3"].behaviour = world.servers["app-3"].silence
    assert (await client.ask()).startswith(b"HTTP/1.1 504")
    assert {in_flight for in_flight, _, _ in counts(world).values()} == {0}


async def test_when_the_client_goes_the_server_is_let_go(world: World, client: Client) -> None:
    for server in world.servers.values():
        server.behaviour = server.silence
        server.ended.clear()
    client.writer.write(PLAIN)
    await asyncio.sleep(0.05)
    [asked] = [server for server in world.servers.values() if len(server.heads) == 2]
    client.writer.transport.abort()
    async with asyncio.timeout(1):
        await asked.ended.wait()
    assert counts(world)[asked.name] == (0, 1, 0)
    assert sum(len(server.heads) for server in world.servers.values()) == 4


async def test_stopping_lets_what_is_on_the_short_way_finish(world: World, client: Client) -> None:
    answer_with(world, b"", ANSWER, pause=0.1)
    client.writer.write(PLAIN)
    await asyncio.sleep(0.03)
    began = asyncio.get_running_loop().time()
    await world.balancer.stop()
    assert (await client.answer()).endswith(b"abc")
    assert asyncio.get_running_loop().time() - began < 1.9, "and does not wait for longer"
