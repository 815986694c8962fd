"""The balancer: whose turn it is, what is repeated and what must not be, and that bytes pass as they are."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import httpx
import pytest

from reference.platform import exchange as module
from reference.platform.balancer import Balancer

pytestmark = pytest.mark.anyio

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Server:
    """An app server that does what a test says. `behaviour` is called with each request's head."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.heads: list[bytes] = []
        self.healthy = True
        self.ended = asyncio.Event()
        self.behaviour: Callable[[Streams, bytes], Awaitable[None]] = self.answer
        self.writers: list[asyncio.StreamWriter] = []
        self.tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> int:
        self.server = await asyncio.start_server(self.serve, "127.0.0.1", 0)
        self.port: int = self.server.sockets[0].getsockname()[1]
        return self.port

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.append(writer)
        task = asyncio.current_task()
        assert task is not None
        self.tasks.add(task)
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                if head.startswith(b"GET /healthz"):
                    status = b"200 OK" if self.healthy else b"500 Bad"
                    writer.write(b"HTTP/1.1 " + status + b"\r\ncontent-length: 0\r\n\r\n")
                    continue
                self.heads.append(head)
                await self.behaviour((reader, writer), head)
        except (OSError, EOFError):
            pass
        finally:
            self.ended.set()
            writer.close()

    async def answer(self, streams: Streams, head: bytes) -> None:
        body = b"" if head.startswith(b"HEAD") else self.name.encode()
        streams[1].write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(self.name), body))

    async def hang_up(self, streams: Streams, head: bytes) -> None:
        streams[1].transport.abort()

    async def silence(self, streams: Streams, head: bytes) -> None:
        await streams[0].read()

    async def stop(self) -> None:
        await asyncio.sleep(0.02)  # a health check that has just been accepted gets its handler
        self.server.close()
        for writer in self.writers:
            writer.transport.abort()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        await self.server.wait_closed()


class World:
    def __init__(self) -> None:
        self.servers = {name: Server(name) for name in ("app-1", "app-2", "app-3")}

    async def start(self) -> None:
        ports = {name: await server.start() for name, server in self.servers.items()}
        self.balancer = Balancer("127.0.0.1", 0, ports)
        self.port = (await self.balancer.start())["port"]
        self.http = httpx.AsyncClient(base_url=f"http://127.0.0.1:{self.port}", timeout=5)

    async def stop(self) -> None:
        await self.http.aclose()
        await self.balancer.stop()
        for server in self.servers.values():
            await server.stop()

    def all_but(self, name: str) -> set[str]:
        return set(self.servers) - {name}

    async def raw(self, data: bytes) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(data)
        async with asyncio.timeout(5):
            found = await reader.read()
        writer.close()
        await writer.wait_closed()
        return found


@pytest.fixture
async def world() -> AsyncIterator[World]:
    world = World()
    await world.start()
    yield world
    await world.stop()


async def test_servers_take_turns(world: World) -> None:
    names = [(await world.http.get("/x")).text for _ in range(6)]
    assert names[:3] == names[3:]
    assert set(names) == set(world.servers)


async def test_the_request_passes_with_its_id_and_origin(world: World) -> None:
    await world.http.get(
        "/a?b=c", headers={"X-Request-Id": "id-1", "X-Forwarded-For": "10.0.0.1", "Cookie": "a=b"}
    )
    [head] = [head for server in world.servers.values() for head in server.heads]
    assert head.startswith(b"GET /a?b=c HTTP/1.1\r\n")
    lines = head.lower().split(b"\r\n")
    assert b"x-request-id: id-1" in lines
    assert b"x-forwarded-for: 10.0.0.1, 127.0.0.1" in lines
    assert b"cookie: a=b" in lines
    assert not any(line.startswith(b"connection:") for line in lines)


async def test_a_get_goes_to_another_server_if_one_hangs_up(world: World) -> None:
    world.servers["app-2"].behaviour = world.servers["app-2"].hang_up
    answers = [await world.http.get("/x") for _ in range(9)]
    assert {answer.status_code for answer in answers} == {200}
    assert {answer.text for answer in answers} == world.all_but("app-2")
    assert world.balancer.health()["backends"]["app-2"]["state"] == "down"


@pytest.mark.parametrize("method", ["POST", "DELETE"])
async def test_what_may_have_acted_is_not_repeated(world: World, method: str) -> None:
    for server in world.servers.values():
        server.behaviour = server.hang_up
    answer = await world.http.request(method, "/x")
    assert answer.status_code == 502
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["server-role"] == "balancer"
    assert sum(len(server.heads) for server in world.servers.values()) == 1


async def test_a_get_goes_elsewhere_if_a_server_is_silent(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SILENCE", 0.1)
    world.servers["app-1"].behaviour = world.servers["app-1"].silence
    answers = [await world.http.get("/x") for _ in range(4)]
    assert {answer.text for answer in answers} == world.all_but("app-1")
    for server in world.servers.values():
        server.behaviour = server.silence
    assert (await world.http.get("/x")).status_code == 504


async def test_a_post_to_a_silent_server_is_504_and_asked_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SILENCE_ALONE", 0.1)
    for server in world.servers.values():
        server.behaviour = server.silence
    assert (await world.http.post("/x")).status_code == 504
    assert sum(len(server.heads) for server in world.servers.values()) == 1


async def test_any_request_goes_elsewhere_if_nothing_could_be_sent(world: World) -> None:
    await world.servers["app-3"].stop()
    for _ in range(6):
        assert (await world.http.post("/x", content=b"")).status_code == 200


async def test_without_servers_503(world: World) -> None:
    for server in world.servers.values():
        await server.stop()
    answer = await world.http.get("/x")
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "1"
    body = answer.json()
    assert (body["status"], body["instance"], body["request_id"]) == (
        503,
        "/x",
        answer.headers["x-request-id"],
    )


async def test_an_unhealthy_server_is_left_out_until_it_is_well(world: World) -> None:
    world.servers["app-1"].healthy = False
    for backend in world.balancer.backends.in_order(b""):
        await backend.check()
    assert {(await world.http.get("/x")).text for _ in range(6)} == world.all_but("app-1")
    world.servers["app-1"].healthy = True
    await world.balancer.backends["app-1"].check()
    assert {(await world.http.get("/x")).text for _ in range(6)} == set(world.servers)


async def test_a_body_passes_however_it_is_framed(world: World) -> None:
    received: list[bytes] = []

    async def take(streams: Streams, head: bytes) -> None:
        reader, writer = streams
        if b"chunked" in head.lower():
            received.append(await reader.readuntil(b"0\r\n\r\n"))
        else:
            received.append(await reader.readexactly(200_000))
        writer.write(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n"
        )

    for server in world.servers.values():
        server.behaviour = take
    assert (await world.http.post("/x", content=b"a" * 200_000)).text == "abcde"
    assert received.pop() == b"a" * 200_000

    async def pieces() -> AsyncIterator[bytes]:
        yield b"one"
        yield b"two"

    assert (await world.http.post("/x", content=pieces())).text == "abcde"
    assert received.pop() == b"3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n"


async def test_an_answer_until_the_connection_ends(world: World) -> None:
    async def endless(streams: Streams, head: bytes) -> None:
        streams[1].write(b"HTTP/1.1 200 OK\r\n\r\nall of it")
        streams[1].close()

    for server in world.servers.values():
        server.behaviour = endless
    assert (await world.http.get("/x")).text == "all of it"


async def test_a_head_has_no_body_and_the_connection_lives_on(world: World) -> None:
    request = b"HEAD /x HTTP/1.1\r\nHost: a\r\n\r\nGET /y HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    found = await world.raw(request)
    assert found.count(b"HTTP/1.1 200 OK") == 2
    assert found.count(b"app-") == 1


@pytest.mark.parametrize(
    "head",
    [
        b"GET /x\r\n\r\n",
        b"GET /x HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"POST /x HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"POST /x HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n",
        b"POST /x HTTP/1.1\r\nContent-Length: +5\r\n\r\n",
        b"GET /x HTTP/1.1\r\nA: b\r\n c\r\n\r\n",
        b"GET /x HTTP/1.1\r\nA : b\r\n\r\n",
        b"GET /x HTTP/1.1\r\nA: b\nC: d\r\n\r\n",
        b"GET /x HTTP/1.1\r\nA: " + b"b" * 70_000 + b"\r\n\r\n",
    ],
)
async def test_what_could_be_read_in_two_ways_is_refused(world: World, head: bytes) -> None:
    assert (await world.raw(head)).startswith(b"HTTP/1.1 400 ")
    assert not any(server.heads for server in world.servers.values())


async def test_an_upgrade_becomes_a_tunnel(world: World) -> None:
    async def upgrade(streams: Streams, head: bytes) -> None:
        reader, writer = streams
        assert b"upgrade: echo" in head.lower()
        writer.write(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: upgrade\r\n\r\n")
        while data := await reader.read(100):
            writer.write(data.upper())

    for server in world.servers.values():
        server.behaviour = upgrade
    reader, writer = await asyncio.open_connection("127.0.0.1", world.port)
    writer.write(b"GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
    async with asyncio.timeout(5):
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 101 ")
        assert b"upgrade: echo" in head.lower()
        writer.write(b"hello")
        assert await reader.readexactly(5) == b"HELLO"
    writer.close()
    await writer.wait_closed()


async def test_when_the_client_hangs_up_so_does_the_balancer(world: World) -> None:
    for server in world.servers.values():
        server.behaviour = server.silence
    _, writer = await asyncio.open_connection("127.0.0.1", world.port)
    await asyncio.sleep(0.05)
    for server in world.servers.values():
        server.ended.clear()
    writer.write(b"GET /x HTTP/1.1\r\nHost: a\r\n\r\n")
    await asyncio.sleep(0.05)
    writer.close()
    [asked] = [server for server in world.servers.values() if server.heads]
    async with asyncio.timeout(1):
        await asked.ended.wait()
    assert sum(len(server.heads) for server in world.servers.values()) == 1, "nobody is left to ask for"
    assert world.balancer.health()["backends"][asked.name]["state"] == "up"


async def test_other_backends_by_command(world: World) -> None:
    ports = {"app-9": world.servers["app-2"].port}
    await world.balancer.command("backends", {"servers": ports})
    assert {(await world.http.get("/x")).text for _ in range(3)} == {"app-2"}
    with pytest.raises(ValueError, match="no command"):
        await world.balancer.command("dance", {})


async def test_stopping_lets_a_request_finish(world: World) -> None:
    async def slow(streams: Streams, head: bytes) -> None:
        await asyncio.sleep(0.2)
        await world.servers["app-1"].answer(streams, head)

    for server in world.servers.values():
        server.behaviour = slow
    asking: asyncio.Task[Any] = asyncio.create_task(world.http.get("/x"))
    await asyncio.sleep(0.05)
    await world.balancer.stop()
    assert (await asking).status_code == 200
