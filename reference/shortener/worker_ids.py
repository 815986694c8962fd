"""The port `WorkerIds` over SQL: a row for each worker number, fenced.

A number is taken by one conditional UPDATE, which settles who of several gets it. A row keeps, for ever, up to which
instant its number was reserved: that is the `floor` of whoever takes it next. So clocks that differ between servers,
and a server that comes back from a pause, can cost time and never a number made twice.
"""

from __future__ import annotations

from reference.platform.clock import Clock
from reference.platform.errors import LeaseLost, Unavailable
from reference.platform.sql import Database, NotMatched, Statement, statement
from reference.shortener.components import WorkerLease

WORKERS = 32
"""Numbers that there are: 5 bits, what a layout of seven characters leaves."""

LEASE_SECONDS = 30.0
"""A number that was not renewed for so long is anybody's. Longer than a holder ever reserves ahead (16 s, see
`snowflake_codes`), so that the next one need not wait for its floor. A crash takes a number away for so long: 32
numbers bear one start of a server a second."""

TABLE = """
CREATE TABLE IF NOT EXISTS worker_leases (
    worker BIGINT PRIMARY KEY,
    fence BIGINT NOT NULL,
    expires_at DOUBLE PRECISION NOT NULL,
    used_until DOUBLE PRECISION NOT NULL
)"""

_NEVER_HELD = """
INSERT INTO worker_leases (worker, fence, expires_at, used_until) VALUES ($1, 0, 0.0, 0.0)
ON CONFLICT (worker) DO NOTHING"""

_FREE = "SELECT worker FROM worker_leases WHERE expires_at <= $1 ORDER BY expires_at, worker"
"""The longest unused first: its floor is the farthest back."""

_TAKE = """
UPDATE worker_leases SET fence = fence + 1, expires_at = $1
WHERE worker = $2 AND expires_at <= $3 RETURNING fence, used_until"""

_RENEW = """
UPDATE worker_leases
SET expires_at = $1, used_until = CASE WHEN used_until < $2 THEN $2 ELSE used_until END
WHERE worker = $3 AND fence = $4 RETURNING fence"""


class SqlWorkerIds:
    """`WorkerIds`. After an Indefinite error of `lease`, a number may be held by nobody until its lease runs out."""

    def __init__(self, database: Database, clock: Clock, workers: int = WORKERS) -> None:
        self._database = database
        self._clock = clock
        self._workers = workers
        self._prepared = False

    async def lease(self) -> WorkerLease:
        if not self._prepared:
            await self._prepare()
        now = self._clock.now()
        for free in await self._database.query(_FREE, now):
            take = statement(_TAKE, now + LEASE_SECONDS, free["worker"], now)
            [rows] = await self._database.transaction([take])
            if rows:  # else somebody was faster: on to the next
                fence, floor = rows[0]["fence"], rows[0]["used_until"]
                return WorkerLease(free["worker"], fence, now + LEASE_SECONDS, floor)
        raise Unavailable(f"all {self._workers} worker numbers are held")

    async def renew(self, lease: WorkerLease, used_until: float) -> WorkerLease:
        expires_at = self._clock.now() + LEASE_SECONDS
        values = (expires_at, used_until, lease.worker, lease.fence)
        try:
            await self._database.transaction([statement(_RENEW, *values, must_match=True)])
        except NotMatched as error:
            raise LeaseLost(f"worker number {lease.worker} is somebody else's") from error
        return WorkerLease(lease.worker, lease.fence, expires_at, lease.floor)

    async def _prepare(self) -> None:
        """Makes the table and a row for each number, where they are missing."""
        await self._database.define([TABLE])
        rows = tuple((worker,) for worker in range(self._workers))
        await self._database.transaction([Statement(_NEVER_HELD, rows)])
        self._prepared = True
