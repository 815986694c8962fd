"""The little of SQL that the repositories of all cases share: a statement, a transaction, and what may go wrong.

This is no port. A case's repository is the port; it is written once, in the SQL that SQLite (from 3.35) and
PostgreSQL both understand: `$1` placeholders, `ON CONFLICT`, `RETURNING`, DOUBLE PRECISION for POSIX seconds.
A `Database` is the driver below it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Protocol
from urllib.parse import urlsplit

Value = str | int | float | None
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement, run for each tuple of `rows` in turn. It returns rows only if it is run once.

    `must_match`: if it returns no row (so it needs a RETURNING), the whole transaction is undone: a comparison
    and a change in one step.
    """

    sql: str
    rows: tuple[tuple[Value, ...], ...]
    must_match: bool = False


def statement(sql: str, *values: Value, must_match: bool = False) -> Statement:
    """A statement that is run once."""
    return Statement(sql, (values,), must_match)


def insertions(into: str, rows: Sequence[tuple[Value, ...]], then: str = "") -> list[Statement]:
    """`into` VALUES (...), (...), ... `then`, for all `rows`: hundreds of rows in one execution cost a third of as many
    executions. A few sizes only, so that drivers, which keep what they have prepared by its text, can keep these."""
    statements = []
    for size in (200, 20, 1):
        count, rest = divmod(len(rows), size)
        if count:
            blocks = [rows[n * size : (n + 1) * size] for n in range(count)]
            values = tuple(tuple(value for row in block for value in row) for block in blocks)
            statements.append(Statement(f"{into} VALUES {places(size, len(rows[0]))} {then}", values))
        rows = rows[len(rows) - rest :]
    return statements


@cache
def places(rows: int, columns: int) -> str:
    """The placeholders of so many rows: "($1, $2), ($3, $4)" for two of two."""
    one = [", ".join(f"${row * columns + column + 1}" for column in range(columns)) for row in range(rows)]
    return ", ".join(f"({each})" for each in one)


class NotMatched(Exception):
    """A statement with `must_match` met no row; nothing of its transaction happened."""


class Database(Protocol):
    """A store of rows that several processes share.

    Promises: the statements of one `transaction` happen together or not at all, isolated at least as
    READ COMMITTED; once it has returned, they survive the end of any process.
    Errors: `Unavailable` means that nothing happened; `Indefinite` and `TimedOut` (no answer within the
    deadline) that all of it may have happened, or none.
    Does not promise: an order among concurrent transactions.
    """

    share_lock: str
    """What a SELECT ends with whose rows must stay as they are until the transaction's end, although others may
    read them and lock them in the same way. Nothing, where writers take turns anyway."""

    async def define(self, tables: Sequence[str]) -> None:
        """Runs `CREATE ... IF NOT EXISTS` statements, also when several processes do so at once."""
        ...

    async def transaction(self, statements: Sequence[Statement]) -> list[list[Row]]:
        """For each statement the rows that it returned. Raises NotMatched, or a PortError."""
        ...

    async def query(self, sql: str, *values: Value) -> list[Row]:
        """The rows of one SELECT."""
        ...

    async def close(self) -> None: ...


def connect(url: str, timeout: float) -> Database:
    """The driver that `url` names: `sqlite+tcp://host:port` or `postgresql://user@host:port/database`.

    `timeout`: seconds for one call, the wait for a connection included. Connects to nothing yet.
    """
    match urlsplit(url).scheme:
        case "sqlite+tcp":
            from reference.platform.sqlite_client import SqliteClient

            return SqliteClient(url, timeout)
        case "postgresql":
            from reference.platform.postgres import Postgres

            return Postgres(url, timeout)
        case other:
            raise ValueError(f"no driver for a store of kind {other!r}")
