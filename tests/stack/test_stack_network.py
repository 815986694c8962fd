"""The proxies between roles and services, and the faults that they make."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from workbench.stack.network import Network

from reference.platform.port_lease import PortLease

pytestmark = pytest.mark.anyio


class Echo(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.transport.write(data)


@asynccontextmanager
async def echo() -> AsyncIterator[int]:
    server = await asyncio.get_running_loop().create_server(Echo, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


@asynccontextmanager
async def network(*edges: str) -> AsyncIterator[tuple[Network, dict[str, int]]]:
    """The edges lead to one echo server."""
    leases = {edge: PortLease() for edge in edges}
    net = Network({edge: lease.port for edge, lease in leases.items()})
    async with echo() as port:
        await net.start()
        services = {edge.partition("->")[2] for edge in edges}
        await net.command("upstream", {"ports": dict.fromkeys(services, port)})
        try:
            yield net, {edge: lease.port for edge, lease in leases.items()}
        finally:
            await net.stop()
            for lease in leases.values():
                lease.release()


async def ask(port: int, text: bytes = b"hello") -> bytes:
    async with asyncio.timeout(3):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            writer.write(text)
            return await reader.readexactly(len(text))
        finally:
            writer.close()


async def test_bytes_go_both_ways_also_many_of_them() -> None:
    async with network("a->cache") as (_, ports):
        big = bytes(range(256)) * 40_000  # 10 MB: more than every buffer on the way
        assert await ask(ports["a->cache"], big) == big


async def test_slow_holds_each_way_and_keeps_the_order() -> None:
    async with network("a->cache") as (net, ports):
        await net.command("fault", {"edges": ["a->cache"], "fault": "slow", "seconds": 0.1})
        reader, writer = await asyncio.open_connection("127.0.0.1", ports["a->cache"])
        began = time.monotonic()
        for number in range(50):
            writer.write(b"%02d" % number)
            await asyncio.sleep(0.001)
        await asyncio.sleep(0.05)
        await net.command("fault", {"edges": ["a->cache"], "fault": "mend"})
        writer.write(b"!!")  # sent without delay, and yet behind what is still held
        got = await reader.readexactly(102)
        writer.close()
        assert got == b"".join(b"%02d" % n for n in range(50)) + b"!!"
        assert time.monotonic() - began >= 0.1


async def test_slow_takes_twice_the_delay_for_an_answer() -> None:
    async with network("a->cache") as (net, ports):
        await net.command("fault", {"edges": ["a->cache"], "fault": "slow", "seconds": 0.1})
        began = time.monotonic()
        assert await ask(ports["a->cache"]) == b"hello"
        assert time.monotonic() - began >= 0.2


async def test_cut_refuses_and_resets_one_edge_only() -> None:
    async with network("a->cache", "b->cache") as (net, ports):
        reader, writer = await asyncio.open_connection("127.0.0.1", ports["a->cache"])
        writer.write(b"x")
        assert await reader.read(1) == b"x"
        await net.command("fault", {"edges": ["a->cache"], "fault": "cut"})
        with pytest.raises(ConnectionResetError):
            await reader.read(1)
        writer.close()
        with pytest.raises(ConnectionRefusedError):
            await ask(ports["a->cache"])
        assert await ask(ports["b->cache"]) == b"hello"
        await net.command("fault", {"edges": ["a->cache"], "fault": "mend"})
        assert await ask(ports["a->cache"]) == b"hello"
        assert net.health()["faults"] == {}


async def test_hang_takes_everything_and_answers_nothing() -> None:
    async with network("a->cache") as (net, ports):
        reader, writer = await asyncio.open_connection("127.0.0.1", ports["a->cache"])
        await net.command("fault", {"edges": ["a->cache"], "fault": "hang"})
        for connection in ((reader, writer), await asyncio.open_connection("127.0.0.1", ports["a->cache"])):
            connection[1].write(b"x")
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.2):
                    await connection[0].read(1)
        await net.command("fault", {"edges": ["a->cache"], "fault": "mend"})
        with pytest.raises(ConnectionResetError):  # its bytes are lost: it cannot go on
            await reader.read(1)
        assert await ask(ports["a->cache"]) == b"hello"
        for one in (writer, connection[1]):
            one.close()


async def test_a_service_that_is_away_refuses() -> None:
    async with network("a->cache") as (net, ports):
        await net.command("upstream", {"ports": {"cache": None}})
        with pytest.raises(ConnectionRefusedError):
            await ask(ports["a->cache"])


async def test_closed_connections_leave_nothing() -> None:
    async with network("a->cache") as (net, ports):
        for _ in range(20):
            await ask(ports["a->cache"])
        async with asyncio.timeout(3):
            while net.health()["connections"]:  # noqa: ASYNC110
                await asyncio.sleep(0.01)


async def test_unknown_orders_are_refused() -> None:
    async with network("a->cache") as (net, _):
        with pytest.raises(ValueError, match="no command"):
            await net.command("burn", {})
        with pytest.raises(ValueError, match="no such fault"):
            await net.command("fault", {"edges": ["a->cache"], "fault": "burn"})
