"""`Database` over PostgreSQL, by asyncpg."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import asyncpg

from reference.platform.errors import Indefinite, TimedOut, Unavailable
from reference.platform.pool import Pool
from reference.platform.sql import NotMatched, Row, Statement, Value

CONNECTIONS = 10
ALL_DEFINE = 7_316_921
"""Key of the advisory lock under which tables are made: CREATE TABLE IF NOT EXISTS alone races with itself."""

REFUSALS = ("08", "25006", "40", "42P01", "53", "55", "57")
"""SQLSTATE prefixes of errors that say "not now": the same statement may succeed later. The rest are our bugs.
42P01 (no such table) is there because a server may be asked before any has made the tables."""

DRIVER_ERRORS = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError)
"""InternalClientError: of a connection whose server has said that it goes, and is not gone yet."""

BROKEN = ("08", "57P")
"""The connection is gone, or its server is: what was under way may have happened. Any other error is an answer."""


class _Connection:
    def __init__(self, driver: asyncpg.Connection) -> None:
        self.driver = driver

    @property
    def is_open(self) -> bool:
        return not self.driver.is_closed()

    def abort(self) -> None:
        self.driver.terminate()


class _Progress:
    """How far a call has come, and so what its failure means."""

    connected = False
    committing = False
    """Something that takes effect without a further word from us is under way."""


class Postgres:
    share_lock = " FOR SHARE"

    def __init__(self, url: str, timeout: float) -> None:
        self._url = url
        self._timeout = timeout
        self._pool: Pool[_Connection] = Pool(self._connect, CONNECTIONS)

    async def _connect(self) -> _Connection:
        # The server gives up when we do: what runs on must not hold locks that nobody waits for.
        milliseconds = str(max(1, int(self._timeout * 1000)))
        limits = {"statement_timeout": milliseconds, "idle_in_transaction_session_timeout": milliseconds}
        return _Connection(await asyncpg.connect(self._url, ssl=False, server_settings=limits))

    async def define(self, tables: Sequence[str]) -> None:
        """Nothing, where the schema is made by migrations: a CREATE INDEX IF NOT EXISTS keeps all writers of its table
        waiting, even if the index is there, and every server that starts would send some."""
        if await self._is_migrated():
            return
        async with self._guarded() as (driver, progress), driver.transaction():
            progress.committing = True
            await driver.execute(f"SELECT pg_advisory_xact_lock({ALL_DEFINE})")
            for table in tables:
                await driver.execute(table)

    async def _is_migrated(self) -> bool:
        async with self._guarded() as (driver, _):
            return await driver.fetchval("SELECT to_regclass('alembic_version')") is not None

    async def query(self, sql: str, *values: Value) -> list[Row]:
        async with self._guarded() as (driver, _):
            return [dict(row) for row in await driver.fetch(sql, *values)]

    async def transaction(self, statements: Sequence[Statement]) -> list[list[Row]]:
        async with self._guarded() as (driver, progress):
            if len(statements) == 1 and len(statements[0].rows) == 1:  # is a transaction by itself
                progress.committing = True
                results = [await self._run(driver, statements[0])]
                matched = bool(results[0]) or not statements[0].must_match
            else:
                await driver.execute("BEGIN")
                results, matched = await self._run_all(driver, statements)
                progress.committing = matched
                await driver.execute("COMMIT" if matched else "ROLLBACK")
        if not matched:
            raise NotMatched
        return results

    async def _run_all(
        self, driver: asyncpg.Connection, statements: Sequence[Statement]
    ) -> tuple[list[list[Row]], bool]:
        """The results, up to the first statement that had to match and did not; and whether all did."""
        results: list[list[Row]] = []
        for each in statements:
            results.append(await self._run(driver, each))
            if each.must_match and not results[-1]:
                return results, False
        return results, True

    async def _run(self, driver: asyncpg.Connection, each: Statement) -> list[Row]:
        if len(each.rows) == 1:
            return [dict(row) for row in await driver.fetch(each.sql, *each.rows[0])]
        await driver.executemany(each.sql, each.rows)
        return []

    @asynccontextmanager
    async def _guarded(self) -> AsyncIterator[tuple[asyncpg.Connection, _Progress]]:
        """A connection under a deadline, and the driver's errors as ours."""
        progress = _Progress()
        try:
            async with asyncio.timeout(self._timeout), self._pool.use() as connection:
                progress.connected = True
                yield connection.driver, progress
        except TimeoutError as error:
            if progress.connected:
                raise TimedOut("PostgreSQL did not answer in time") from error
            raise Unavailable("PostgreSQL could not be reached in time") from error
        except DRIVER_ERRORS as error:
            state = getattr(error, "sqlstate", None)
            if state is not None and not state.startswith(REFUSALS):
                raise
            if progress.committing and (state is None or state.startswith(BROKEN)):
                raise Indefinite(f"the connection to PostgreSQL broke: {error}") from error
            raise Unavailable(f"PostgreSQL: {error}") from error

    async def close(self) -> None:
        self._pool.close()
