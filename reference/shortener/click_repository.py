"""Where clicks are counted: each event once, whatever is repeated, killed or paused on the way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from reference.platform import leases
from reference.platform.errors import LeaseLost
from reference.platform.leases import Lease
from reference.platform.sql import Database, NotMatched, Row, Statement, statement

REMEMBERED = 86_400.0
"""Seconds that the ids of counted events are kept. A producer that repeats an append later than this is counted
twice; producers keep events in memory only, and retry within seconds."""


@dataclass(frozen=True, slots=True)
class Click:
    """One click. `event_id`: the event that told of it, which counts once."""

    event_id: str
    code: str


class ClickRepository(Protocol):
    """Port: the counts, and how far the log has been counted.

    Promises: `count` adds every click whose id is new and moves the offset, both or neither. Only the owner of
    the newest lease of a partition can.
    Does not promise: after an Indefinite error, either outcome. `acquire` again and go on from its offset.
    Errors: PortError; LeaseLost.
    """

    async def acquire(self, partition: int, owner: str, now: float) -> Lease | None:
        """See `reference.platform.leases.acquire`."""
        ...

    async def renew(self, lease: Lease, now: float) -> None: ...

    async def count(self, lease: Lease, clicks: Sequence[Click], offset: str, now: float) -> int:
        """Counts the clicks between the lease's offset and `offset`. Returns how many of them were new."""
        ...

    async def forget(self, before: float) -> None:
        """Drops the ids of events that were counted before that instant."""
        ...


class SqlClickRepository:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def acquire(self, partition: int, owner: str, now: float) -> Lease | None:
        return await leases.acquire(self._database, partition, owner, now)

    async def renew(self, lease: Lease, now: float) -> None:
        await self._run([leases.renew(lease, now)])

    async def count(self, lease: Lease, clicks: Sequence[Click], offset: str, now: float) -> int:
        batch = f"{lease.partition}/{lease.fence}/{offset}"
        ids = tuple((click.event_id, click.code, batch, now) for click in clicks)
        results = await self._run(
            [
                leases.advance(lease, offset, now),
                Statement(
                    "INSERT INTO counted_clicks (event_id, code, batch, counted_at) "
                    "VALUES ($1, $2, $3, $4) ON CONFLICT (event_id) DO NOTHING",
                    ids,
                ),
                # What carries this batch's name was new. (WHERE: without one, SQLite misreads ON CONFLICT.)
                statement(
                    "INSERT INTO link_clicks (code, clicks) "
                    "SELECT code, COUNT(*) FROM counted_clicks WHERE batch = $1 GROUP BY code "
                    "ON CONFLICT (code) DO UPDATE SET clicks = link_clicks.clicks + excluded.clicks",
                    batch,
                ),
                statement("SELECT COUNT(*) AS new FROM counted_clicks WHERE batch = $1", batch),
            ]
        )
        new: int = results[3][0]["new"]
        return new

    async def forget(self, before: float) -> None:
        await self._run([statement("DELETE FROM counted_clicks WHERE counted_at < $1", before)])

    async def _run(self, statements: list[Statement]) -> list[list[Row]]:
        try:
            return await self._database.transaction(statements)
        except NotMatched as error:
            raise LeaseLost from error
