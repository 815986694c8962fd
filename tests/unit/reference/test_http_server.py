"""A server that drains: what is on its way on a connection that is kept is answered, and its client told."""

import asyncio
import socket
import time

import httpx
import pytest

from reference.platform.http_server import HttpServer
from tests.unit.reference.conftest import make_world

pytestmark = pytest.mark.anyio
READY = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


async def head(reader: asyncio.StreamReader) -> bytes:
    answer = await reader.readuntil(b"\r\n\r\n")
    length = next(line for line in answer.lower().splitlines() if line.startswith(b"content-length"))
    await reader.readexactly(int(length.partition(b":")[2]))
    return answer.lower()


@pytest.mark.parametrize("linger", [1.0, 0.0])
async def test_a_connection_that_is_kept_has_one_more_answer_where_the_server_lingers(linger: float) -> None:
    world = await make_world()
    server = HttpServer(world.app, "127.0.0.1", 0, linger=linger)
    port = await server.start()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    unused = await asyncio.open_connection("127.0.0.1", port)
    writer.write(READY)
    assert b"connection: close" not in await head(reader)
    stopping = asyncio.create_task(server.stop())
    await asyncio.sleep(0.1)
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", port)
    writer.write(READY)
    if linger:
        assert b"connection: close" in await head(reader)
        unused[1].close()  # as a balancer does with what it does not need
        began = time.monotonic()
        await stopping
        assert time.monotonic() - began < linger / 2, "nobody is left to wait for"
    assert await reader.read() == b""
    await stopping
    writer.close()
    unused[1].close()
    with pytest.raises(httpx.ConnectError):
        async with httpx.AsyncClient() as client:
            await client.get(f"http://127.0.0.1:{port}/healthz")


async def test_connections_that_wait_to_be_accepted_are_answered_when_the_server_lingers() -> None:
    """The kernel made them, and a request was sent, before the server's event loop had its turn again."""
    world = await make_world()
    server = HttpServer(world.app, "127.0.0.1", 0, linger=1.0)
    port = await server.start()
    waiting = [socket.create_connection(("127.0.0.1", port)) for _ in range(20)]
    for each in waiting:
        each.sendall(READY)
    await server.stop()
    answers = []
    for each in waiting:
        with each:
            each.settimeout(1.0)
            answers.append(each.recv(65536).partition(b"\r\n")[0])
    assert answers == [b"HTTP/1.1 200 OK"] * 20
