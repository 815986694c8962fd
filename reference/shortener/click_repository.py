"""Where clicks are kept: each once, and as counts; and how far the log has been counted.

Two tables say it (`click_tables`). Both, and the offset, change in one transaction, under a lease with a fence (see
`reference.platform.leases`): whatever is repeated, killed or paused, they agree with each other.
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
from reference.shortener.click_tables import (
    GROW,
    GROW_BY,
    KNOWN,
    REMEMBER,
    REMEMBER_ONCE,
    TABLES,
    forget,
)
from reference.shortener.components import Counted


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
        rows = await self._database.query(KNOWN, json.dumps(dict.fromkeys(event_ids, 0)))
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
                *insertions(REMEMBER, clicks, REMEMBER_ONCE),
                *insertions(GROW, growth, GROW_BY),
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
        await forget(self._database, codes, noted=self._clock.now())


def check(counted: Counted) -> None:
    """TypeError unless it can be stored: a component is told of its mistake here, where its line is known."""
    for bucket, clicks in counted.growth.items():
        texts = (bucket.code, bucket.width, bucket.dimension, bucket.value)
        if not (all(type(text) is str for text in texts) and type(bucket.start) is type(clicks) is int):
            raise TypeError(f"a count cannot be kept: {bucket} grows by {clicks!r}")


def finite(time: float) -> float | None:
    """NaN and infinity are not for SQL."""
    return time if math.isfinite(time) else None
