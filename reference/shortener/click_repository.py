"""Where clicks are kept: each once, and as counts; and how far the log has been counted.

Two tables say it. `raw_clicks` has a row for each click, by the id of its event: this is how a repetition is known.
`click_counts` has a row for each bucket. Both, and the offset, change in one transaction, under a lease with a fence
(see `reference.platform.leases`): whatever is repeated, killed or paused, they agree with each other.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Protocol

from reference.platform import leases
from reference.platform.clock import Clock, SystemClock
from reference.platform.errors import LeaseLost
from reference.platform.leases import Lease
from reference.platform.sql import Database, NotMatched, Statement, insertions
from reference.shortener.components import Counted

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
    leases.TABLE,
)

_REMEMBER = "INSERT INTO raw_clicks (event_id, code, time, referrer, agent, address, counted_at)"
_REMEMBER_ONCE = "ON CONFLICT (event_id) DO NOTHING"
_GROW = "INSERT INTO click_counts (code, width, start, dimension, value, clicks)"
_GROW_BY = (
    "ON CONFLICT (code, width, start, dimension, value) "
    "DO UPDATE SET clicks = click_counts.clicks + excluded.clicks"
)
# The ids as the keys of one JSON object: one statement, whatever their number.
_KNOWN = "SELECT event_id FROM raw_clicks WHERE event_id IN (SELECT key FROM json_each($1))"

_FORGET_CODE = (
    "INSERT INTO forgotten_codes (code, forgotten_at) VALUES ($1, $2) "
    "ON CONFLICT (code) DO UPDATE SET forgotten_at = excluded.forgotten_at"
)
_FORGET_COUNTS = "DELETE FROM click_counts WHERE code = $1"
_FORGET_CLICKS = (
    "UPDATE raw_clicks SET code = '', time = NULL, referrer = '', agent = '', address = '' WHERE code = $1"
)
_CODES = 50
"""Codes to forget in one transaction."""


class ClickRepository(Protocol):
    """Port: the counts, and how far each partition of the log has been counted.

    Promises: a partition has one owner at a time who can change anything, the one of its newest lease.
    Errors: PortError; after an Indefinite one `acquire` tells the offset, and so what has happened.
    """

    async def prepare(self) -> None:
        """Makes the tables. Idempotent, also when several processes do so at once."""
        ...

    async def acquire(self, partition: int, owner: str) -> LeasedClickStore | None:
        """What one may do under a new lease of the partition; None while somebody else holds it."""
        ...

    async def forget_codes(self, codes: Sequence[str]) -> None:
        """Forgets the clicks on these links, which have been deleted: their counts, and all that the raw clicks tell.
        Clicks that are on their way now are forgotten by `retention`. Idempotent."""
        ...


class LeasedClickStore:
    """`ClickStore` of one partition, for as long as its lease lasts."""

    def __init__(self, database: Database, lease: Lease, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self.lease = lease

    @property
    def partition(self) -> int:
        return self.lease.partition

    @property
    def committed(self) -> str:
        """The offset up to which the log is done."""
        return self.lease.committed

    async def known(self, event_ids: Iterable[str]) -> set[str]:
        rows = await self._database.query(_KNOWN, json.dumps(dict.fromkeys(event_ids, 0)))
        return {row["event_id"] for row in rows}

    async def commit(self, counted: Counted) -> None:
        check(counted)
        now, offset = self._clock.now(), counted.offset
        fence = leases.renew(self.lease, now) if offset is None else leases.advance(self.lease, offset, now)
        clicks = [
            (each.event_id, each.code, finite(each.time), each.referrer, each.agent, each.address, now)
            for each in counted.clicks
        ]
        growth = sorted(
            (of.code, of.width, of.start, of.dimension, of.value, by) for of, by in counted.growth.items()
        )
        await self._run(
            [
                fence,
                *insertions(_REMEMBER, clicks, _REMEMBER_ONCE),
                *insertions(_GROW, growth, _GROW_BY),
            ]
        )
        if offset is not None:
            self.lease = replace(self.lease, committed=offset)

    async def renew(self) -> None:
        """LeaseLost: the partition is somebody else's."""
        await self._run([leases.renew(self.lease, self._clock.now())])

    async def _run(self, statements: Sequence[Statement]) -> None:
        try:
            await self._database.transaction(statements)
        except NotMatched as error:
            raise LeaseLost(f"partition {self.partition} of the log is somebody else's") from error


class SqlClickRepository:
    """`ClickRepository` in the SQL that SQLite and PostgreSQL share."""

    def __init__(self, database: Database, clock: Clock | None = None) -> None:
        self._database = database
        self._clock = clock or SystemClock()

    async def prepare(self) -> None:
        await self._database.define(TABLES)

    async def acquire(self, partition: int, owner: str) -> LeasedClickStore | None:
        lease = await leases.acquire(self._database, partition, owner, self._clock.now())
        return LeasedClickStore(self._database, lease, self._clock) if lease else None

    async def forget_codes(self, codes: Sequence[str]) -> None:
        now = self._clock.now()
        for first in range(0, len(codes), _CODES):
            part = codes[first : first + _CODES]
            noted = Statement(_FORGET_CODE, tuple((code, now) for code in part))
            await self._database.transaction([noted, *forgetting(part)])


def forgetting(codes: Sequence[str]) -> list[Statement]:
    """Deletes the counts of these codes, and all that raw clicks tell but their ids: an event that the log tells again
    must still be known, or it would bring its link's counts back."""
    rows = tuple((code,) for code in codes)
    return [Statement(_FORGET_COUNTS, rows), Statement(_FORGET_CLICKS, rows)] if rows else []


def check(counted: Counted) -> None:
    """TypeError unless it can be stored: a component is told of its mistake here, where its line is known."""
    for bucket, clicks in counted.growth.items():
        texts = (bucket.code, bucket.width, bucket.dimension, bucket.value)
        if not (all(type(text) is str for text in texts) and type(bucket.start) is type(clicks) is int):
            raise TypeError(f"a count cannot be kept: {bucket} grows by {clicks!r}")


def finite(time: float) -> float | None:
    """NaN and infinity are not for SQL."""
    return time if math.isfinite(time) else None
