"""A table of links as it was published, tried in SQLite: what it takes, what a click costs it, what its index holds."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from reference.shortener.stored_links import TABLES

AS_PUBLISHED = """\
CREATE TABLE links (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    code        VARCHAR(7) NOT NULL UNIQUE CHECK (length(code) <= 7),
    long_url    TEXT NOT NULL,
    created_at  TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    expires_at  TIMESTAMP,
    click_count BIGINT DEFAULT 0,
    user_id     BIGINT
)"""
"""The columns of a published table. PostgreSQL enforces a VARCHAR's length itself; SQLite needs the CHECK for it."""

PUBLISHED_INDEX = "CREATE INDEX links_end ON links (expires_at) WHERE expires_at IS NOT NULL"

REFERENCE = TABLES[0]
"""The table of the reference, which both SQLite and PostgreSQL take."""


def shard(*statements: str) -> sqlite3.Connection:
    """A new database in memory, in which the statements have been run; each commits by itself."""
    database = sqlite3.connect(":memory:", isolation_level=None)
    for statement in statements:
        database.execute(statement)
    return database


def attempt(database: sqlite3.Connection, **row: object) -> str:
    """Inserts a link, and says what came of it: "taken", or "refused" with the reason."""
    names, places = ", ".join(row), ", ".join("?" * len(row))
    try:
        database.execute(f"INSERT INTO links ({names}) VALUES ({places})", tuple(row.values()))
    except sqlite3.IntegrityError as error:
        return f"refused ({error})"
    return "taken"


# --- what a click costs


@dataclass(frozen=True, slots=True)
class Cost:
    """Of counting clicks. `row_versions`: rows that were written; `log_bytes`: by which the write-ahead log grew."""

    row_versions: int
    log_bytes: int

    @property
    def megabytes(self) -> float:
        return self.log_bytes / 1e6


def counted_in_the_row(clicks: int) -> Cost:
    """Each click updates its link's row, in a transaction of its own."""

    def count(database: sqlite3.Connection) -> None:
        for _ in range(clicks):
            database.execute("UPDATE links SET click_count = click_count + 1 WHERE code = 'hot'")

    return _cost_of(count)


def counted_by_minute(clicks: int, minutes: int) -> Cost:
    """The clicks of a minute are added up first, and written as one row of another table."""

    def count(database: sqlite3.Connection) -> None:
        for minute in range(minutes):
            database.execute(
                "INSERT INTO click_counts (code, minute, clicks) VALUES ('hot', ?, ?)",
                (minute, clicks // minutes),
            )

    return _cost_of(count)


def _cost_of(count: Callable[[sqlite3.Connection], None]) -> Cost:
    """In a file, with a write-ahead log that nothing empties meanwhile."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "links.db"
        with closing(sqlite3.connect(path, isolation_level=None)) as database:
            database.execute("PRAGMA journal_mode = WAL")
            database.execute("PRAGMA synchronous = OFF")  # bytes are counted here, and no power cut is feared
            database.execute("PRAGMA wal_autocheckpoint = 0")
            database.execute(AS_PUBLISHED)
            database.execute(
                "CREATE TABLE click_counts (code TEXT, minute INTEGER, clicks INTEGER, PRIMARY KEY (code, minute))"
                " WITHOUT ROWID"
            )
            attempt(database, code="hot", long_url="https://example.com/hot")
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            before = database.total_changes
            count(database)
            return Cost(database.total_changes - before, (Path(folder) / "links.db-wal").stat().st_size)


# --- what an index holds

DAY = 86_400.0
YEARS_5 = 5 * 365 * DAY
DUE = "SELECT code FROM links WHERE expires_at < ? AND token_hash <> '' ORDER BY expires_at LIMIT 500"
"""What a purge asks: which links are over, and have not been dealt with."""


def links_over_the_years(count: int, purged: float) -> sqlite3.Connection:
    """A table with `count` links, made evenly over the years, each with the default expiry of five years. The oldest
    share `purged` is over and dealt with: their rows stay, so that the codes are never given again."""
    database = shard("CREATE TABLE links (code TEXT PRIMARY KEY, expires_at REAL, token_hash TEXT NOT NULL)")
    database.execute("BEGIN")
    database.executemany(
        "INSERT INTO links VALUES (?, ?, ?)",
        (
            (f"{number:07d}", YEARS_5 * number / count, "" if number < purged * count else f"{number:064d}")
            for number in range(count)
        ),
    )
    database.execute("COMMIT")
    return database


def index_kilobytes(database: sqlite3.Connection, where: str = "") -> float:
    """How much larger the database gets by an index on `expires_at` with this condition. It is dropped again."""
    (size,) = database.execute("PRAGMA page_size").fetchone()
    database.execute("VACUUM")
    (before,) = database.execute("PRAGMA page_count").fetchone()
    database.execute(f"CREATE INDEX tried ON links (expires_at) {where}")
    (after,) = database.execute("PRAGMA page_count").fetchone()
    database.execute("DROP INDEX tried")
    return float((after - before) * size / 1000)


def plan(database: sqlite3.Connection, query: str, *values: object) -> str:
    """How SQLite would answer a query: SEARCH goes straight to the rows by an index, SCAN reads all there are."""
    rows = database.execute(f"EXPLAIN QUERY PLAN {query}", values).fetchall()
    return "; ".join(str(row[-1]) for row in rows)
