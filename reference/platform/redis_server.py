"""A Redis for the embedded profile: fakeredis, over TCP, in one event loop.

fakeredis brings a TCP server of its own, with a thread for each connection; under a few dozen connections its
clients wait for a second now and then. This one hands what arrives to the same engine without any thread.
Nothing is kept when the process ends.
"""

from __future__ import annotations

import asyncio
from typing import Any

from fakeredis import FakeServer
from fakeredis._clients._tcp_server import encode_reply
from fakeredis.aioredis import AsyncFakeSocket
from redis.asyncio import Redis

from reference.platform.lua import HardScripts
from reference.platform.sockets import listen, port_of


class FakeRedisServer:
    """One Redis instance: its data, and the port that it listens on."""

    def __init__(self, host: str, port: int) -> None:
        self.host = host
        self.port = port
        self.data = FakeServer(version=(7,))
        self.connections: set[_Connection] = set()

    async def start(self) -> int:
        """Listens; returns the port."""
        listener = listen(self.host, self.port)
        self.port = port_of(listener)
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Connection(self), sock=listener)
        return self.port

    async def stop(self) -> None:
        self._server.close()
        for connection in list(self.connections):
            connection.transport.abort()
        await self._server.wait_closed()


class _Socket(HardScripts, AsyncFakeSocket):
    """fakeredis' end of a connection: bytes go in by `sendall`, replies come out by `put_response`."""

    transport: asyncio.Transport
    gone = False

    def put_response(self, reply: Any) -> None:
        if not self.gone:
            self.transport.write(encode_reply(reply, self._client_info.protocol_version))

    def resume(self) -> None:
        """A blocking command is over."""
        if self.gone:
            self.close()
        else:
            super().resume()

    def leave(self) -> None:
        """The client went away. A command that it waits in must not take anything any more."""
        self.gone = True
        if self._blocked:
            with self._server.lock:
                self._unblock_reason = b"timeout"
                self._db.wake_all()
        else:
            self.close()


class _Connection(asyncio.Protocol):
    def __init__(self, server: FakeRedisServer) -> None:
        self.server = server

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.server.connections.add(self)
        addresses = {
            "laddr": transport.get_extra_info("sockname"),
            "addr": transport.get_extra_info("peername"),
        }
        self.socket = _Socket(
            self.server.data, 0, client_class=Redis, lua_modules=set(), client_info={**addresses, "resp": 2}
        )
        self.socket.transport = transport

    def data_received(self, data: bytes) -> None:
        try:
            self.socket.sendall(data)
        except (
            Exception
        ) as error:  # not Redis' protocol, or a bug of the engine: as a real server, say so and hang up
            self.transport.write(
                f"-ERR {type(error).__name__}: {error}\r\n".replace("\n", " ").encode() + b"\r\n"
            )
            self.transport.close()

    def connection_lost(self, error: Exception | None) -> None:
        self.server.connections.discard(self)
        self.socket.leave()
