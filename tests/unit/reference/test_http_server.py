"""A server that drains: what is on its way on a connection that is kept is answered, and its client told."""

import asyncio
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
