"""What a link takes on disk, measured: a table with its indexes in a SQLite file, divided by the rows."""

from __future__ import annotations

import random
import sqlite3
import string
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

TABLE = """
CREATE TABLE urls (
    id INTEGER PRIMARY KEY, short_code TEXT NOT NULL, long_url TEXT NOT NULL,
    created_at TEXT NOT NULL, expires_at TEXT, click_count INTEGER DEFAULT 0, user_id INTEGER
)"""
INDEXES = (
    "CREATE UNIQUE INDEX by_code ON urls (short_code)",
    "CREATE INDEX by_end ON urls (expires_at) WHERE expires_at IS NOT NULL",
)
ALPHABET = string.digits + string.ascii_letters


@dataclass(frozen=True, slots=True)
class RowSize:
    """Bytes a row. `payload`: the values alone, as text."""

    payload: float
    table: float
    indexes: float

    @property
    def total(self) -> float:
        return self.table + self.indexes


def row_size(url_length: int, rows: int = 10_000, seed: int = 1) -> RowSize:
    """Of a table like the published one, with URLs of about `url_length` characters (a tenth of it up or down)."""
    with tempfile.TemporaryDirectory() as folder:
        database = sqlite3.connect(Path(folder) / "urls.db")
        try:
            database.execute(TABLE)
            made = list(_rows(url_length, rows, seed))
            database.executemany("INSERT INTO urls VALUES (NULL, ?, ?, ?, ?, 0, NULL)", made)
            database.commit()
            table = _bytes(database)
            for index in INDEXES:
                database.execute(index)
            database.commit()
            whole = _bytes(database)
        finally:
            database.close()
    payload = sum(len(value) for row in made for value in row) / rows
    return RowSize(payload, table / rows, (whole - table) / rows)


def _rows(url_length: int, rows: int, seed: int) -> Iterator[tuple[str, str, str, str]]:
    source = random.Random(seed)
    for _ in range(rows):
        length = max(20, round(source.gauss(url_length, url_length / 10)))
        url = f"https://example.com/{''.join(source.choices(ALPHABET, k=length - 20))}"
        day = f"{source.randint(1, 12):02}-{source.randint(1, 28):02}T12:00:00Z"
        yield "".join(source.choices(ALPHABET, k=7)), url, f"2026-{day}", f"2031-{day}"


def _bytes(database: sqlite3.Connection) -> int:
    (pages,) = database.execute("PRAGMA page_count").fetchone()
    (size,) = database.execute("PRAGMA page_size").fetchone()
    return int(pages) * int(size)
