"""One shard: a store of links, alone or among others.

Written once, in the SQL that SQLite and PostgreSQL share; see `reference.platform.sql`. A shard among others must not
be asked for a link that has moved elsewhere. So whoever asks says by which *epoch* of the routing it does, and the
shard compares this to its own, within the statement that reads or writes: see `routing`. A store alone stays at
epoch 0, and its users need not know of any of this.
"""

from __future__ import annotations

from reference.platform.sql import Database, Row, statement
from reference.shortener.components import Link
from reference.shortener.links import Deletion, LinkRecord, LinkRepository, NewLink
from reference.shortener.stored_links import COLUMNS, TABLES, Moved, OtherEpoch, StoredLink

__all__ = ["Deletion", "LinkRecord", "LinkRepository", "NewLink", "SqlLinkRepository"]


class SqlLinkRepository:
    """A `LinkRepository`, and more: every call takes the `epoch` of its caller, and may raise OtherEpoch or Moved."""

    def __init__(self, database: Database) -> None:
        self.database = database
        # Taken in the statement that writes, this keeps the epoch as it is until the write is committed.
        self._epoch = f"(SELECT epoch FROM shard_epoch{database.share_lock})"

    async def prepare(self) -> None:
        await self.database.define(TABLES)

    # --- writing

    async def insert(self, link: NewLink, epoch: int = 0) -> bool:
        return (await self.claim(link, epoch)).is_of(link)

    async def claim(self, link: NewLink, epoch: int, *, moved: bool = False) -> StoredLink:
        """The row under the link's code: the one just made, or what was there before. `moved`: to make but a stub.

        One statement decides and tells: on a conflict it changes nothing, and returns what was there."""
        [rows] = await self.database.transaction(
            [
                statement(
                    f"INSERT INTO links ({COLUMNS}) "
                    "SELECT $1, $2, CAST($3 AS DOUBLE PRECISION), CAST($4 AS DOUBLE PRECISION), $5, $6, NULL, "
                    f"CAST($7 AS INTEGER) WHERE {self._epoch} = $8 "
                    f"ON CONFLICT (code) DO UPDATE SET token_hash = links.token_hash RETURNING {COLUMNS}",
                    *(link.code, link.long_url, link.created_at, link.expires_at),
                    *(link.token_hash, link.owner, int(moved), epoch),
                )
            ]
        )
        if not rows:
            raise OtherEpoch(await self.epoch())
        return StoredLink(**rows[0])

    async def delete(
        self, code: str, *, token_hash: str | None, owner: str | None, now: float, epoch: int = 0
    ) -> Deletion:
        while (row := await self.look(code, epoch)) is not None:
            if not row.allows(token_hash, owner):
                return "forbidden" if row.deleted_at is None else "unknown"
            if row.deleted_at is not None or await self._bury(code, now, epoch):
                return "deleted"
        return "unknown"

    async def _bury(self, code: str, now: float, epoch: int) -> bool:
        """False: what was seen of the row is no longer true.

        The row stays, as a tombstone: so that a repetition is known, and the code never reused. Its life ends now,
        so that the purge takes token and owner in time."""
        [rows] = await self.database.transaction(
            [
                statement(
                    "UPDATE links SET deleted_at = $1, long_url = '', "
                    "expires_at = CASE WHEN expires_at < $1 THEN expires_at ELSE $1 END "
                    f"WHERE code = $2 AND moved = 0 AND deleted_at IS NULL AND {self._epoch} = $3 RETURNING code",
                    *(now, code, epoch),
                )
            ]
        )
        return bool(rows)

    # --- reading

    async def look(self, code: str, epoch: int = 0) -> StoredLink | None:
        """The row, tombstones included. It and the shard's epoch are read in one statement: they belong together."""
        rows = await self.database.query(
            f"SELECT epoch, {COLUMNS} FROM shard_epoch LEFT JOIN links ON code = $1", code
        )
        stored = _at(epoch, rows)
        if stored and stored[0].moved:
            raise Moved
        return stored[0] if stored else None

    async def find(self, code: str, epoch: int = 0) -> Link | None:
        row = await self.look(code, epoch)
        return None if row is None or row.deleted_at is not None else Link(code, row.long_url, row.expires_at)

    async def taken(self, code: str, epoch: int = 0) -> bool:
        return await self.look(code, epoch) is not None

    async def record(self, code: str, epoch: int = 0) -> LinkRecord | None:
        row = await self.look(code, epoch)
        return None if row is None or row.deleted_at is not None else row.record()

    async def owned_by(self, owner: str, after: str, limit: int, epoch: int = 0) -> list[LinkRecord]:
        rows = await self.database.query(
            f"SELECT epoch, page.* FROM shard_epoch LEFT JOIN (SELECT {COLUMNS} FROM links WHERE owner = $1 "
            "AND owner <> '' AND code > $2 AND deleted_at IS NULL AND moved = 0 ORDER BY code LIMIT $3) AS page "
            "ON 1 = 1 ORDER BY code",
            *(owner, after, limit),
        )
        stored = _at(epoch, rows)
        return [row.record() for row in stored]

    async def ping(self) -> None:
        await self.database.query("SELECT 1 AS one FROM links LIMIT 1")

    # --- epochs

    async def epoch(self) -> int:
        [row] = await self.database.query("SELECT epoch FROM shard_epoch")
        epoch: int = row["epoch"]
        return epoch

    async def raise_epoch(self, epoch: int) -> None:
        """Once this has returned, no write of an earlier epoch is under way any more, nor can one begin."""
        await self.database.transaction(
            [statement("UPDATE shard_epoch SET epoch = $1 WHERE epoch < $1", epoch)]
        )


def _at(epoch: int, rows: list[Row]) -> list[StoredLink]:
    """The rows of a query that joined the shard's epoch to each; one row without a code says that there are none."""
    found = rows[0]["epoch"]
    if found != epoch:
        raise OtherEpoch(found)
    stored = ({name: value for name, value in row.items() if name != "epoch"} for row in rows)
    return [StoredLink(**row) for row in stored if row["code"] is not None]
