"""The tables that clicks are kept in, and what is said to them.

`raw_clicks` has a row for each click, by the id of its event: this is how a repetition is known. `click_counts` has a
row for each bucket.
"""

from __future__ import annotations

from collections.abc import Sequence

from reference.platform import leases
from reference.platform.sql import Database, Statement

TABLES = (
    """CREATE TABLE IF NOT EXISTS raw_clicks (
        event_id TEXT PRIMARY KEY,
        code TEXT NOT NULL,
        time DOUBLE PRECISION,
        referrer TEXT NOT NULL,
        agent TEXT NOT NULL,
        address TEXT NOT NULL,
        counted_at DOUBLE PRECISION NOT NULL
    )""",
    "CREATE INDEX IF NOT EXISTS raw_clicks_age ON raw_clicks (counted_at)",
    "CREATE INDEX IF NOT EXISTS raw_clicks_code ON raw_clicks (code)",
    """CREATE TABLE IF NOT EXISTS click_counts (
        code TEXT NOT NULL,
        width TEXT NOT NULL,
        start BIGINT NOT NULL,
        dimension TEXT NOT NULL,
        value TEXT NOT NULL,
        clicks BIGINT NOT NULL,
        PRIMARY KEY (code, width, start, dimension, value)
    )""",
    # Of the windows that do not stay for ever, the old ones.
    "CREATE INDEX IF NOT EXISTS click_counts_minutes ON click_counts (start) WHERE width = 'minute'",
    "CREATE INDEX IF NOT EXISTS click_counts_hours ON click_counts (start) WHERE width = 'hour'",
    "CREATE TABLE IF NOT EXISTS forgotten_codes (code TEXT PRIMARY KEY, forgotten_at DOUBLE PRECISION NOT NULL)",
    "CREATE INDEX IF NOT EXISTS forgotten_codes_age ON forgotten_codes (forgotten_at)",
    leases.TABLE,
)

REMEMBER = "INSERT INTO raw_clicks (event_id, code, time, referrer, agent, address, counted_at)"
REMEMBER_ONCE = "ON CONFLICT (event_id) DO NOTHING"
GROW = "INSERT INTO click_counts (code, width, start, dimension, value, clicks)"
GROW_BY = (
    "ON CONFLICT (code, width, start, dimension, value) "
    "DO UPDATE SET clicks = click_counts.clicks + excluded.clicks"
)
# The ids as the keys of one JSON object: one statement, whatever their number.
KNOWN = "SELECT event_id FROM raw_clicks WHERE event_id IN (SELECT key FROM json_each($1))"

FORGET_CODE = (
    "INSERT INTO forgotten_codes (code, forgotten_at) VALUES ($1, $2) "
    "ON CONFLICT (code) DO UPDATE SET forgotten_at = excluded.forgotten_at"
)
FORGET_COUNTS = "DELETE FROM click_counts WHERE code = $1"
FORGET_CLICKS = (
    "UPDATE raw_clicks SET code = '', time = NULL, referrer = '', agent = '', address = '' WHERE code = $1"
)

CODES = 50
"""To forget in one transaction."""


def forgetting(codes: Sequence[str]) -> list[Statement]:
    """Deletes the counts of these codes, and all that raw clicks tell but their ids: an event that the log tells again
    must still be known, or it would bring its link's counts back."""
    rows = tuple((code,) for code in codes)
    return [Statement(FORGET_COUNTS, rows), Statement(FORGET_CLICKS, rows)] if rows else []


async def forget(database: Database, codes: Sequence[str], noted: float | None = None) -> None:
    """Forgets the clicks on these links, a few links at a time. Idempotent. `noted`: it is written down that they were
    forgotten at this time, for clicks that come later (`FORGET_CODE`); else those stay."""
    for first in range(0, len(codes), CODES):
        part = codes[first : first + CODES]
        note = [Statement(FORGET_CODE, tuple((code, noted) for code in part))] if noted is not None else []
        await database.transaction([*note, *forgetting(part)])
