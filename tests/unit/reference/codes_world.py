"""What the tests of the strategies for codes are made with: a namespace, a clock, a store in memory."""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from reference.platform.errors import PortError, Unavailable
from reference.platform.sql import NotMatched, Row, Statement, statement
from reference.platform.sqlite_server import attempt

KEY = b"a key of the tests"


@dataclass
class Clock:
    time: float = 1_800_000_000.25

    def now(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.time += max(0.0, seconds)


@dataclass
class MemoryNamespace:
    """All codes of all links. `errors`: raised by the next claims, one each, before they act or (`act_first`) after."""

    owned: set[str] = field(default_factory=set)
    claims: list[str] = field(default_factory=list)
    looks: list[str] = field(default_factory=list)
    errors: list[PortError] = field(default_factory=list)
    act_first: bool = False

    async def claim(self, code: str) -> bool:
        self.claims.append(code)
        mine = code not in self.owned
        if self.errors and not self.act_first:
            raise self.errors.pop(0)
        self.owned.add(code)
        if self.errors:
            raise self.errors.pop(0)
        return mine

    async def taken(self, code: str) -> bool:
        self.looks.append(code)
        return code in self.owned


class MemorySql:
    """`Database` over SQLite in this process. `errors`: raised by the next transactions, one each."""

    def __init__(self) -> None:
        self.connection = sqlite3.connect(":memory:", isolation_level=None)
        self.connection.row_factory = sqlite3.Row
        self.errors: list[PortError] = []
        self.act_first = False
        self.transactions = 0

    async def define(self, tables: Sequence[str]) -> None:
        self._run([statement(table) for table in tables])

    async def query(self, sql: str, *values: Any) -> list[Row]:
        return self._run([statement(sql, *values)])[0]

    async def transaction(self, statements: Sequence[Statement]) -> list[list[Row]]:
        self.transactions += 1
        if self.errors and not self.act_first:
            raise self.errors.pop(0)
        results = self._run(statements)
        if self.errors:
            raise self.errors.pop(0)
        return results

    def _run(self, statements: Sequence[Statement]) -> list[list[Row]]:
        asked = [{"sql": each.sql, "rows": each.rows, "must_match": each.must_match} for each in statements]
        answer = attempt(self.connection, asked)
        match answer.get("error"):
            case None:
                return answer["results"]  # type: ignore[no-any-return]
            case "not_matched":
                raise NotMatched
            case "refused":
                raise Unavailable(answer["message"])
        raise AssertionError(answer)

    async def close(self) -> None:
        self.connection.close()
