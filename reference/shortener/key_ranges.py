"""The port `KeyRanges` over SQL: a counter in a table of one row, moved on by one atomic statement.

A generator asks once for BLOCK codes. Whatever becomes of the answer, its numbers are never given to anybody else: a
generator that dies with a block of its own costs BLOCK numbers at most. There are 352 million blocks: at one crash a
second, for eleven years.
"""

from __future__ import annotations

from reference.platform.errors import Unavailable
from reference.platform.sql import Database, statement
from reference.shortener.components import CODE_LENGTH

NUMBERS = 62**CODE_LENGTH
BLOCK = 10_000

TABLE = """
CREATE TABLE IF NOT EXISTS key_ranges (
    one_row BIGINT PRIMARY KEY CHECK (one_row = 1),
    next_number BIGINT NOT NULL
)"""

_BEGIN = "INSERT INTO key_ranges (one_row, next_number) VALUES (1, 0) ON CONFLICT (one_row) DO NOTHING"

_ALLOT = "UPDATE key_ranges SET next_number = next_number + $1 WHERE next_number < $2 RETURNING next_number"


class SqlKeyRanges:
    """`KeyRanges`."""

    def __init__(self, database: Database, block: int = BLOCK, numbers: int = NUMBERS) -> None:
        self._database = database
        self._block = block
        self._numbers = numbers
        self._prepared = False

    async def allot(self) -> range:
        if not self._prepared:
            await self._prepare()
        [rows] = await self._database.transaction([statement(_ALLOT, self._block, self._numbers)])
        if not rows:
            raise Unavailable("there are no numbers left for new codes")
        end = rows[0]["next_number"]
        return range(end - self._block, min(end, self._numbers))

    async def _prepare(self) -> None:
        """Makes the table and its row, where they are missing."""
        await self._database.define([TABLE])
        await self._database.transaction([statement(_BEGIN)])
        self._prepared = True
