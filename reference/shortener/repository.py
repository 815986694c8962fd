"""One shard: a store of links, alone or among others.

Written once, in the SQL that SQLite and PostgreSQL share; see `reference.platform.sql`. A shard among others must not
be asked for a link that has moved elsewhere. So whoever asks says by which *epoch* of the routing it does, and the
shard compares this to its own, within the statement that reads or writes: see `routing`. A store alone stays at
epoch 0, and its users need not know of any of this.
"""

from __future__ import annotations

from reference.platform.sql import Database, Value, statement
from reference.platform.tracing import remark
from reference.shortener.components import Link
from reference.shortener.links import Deletion, LinkRecord, LinkRepository, NewLink
from reference.shortener.stored_links import COLUMNS, TABLES, Moved, StaleRouting, StoredLink

__all__ = ["Deletion", "LinkRecord", "LinkRepository", "NewLink", "SqlLinkRepository"]


class SqlLinkRepository:
    """A `LinkRepository`, and more: every call takes the `epoch` of its caller. A shard that is behind is brought
    to that epoch; one that is ahead raises StaleRouting. Where there is but a stub, Moved is raised."""

    def __init__(self, database: Database) -> None:
        self.database = database
        # Read in the statement that writes, this keeps the epoch as it is until the write is committed.
        self._epoch = f"(SELECT epoch FROM shard_epoch{database.share_lock})"

    async def prepare(self) -> None:
        await self.database.define(TABLES)

    # --- writing

    async def insert(self, link: NewLink, epoch: int = 0) -> bool:
        row = await self._put(link, epoch, moved=0)
        if row.moved:
            raise Moved
        return row.is_of(link)

    async def insert_stub(self, code: str, epoch: int) -> StoredLink:
        """Unless there is a row for the code, a stub. Returns what is there then."""
        return await self._put(NewLink(code, "", 0.0, 0.0, ""), epoch, moved=1)

    async def _put(self, link: NewLink, epoch: int, moved: int) -> StoredLink:
        """One statement decides and tells: on a conflict it changes nothing, and returns what was there."""
        put = statement(
            f"INSERT INTO links ({COLUMNS}) "
            "SELECT $1, $2, CAST($3 AS DOUBLE PRECISION), CAST($4 AS DOUBLE PRECISION), $5, $6, NULL, "
            f"CAST($7 AS INTEGER) WHERE {self._epoch} = $8 "
            f"ON CONFLICT (code) DO UPDATE SET token_hash = links.token_hash RETURNING {COLUMNS}",
            *(link.code, link.long_url, link.created_at, link.expires_at, link.token_hash, link.owner),
            *(moved, epoch),
        )
        while not (rows := (await self.database.transaction([put]))[0]):
            await self._meet(epoch)
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
        """The row, tombstones included."""
        rows = await self._query("LEFT JOIN links ON code = $1", code, epoch=epoch)
        if rows and rows[0].moved:
            raise Moved
        return rows[0] if rows else None

    async def find(self, code: str, epoch: int = 0) -> Link | None:
        row = await self.look(code, epoch)
        return None if row is None or row.deleted_at is not None else Link(code, row.long_url, row.expires_at)

    async def taken(self, code: str, epoch: int = 0) -> bool:
        return await self.look(code, epoch) is not None

    async def record(self, code: str, epoch: int = 0) -> LinkRecord | None:
        row = await self.look(code, epoch)
        return None if row is None or row.deleted_at is not None else row.record()

    async def owned_by(self, owner: str, after: str, limit: int, epoch: int = 0) -> list[LinkRecord]:
        page = (
            f"SELECT {COLUMNS} FROM links WHERE owner = $1 AND owner <> '' AND code > $2 "
            "AND deleted_at IS NULL AND moved = 0 ORDER BY code LIMIT $3"
        )
        join = f"LEFT JOIN ({page}) AS page ON 1 = 1 ORDER BY code"
        return [row.record() for row in await self._query(join, owner, after, limit, epoch=epoch)]

    async def _query(self, join: str, *values: Value, epoch: int) -> list[StoredLink]:
        """The rows joined to the shard's epoch: read in one statement, they belong together."""
        while True:
            rows = await self.database.query(f"SELECT epoch, {COLUMNS} FROM shard_epoch {join}", *values)
            if all(row.pop("epoch") == epoch for row in rows):
                found = [StoredLink(**row) for row in rows if row["code"] is not None]
                remark(rows=len(found))
                return found
            await self._meet(epoch)

    async def ping(self) -> None:
        await self.database.query("SELECT 1 AS one FROM links LIMIT 1")

    # --- epochs

    async def _meet(self, epoch: int) -> None:
        remark(refused=True)
        [row] = await self.database.query("SELECT epoch FROM shard_epoch")
        if row["epoch"] > epoch:
            raise StaleRouting
        await self.raise_epoch(epoch)

    async def raise_epoch(self, epoch: int) -> None:
        """Once this has returned, no write of an earlier epoch is under way any more, nor can one begin."""
        await self.database.transaction(
            [statement("UPDATE shard_epoch SET epoch = $1 WHERE epoch < $1", epoch)]
        )
