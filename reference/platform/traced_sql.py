"""A store whose calls are recorded, each as one round trip, for the requests that are traced: see `tracing`."""

from __future__ import annotations

import re
from collections.abc import Sequence

from reference.platform.sql import Database, Row, Statement, Value
from reference.platform.tracing import current

_VERB = re.compile(r"\s*(\w+)")
_TABLE = re.compile(r"\b(?:FROM|INTO|UPDATE|JOIN)\s+(?!SET\b)(\w+)\b(?!\()")


class TracedDatabase:
    """`Database` around another one. `name`: of the service, such as `shard-2`."""

    def __init__(self, database: Database, name: str) -> None:
        self._database = database
        self._name = name
        self.share_lock = database.share_lock

    async def define(self, tables: Sequence[str]) -> None:
        await self._database.define(tables)

    async def query(self, sql: str, *values: Value) -> list[Row]:
        if (recording := current()) is None:
            return await self._database.query(sql, *values)
        with recording.span(summary(sql), self._name) as span:
            rows = await self._database.query(sql, *values)
            span["rows"] = len(rows)
            return rows

    async def transaction(self, statements: Sequence[Statement]) -> list[list[Row]]:
        if (recording := current()) is None:
            return await self._database.transaction(statements)
        texts = dict.fromkeys(summary(each.sql) for each in statements)
        with recording.span("; ".join(texts), self._name, statements=len(statements)):
            return await self._database.transaction(statements)

    async def close(self) -> None:
        await self._database.close()


def summary(sql: str) -> str:
    """The verb and the tables, of a change the table that changes: `SELECT shard_epoch, links`, `INSERT links`."""
    verb = match[1].upper() if (match := _VERB.match(sql)) else "?"
    tables = list(dict.fromkeys(_TABLE.findall(sql)))
    return f"{verb} {', '.join(tables if verb in ('SELECT', 'WITH') else tables[:1])}".strip()
