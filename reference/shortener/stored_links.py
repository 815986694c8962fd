"""The rows of a shard: its tables, and what a row says."""

from __future__ import annotations

import hmac
from dataclasses import dataclass

from reference.shortener.links import LinkRecord, NewLink

TABLES = (
    """CREATE TABLE IF NOT EXISTS links (
        code TEXT PRIMARY KEY,
        long_url TEXT NOT NULL,
        created_at DOUBLE PRECISION NOT NULL,
        expires_at DOUBLE PRECISION NOT NULL,
        token_hash TEXT NOT NULL,
        owner TEXT NOT NULL,
        deleted_at DOUBLE PRECISION,
        moved INTEGER NOT NULL
    )""",
    # "My links", a page at a time, in the order of their codes. Links without an owner are not in it.
    "CREATE INDEX IF NOT EXISTS links_owned ON links (owner, code) WHERE owner <> ''",
    # What the purge has to look at, the oldest first. What it has dealt with leaves the index.
    "CREATE INDEX IF NOT EXISTS links_ended ON links (expires_at) WHERE token_hash <> ''",
    # The stubs that a re-shard leaves behind; empty at all other times.
    "CREATE INDEX IF NOT EXISTS links_moved ON links (code) WHERE moved = 1",
    "CREATE TABLE IF NOT EXISTS shard_epoch (only_row INTEGER PRIMARY KEY, epoch BIGINT NOT NULL)",
    "INSERT INTO shard_epoch (only_row, epoch) VALUES (1, 0) ON CONFLICT (only_row) DO NOTHING",
)

COLUMNS = "code, long_url, created_at, expires_at, token_hash, owner, deleted_at, moved"


class StaleRouting(Exception):
    """The shard has been told of a newer epoch than its caller's; nothing happened. Read the routing again."""


class Moved(Exception):
    """Only a stub is here: during a re-shard, the link is a matter of the other of its two shards."""


@dataclass(frozen=True, slots=True)
class StoredLink:
    """A row. It only ever loses: live, then deleted (no URL, `deleted_at`) or purged (no URL, token or owner), or
    first the one and then the other. `moved`: 1 for a stub, which says nothing but where not to look."""

    code: str
    long_url: str
    created_at: float
    expires_at: float
    token_hash: str
    owner: str
    deleted_at: float | None
    moved: int

    def is_of(self, new: NewLink) -> bool:
        mine = (self.code, self.long_url, self.created_at, self.expires_at, self.token_hash, self.owner)
        return mine == (new.code, new.long_url, new.created_at, new.expires_at, new.token_hash, new.owner)

    def allows(self, token_hash: str | None, owner: str | None) -> bool:
        """Whether who has this token, or is this principal, or else comes with neither, may delete it."""
        if token_hash is None and owner is None:
            return True
        by_token = bool(token_hash) and hmac.compare_digest(self.token_hash, token_hash or "")
        return by_token or (bool(owner) and self.owner == owner)

    def record(self) -> LinkRecord:
        return LinkRecord(self.code, self.long_url, self.created_at, self.expires_at, self.owner)
