"""A store in whose transactions a test can stop, and a line to it that counts what is asked and that can be cut."""

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

import asyncpg

from reference.platform.sql import Statement, statement
from reference.platform.sqlite_server import SqliteServer
from tests.listening import listening

PATIENCE = 20.0


class Gate(Protocol):
    """`here`: a statement that does not end before the gate is open."""

    here: Statement

    async def reached(self, waiting: int = 1) -> None:
        """Returns once a transaction waits here, and so many wait in all, if the store lets others come so far."""
        ...

    async def open(self) -> None: ...


@dataclass
class Gated:
    """`url`: of a store, in whose transactions `gate` can be put."""

    url: str
    gate: Gate


class SqliteGate:
    here = statement("SELECT wait_here()")

    def __init__(self, server: SqliteServer) -> None:
        self._reached, self._opened = threading.Event(), threading.Event()
        server._writer.create_function("wait_here", 0, self._wait)

    def _wait(self) -> int:
        self._reached.set()
        return int(self._opened.wait(PATIENCE))

    async def reached(self, waiting: int = 1) -> None:
        """One at most: the others wait for their turn."""
        assert await asyncio.to_thread(self._reached.wait, PATIENCE)

    async def open(self) -> None:
        self._opened.set()


class PostgresGate:
    """An advisory lock, held by a connection of the test's own."""

    here = statement("SELECT pg_advisory_xact_lock(7)")

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection

    async def reached(self, waiting: int = 1) -> None:
        asked = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        async with asyncio.timeout(PATIENCE):
            while await self._connection.fetchval(asked) < waiting:  # noqa: ASYNC110
                await asyncio.sleep(0.01)

    async def open(self) -> None:
        await self._connection.execute("SELECT pg_advisory_unlock_all()")


@asynccontextmanager
async def gated_sqlite(file: Path) -> AsyncIterator[Gated]:
    server = SqliteServer(file, "127.0.0.1", 0)
    port = await server.start()
    gate = SqliteGate(server)
    try:
        yield Gated(f"sqlite+tcp://127.0.0.1:{port}", gate)
    finally:
        await gate.open()
        await server.stop()


@asynccontextmanager
async def gated_postgres(url: str) -> AsyncIterator[Gated]:
    connection = await asyncpg.connect(url, ssl=False)
    try:
        await connection.execute("SELECT pg_advisory_lock(7)")
        yield Gated(url, PostgresGate(connection))
    finally:
        await connection.close()


@dataclass
class Line:
    """`url`: of the service behind it. `asked`: times that the client spoke after the service had: round trips."""

    url: str
    asked: int = 0
    writers: list[asyncio.StreamWriter] = field(default_factory=list)

    def cut(self) -> None:
        for writer in self.writers:
            writer.transport.abort()

    async def carry(self, port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        service, to_service = await asyncio.open_connection("127.0.0.1", port)
        self.writers += [writer, to_service]
        spoke = "service"

        async def pump(who: str, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
            nonlocal spoke
            with suppress(OSError):
                while data := await source.read(65_536):
                    self.asked += (spoke, who) == ("service", "client")
                    spoke = who
                    sink.write(data)

        pumps = [
            asyncio.ensure_future(pump("client", reader, to_service)),
            asyncio.ensure_future(pump("service", service, writer)),
        ]
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in pumps:
                each.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
            to_service.transport.abort()
            writer.transport.abort()


@asynccontextmanager
async def line_to(url: str) -> AsyncIterator[Line]:
    parts = urlsplit(url)
    line = Line(url)
    assert parts.port is not None
    behind = parts.port
    async with listening(lambda reader, writer: line.carry(behind, reader, writer)) as port:
        line.url = parts._replace(netloc=parts.netloc.replace(f":{behind}", f":{port}")).geturl()
        yield line
