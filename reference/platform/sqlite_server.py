"""SQLite behind a small TCP protocol: the embedded profile's SQL server.

SQLite is a library; here it lives in a process of its own, so that the store can be slowed, cut and killed like
any service. One JSON line asks, one JSON line answers, one after the other on each connection:

    {"read": true, "statements": [{"sql": "SELECT ...", "rows": [["abc"]], "must_match": false}]}
    {"results": [[{"code": "abc"}]]}
    {"error": "not_matched" | "refused" | "bug", "message": "..."}        nothing happened

All statements of a line are one transaction. Commits are flushed to the disk (WAL, synchronous=FULL).
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from reference.platform.sockets import listen, port_of
from reference.platform.tasks import end

LINE_LIMIT = 16 * 1024 * 1024


class SqliteServer:
    """Serves one database file. Reads run in the event loop, for they take microseconds; writes take their turn
    in a thread, for each waits for the disk."""

    def __init__(self, file: Path, host: str, port: int) -> None:
        self.file = file
        self.host = host
        self.port = port
        self._thread = ThreadPoolExecutor(1, "sqlite-writer")
        self._handlers: set[asyncio.Task[None]] = set()

    async def start(self) -> int:
        """Opens the file, listens; returns the port."""
        self.file.parent.mkdir(parents=True, exist_ok=True)
        self._writer = self._open()
        self._reader = self._open()
        self._reader.execute("PRAGMA query_only = ON")
        listener = listen(self.host, self.port)
        self.port = port_of(listener)
        self._server = await asyncio.start_server(self._serve, sock=listener, limit=LINE_LIMIT)
        return self.port

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.file, isolation_level=None, check_same_thread=False)
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA busy_timeout = 1000")
        return connection

    async def stop(self) -> None:
        self._server.close()
        await end(self._handlers)
        await self._server.wait_closed()
        self._thread.shutdown()
        self._reader.close()
        self._writer.close()

    @property
    def connections(self) -> int:
        return len(self._handlers)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._handlers.add(task)
        try:
            while line := await reader.readline():
                answer = await self._answer(json.loads(line))
                writer.write(json.dumps(answer).encode() + b"\n")
                await writer.drain()
        except (OSError, ValueError, asyncio.CancelledError):
            pass  # the client went away or spoke nonsense, or we stop
        finally:
            self._handlers.discard(task)
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def _answer(self, asked: dict[str, Any]) -> dict[str, Any]:
        statements = asked["statements"]
        if asked.get("read"):
            return attempt(self._reader, statements)
        return await asyncio.get_running_loop().run_in_executor(
            self._thread, attempt, self._writer, statements
        )


def attempt(database: sqlite3.Connection, statements: list[dict[str, Any]]) -> dict[str, Any]:
    """Runs one transaction; whatever goes wrong, all of it is undone."""
    try:
        database.execute(
            "BEGIN" if database.execute("PRAGMA query_only").fetchone()[0] else "BEGIN IMMEDIATE"
        )
        try:
            results = [run(database, each) for each in statements]
            database.execute("COMMIT")
        except BaseException:
            if database.in_transaction:
                database.execute("ROLLBACK")
            raise
    except LookupError:
        return {"error": "not_matched", "message": ""}
    except sqlite3.OperationalError as error:  # busy, disk full, a table that nobody has made yet
        return {"error": "refused", "message": str(error)}
    except sqlite3.Error as error:
        return {"error": "bug", "message": f"{type(error).__name__}: {error}"}
    return {"results": results}


def run(database: sqlite3.Connection, each: dict[str, Any]) -> list[dict[str, Any]]:
    """The rows that a statement returned. LookupError: it had to match and did not."""
    rows: list[dict[str, Any]] = []
    for values in each["rows"]:
        bound = {str(number): value for number, value in enumerate(values, 1)}
        rows = [dict(row) for row in database.execute(each["sql"], bound)]
        if each["must_match"] and not rows:
            raise LookupError
    return rows if len(each["rows"]) == 1 else []
