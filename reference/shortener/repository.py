"""The store of the URL shortener: links. How their clicks are counted: `click_repository`.

Written once, in the SQL that SQLite and PostgreSQL share; see `reference.platform.sql`.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from typing import Literal, Protocol

from reference.platform import leases
from reference.platform.sql import Database, statement
from reference.shortener.components import Link

TABLES = (
    """CREATE TABLE IF NOT EXISTS links (
        code TEXT PRIMARY KEY,
        long_url TEXT NOT NULL,
        created_at DOUBLE PRECISION NOT NULL,
        expires_at DOUBLE PRECISION NOT NULL,
        token_hash TEXT NOT NULL,
        deleted_at DOUBLE PRECISION
    )""",
    """CREATE TABLE IF NOT EXISTS link_clicks (
        code TEXT PRIMARY KEY,
        clicks BIGINT NOT NULL
    )""",
    """CREATE TABLE IF NOT EXISTS counted_clicks (
        event_id TEXT PRIMARY KEY,
        code TEXT NOT NULL,
        batch TEXT NOT NULL,
        counted_at DOUBLE PRECISION NOT NULL
    )""",
    "CREATE INDEX IF NOT EXISTS counted_clicks_batch ON counted_clicks (batch)",
    "CREATE INDEX IF NOT EXISTS counted_clicks_age ON counted_clicks (counted_at)",
    leases.TABLE,
)

Deletion = Literal["deleted", "forbidden", "unknown"]


@dataclass(frozen=True, slots=True)
class NewLink:
    """A link to insert. `token_hash`: of the secret that allows its deletion; POSIX seconds."""

    code: str
    long_url: str
    created_at: float
    expires_at: float
    token_hash: str


@dataclass(frozen=True, slots=True)
class LinkStats:
    code: str
    long_url: str
    created_at: float
    expires_at: float
    clicks: int


class LinkRepository(Protocol):
    """Port: the store of links.

    Promises: what `insert` and `delete` acknowledged survives the end of any process and is seen by every later
    call on any server. Two inserts of one code: at most one gets True, unless they carry one token. A code is
    never given again, not even after its deletion.
    Does not promise: speed; nor, after an Indefinite error, either outcome: repeat the call, all are idempotent.
    Errors: Unavailable (nothing happened), Indefinite, TimedOut.
    """

    async def prepare(self) -> None:
        """Makes the tables. Idempotent, also when several servers do so at once."""
        ...

    async def insert(self, link: NewLink) -> bool:
        """Whether the code is now this link's. False: somebody else has it. A repetition with the same code and
        token hash, as after an Indefinite error, finds its own row and is True."""
        ...

    async def find(self, code: str) -> Link | None:
        """The link, expired or not; None if it was never created, or deleted."""
        ...

    async def delete(self, code: str, token_hash: str, now: float) -> Deletion:
        """Deletes the link if the token is its own. A repetition with the right token is "deleted" again."""
        ...

    async def stats(self, code: str) -> LinkStats | None:
        """With the clicks counted so far; None as for `find`."""
        ...

    async def ping(self) -> None:
        """Raises unless the store answers and has the tables."""
        ...


class SqlLinkRepository:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def prepare(self) -> None:
        await self._database.define(TABLES)

    async def insert(self, link: NewLink) -> bool:
        # One statement tells whose the row is: on a conflict it changes nothing, and returns what was there.
        [[row]] = await self._database.transaction(
            [
                statement(
                    "INSERT INTO links (code, long_url, created_at, expires_at, token_hash) "
                    "VALUES ($1, $2, $3, $4, $5) "
                    "ON CONFLICT (code) DO UPDATE SET token_hash = links.token_hash RETURNING token_hash",
                    *(link.code, link.long_url, link.created_at, link.expires_at, link.token_hash),
                )
            ]
        )
        return hmac.compare_digest(row["token_hash"], link.token_hash)

    async def find(self, code: str) -> Link | None:
        rows = await self._database.query(
            "SELECT long_url, expires_at FROM links WHERE code = $1 AND deleted_at IS NULL", code
        )
        return Link(code, rows[0]["long_url"], rows[0]["expires_at"]) if rows else None

    async def delete(self, code: str, token_hash: str, now: float) -> Deletion:
        # The row stays, as a tombstone without its URL: so that a repetition is known, and the code never reused.
        [deleted] = await self._database.transaction(
            [
                statement(
                    "UPDATE links SET deleted_at = COALESCE(deleted_at, $1), long_url = '' "
                    "WHERE code = $2 AND token_hash = $3 RETURNING code",
                    *(now, code, token_hash),
                )
            ]
        )
        if deleted:
            return "deleted"
        return "unknown" if await self.find(code) is None else "forbidden"

    async def stats(self, code: str) -> LinkStats | None:
        rows = await self._database.query(
            "SELECT links.code, long_url, created_at, expires_at, COALESCE(clicks, 0) AS clicks "
            "FROM links LEFT JOIN link_clicks ON link_clicks.code = links.code "
            "WHERE links.code = $1 AND deleted_at IS NULL",
            code,
        )
        return LinkStats(**rows[0]) if rows else None

    async def ping(self) -> None:
        await self._database.query("SELECT 1 AS one FROM links LIMIT 1")
