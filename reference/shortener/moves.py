"""What the mover does to one shard: it reads rows that must leave, copies rows in, leaves stubs, removes stubs.

Every transaction begins with the shard's epoch, and does not happen under another one: see `routing`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from reference.platform.sql import Database, NotMatched, Row, Statement, statement
from reference.shortener.stored_links import COLUMNS, StaleRouting, StoredLink

# Rows only ever lose. So of two copies the one that has lost more is the newer, whichever came first.
_MERGE = f"""
INSERT INTO links ({COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, 0)
ON CONFLICT (code) DO UPDATE SET
    long_url = CASE WHEN excluded.long_url = '' THEN '' ELSE links.long_url END,
    expires_at = CASE WHEN excluded.expires_at < links.expires_at THEN excluded.expires_at ELSE links.expires_at END,
    token_hash = CASE WHEN excluded.token_hash = '' THEN '' ELSE links.token_hash END,
    owner = CASE WHEN excluded.owner = '' THEN '' ELSE links.owner END,
    deleted_at = COALESCE(links.deleted_at, excluded.deleted_at)"""

# Only if the row is still what was copied: nobody has deleted or purged it meanwhile.
_LEAVE_STUB = """
UPDATE links SET moved = 1, long_url = '', token_hash = '', owner = ''
WHERE code = $1 AND long_url = $2 AND token_hash = $3 AND COALESCE(deleted_at, 0) = $4"""

_CODES = "SELECT code FROM links WHERE code > $1 AND moved = 0 ORDER BY code LIMIT $2"

_STILL_HERE = "SELECT code FROM links WHERE moved = 0 AND code >= $1 AND code <= $2"

_REMOVE_STUBS = """
DELETE FROM links WHERE code IN (SELECT code FROM links WHERE moved = 1 LIMIT $1) RETURNING code"""


class ShardMoves:
    """Raises PortError; StaleRouting: the shard is at another epoch, and nothing happened."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def rows(self, after: str, limit: int) -> list[StoredLink]:
        """The first rows behind the code `after` that are no stubs."""
        rows = await self._database.query(
            f"SELECT {COLUMNS} FROM links WHERE code > $1 AND moved = 0 ORDER BY code LIMIT $2", after, limit
        )
        return [StoredLink(**row) for row in rows]

    async def codes(self) -> AsyncIterator[list[str]]:
        """All that are here, a thousand at a time."""
        last = ""
        while rows := await self._database.query(_CODES, last, 1000):
            last = rows[-1]["code"]
            yield [row["code"] for row in rows]

    async def count(self) -> int:
        [row] = await self._database.query("SELECT COUNT(*) AS number FROM links WHERE moved = 0")
        number: int = row["number"]
        return number

    async def copy_in(self, rows: Sequence[StoredLink], epoch: int) -> None:
        values = tuple(
            (
                row.code,
                row.long_url,
                row.created_at,
                row.expires_at,
                row.token_hash,
                row.owner,
                row.deleted_at,
            )
            for row in rows
        )
        await self._at(epoch, Statement(_MERGE, values))

    async def leave_stubs(self, rows: Sequence[StoredLink], epoch: int) -> set[str]:
        """In place of `rows`, which are in the order of their codes. Returns the codes of those that are still here,
        for they have changed: they must be copied again."""
        values = tuple((row.code, row.long_url, row.token_hash, row.deleted_at or 0.0) for row in rows)
        still_here = statement(_STILL_HERE, rows[0].code, rows[-1].code)
        found = await self._at(epoch, Statement(_LEAVE_STUB, values), still_here)
        return {row.code for row in rows} & {row["code"] for row in found}

    async def remove_stubs(self, epoch: int, limit: int) -> int:
        """Returns how many were removed."""
        return len(await self._at(epoch, statement(_REMOVE_STUBS, limit)))

    async def _at(self, epoch: int, *work: Statement) -> list[Row]:
        """What the last statement returned."""
        lock = self._database.share_lock
        same = statement(f"SELECT epoch FROM shard_epoch WHERE epoch = $1{lock}", epoch, must_match=True)
        try:
            return (await self._database.transaction([same, *work]))[-1]
        except NotMatched:
            raise StaleRouting from None
