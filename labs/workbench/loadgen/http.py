"""A small HTTP/1.1 client for the load generator: GET, keep-alive, no redirects followed, and little work a request."""

from __future__ import annotations

import asyncio
from urllib.parse import urlsplit

import httptools


class Broken(ConnectionError):
    """The connection ended before the response did."""


class Connection(asyncio.Protocol):
    """One connection, one request at a time."""

    def __init__(self) -> None:
        self.usable = True
        self.used = False
        self._answer: asyncio.Future[int] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    async def ask(self, request: bytes) -> int:
        """The response's status, once its body has come."""
        self._parser = httptools.HttpResponseParser(self)
        self.heard = False
        self._answer = asyncio.get_running_loop().create_future()
        self.transport.write(request)
        try:
            status = await self._answer
        except BaseException:
            self.close()
            raise
        self.used = True
        return status

    def data_received(self, data: bytes) -> None:
        self.heard = True
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self._fail()

    def on_message_complete(self) -> None:
        if not self._parser.should_keep_alive():
            self.close()
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(self._parser.get_status_code())

    def eof_received(self) -> None:
        self.usable = False

    def connection_lost(self, error: Exception | None) -> None:
        self._fail()

    def _fail(self) -> None:
        self.close()
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(Broken("the connection ended before the response"))

    def close(self) -> None:
        self.usable = False
        self.transport.abort()


class Client:
    """Keeps connections to one origin and opens another whenever all are busy: an open loop must not queue here."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        assert parts.hostname is not None
        self.host, self.port = parts.hostname, parts.port or 80
        self.prefix = parts.path.rstrip("/")
        self._idle: list[Connection] = []

    async def get(self, path: str) -> int:
        """The status. Raises OSError (Broken, or what connecting raised)."""
        target = f"{self.prefix}/{path.lstrip('/')}"
        headers = f"Host: {self.host}:{self.port}\r\nUser-Agent: workbench-load\r\n"
        request = f"GET {target} HTTP/1.1\r\n{headers}\r\n".encode()
        connection = await self._connection()
        try:
            status = await connection.ask(request)
        except Broken:
            # The server may close a kept connection just as the request leaves: any client then tries once more.
            if not connection.used or connection.heard:
                raise
            connection = await self._open()
            status = await connection.ask(request)
        if connection.usable:
            self._idle.append(connection)
        return status

    async def _connection(self) -> Connection:
        while self._idle:
            connection = self._idle.pop()
            if connection.usable:
                return connection
        return await self._open()

    async def _open(self) -> Connection:
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_connection(Connection, self.host, self.port)
        return connection

    def close(self) -> None:
        for connection in self._idle:
            connection.close()
        self._idle.clear()
