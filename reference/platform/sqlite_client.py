"""`Database` over the embedded SQLite server."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from reference.platform.errors import Indefinite, TimedOut, Unavailable
from reference.platform.pool import Pool
from reference.platform.sql import NotMatched, Row, Statement, Value, statement
from reference.platform.sqlite_server import LINE_LIMIT

CONNECTIONS = 10


class _Connection:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    @property
    def is_open(self) -> bool:
        return not self.reader.at_eof() and self.reader.exception() is None and not self.writer.is_closing()

    def abort(self) -> None:
        self.writer.transport.abort()


class SqliteClient:
    share_lock = ""

    def __init__(self, url: str, timeout: float) -> None:
        address = urlsplit(url)
        self._host, self._port = address.hostname, address.port
        self._timeout = timeout
        self._pool: Pool[_Connection] = Pool(self._connect, CONNECTIONS)

    async def _connect(self) -> _Connection:
        return _Connection(*await asyncio.open_connection(self._host, self._port, limit=LINE_LIMIT))

    async def define(self, tables: Sequence[str]) -> None:
        await self._ask([statement(table) for table in tables], read=False)

    async def query(self, sql: str, *values: Value) -> list[Row]:
        (rows,) = await self._ask([statement(sql, *values)], read=True)
        return rows

    async def transaction(self, statements: Sequence[Statement]) -> list[list[Row]]:
        return await self._ask(statements, read=False)

    async def _ask(self, statements: Sequence[Statement], *, read: bool) -> list[list[Row]]:
        asked = [{"sql": each.sql, "rows": each.rows, "must_match": each.must_match} for each in statements]
        line = json.dumps({"read": read, "statements": asked}).encode() + b"\n"
        sent = False
        try:
            async with asyncio.timeout(self._timeout), self._pool.use() as connection:
                sent = True
                connection.writer.write(line)
                answer = await connection.reader.readline()
                if not answer.endswith(b"\n"):
                    raise ConnectionResetError("the connection ended before the answer")
        except TimeoutError as error:
            if sent:
                raise TimedOut("the store did not answer in time") from error
            raise Unavailable("the store could not be reached in time") from error
        except (OSError, RuntimeError) as error:  # RuntimeError: uvloop's word for a closed connection
            if sent and not read:
                raise Indefinite(f"the connection to the store broke: {error}") from error
            raise Unavailable(f"the store: {error}") from error
        return _results(json.loads(answer))

    async def close(self) -> None:
        self._pool.close()


def _results(answer: dict[str, Any]) -> list[list[Row]]:
    match answer.get("error"):
        case None:
            results: list[list[Row]] = answer["results"]
            return results
        case "not_matched":
            raise NotMatched
        case "refused":
            raise Unavailable(f"the store refused: {answer['message']}")
        case _:
            raise RuntimeError(f"the store could not understand us: {answer['message']}")
