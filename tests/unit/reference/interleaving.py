"""Servers, movers and shards in one event loop, where chance decides who is next, and what goes wrong.

Nothing waits for anything but its turn, and turns are given by a seeded generator: the same seed, the same run.
"""

import asyncio
import random
import sqlite3
from collections.abc import Sequence
from typing import Any

from reference.platform.errors import Indefinite, TimedOut, Unavailable
from reference.platform.sql import NotMatched, Row, Statement, Value, statement
from reference.platform.sqlite_server import attempt


class Turns:
    """Also the clock of everybody: to sleep is to wait for a turn."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.waiting: list[asyncio.Future[None]] = []
        self.time = 0

    async def turn(self) -> None:
        future = asyncio.get_running_loop().create_future()
        self.waiting.append(future)
        await future

    async def give(self) -> None:
        """Lets everybody come as far as they can, and then one of them go on."""
        for _ in range(4):
            await asyncio.sleep(0)
        self.time += 1
        self.waiting = [future for future in self.waiting if not future.done()]
        if self.waiting:
            self.waiting.pop(self.random.randrange(len(self.waiting))).set_result(None)

    def now(self) -> float:
        return 1000.0 + self.time

    async def sleep(self, seconds: float) -> None:
        await self.turn()


class ChancyDatabase:
    """A `Database` in memory. A call may fail before it acts, or after, or act long after it has failed; and whoever
    calls may be paused for long, before or after."""

    share_lock = ""

    def __init__(self, turns: Turns, trouble: float) -> None:
        self.turns = turns
        self.trouble = trouble
        self.late: set[asyncio.Task[Any]] = set()
        self.sqlite = sqlite3.connect(":memory:", isolation_level=None)
        self.sqlite.row_factory = sqlite3.Row

    async def define(self, tables: Sequence[str]) -> None:
        await self.call([statement(table) for table in tables])

    async def query(self, sql: str, *values: Value) -> list[Row]:
        (rows,) = await self.call([statement(sql, *values)])
        return rows

    async def transaction(self, statements: Sequence[Statement]) -> list[list[Row]]:
        return await self.call(statements)

    async def close(self) -> None:
        self.sqlite.close()

    async def call(self, statements: Sequence[Statement]) -> list[list[Row]]:
        await self.turns.turn()
        if self.turns.random.random() < self.trouble:
            match self.turns.random.randrange(5):
                case 0:
                    raise Unavailable("refused")
                case 1:
                    task = asyncio.ensure_future(self.act_late(statements))
                    self.late.add(task)
                    raise TimedOut("no answer yet")
                case 2:
                    self.act(statements)
                    raise Indefinite("the answer was lost")
                case 3:
                    await self.pause()
                case 4:
                    results = self.act(statements)
                    await self.pause()
                    return results
        results = self.act(statements)
        await self.turns.turn()  # the answer takes its time too
        return results

    async def pause(self) -> None:
        for _ in range(self.turns.random.randrange(1, 60)):
            await self.turns.turn()

    async def act_late(self, statements: Sequence[Statement]) -> None:
        await self.pause()
        try:
            self.act(statements)
        except NotMatched:
            pass

    def act(self, statements: Sequence[Statement]) -> list[list[Row]]:
        asked = [{"sql": each.sql, "rows": each.rows, "must_match": each.must_match} for each in statements]
        answer = attempt(self.sqlite, asked)
        match answer.get("error"):
            case None:
                results: list[list[Row]] = answer["results"]
                return results
            case "not_matched":
                raise NotMatched
            case "refused":
                raise Unavailable(answer["message"])
        raise RuntimeError(answer["message"])

    def rows(self, sql: str) -> list[dict[str, Any]]:
        return [dict(row) for row in self.sqlite.execute(sql)]
