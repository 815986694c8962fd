"""Who may work on a partition, and how far the work has come: a row for each partition, fenced.

A lease runs out by the clock, and clocks and schedulers are unreliable: a consumer that was paused may come back
and believe that it still owns its partition. The *fence*, a number that grows with each change of owner, settles
it: the offset moves only if the fence is still one's own, in the same transaction as the effect of the events.
So whoever lost the partition cannot count anything any more, whatever it believes.
"""

from __future__ import annotations

from dataclasses import dataclass

from reference.platform.event_log import START
from reference.platform.sql import Database, Statement, statement

TABLE = """
CREATE TABLE IF NOT EXISTS partition_leases (
    partition_number BIGINT PRIMARY KEY,
    owner TEXT NOT NULL,
    fence BIGINT NOT NULL,
    expires_at DOUBLE PRECISION NOT NULL,
    committed TEXT NOT NULL
)"""

LEASE_SECONDS = 5.0

_ACQUIRE = """
INSERT INTO partition_leases (partition_number, owner, fence, expires_at, committed)
VALUES ($1, $2, 1, $3, $4)
ON CONFLICT (partition_number) DO UPDATE
    SET owner = excluded.owner, fence = partition_leases.fence + 1, expires_at = excluded.expires_at
    WHERE partition_leases.owner = excluded.owner OR partition_leases.expires_at < $5
RETURNING fence, committed"""

_RENEW = """
UPDATE partition_leases SET expires_at = $1
WHERE partition_number = $2 AND fence = $3 RETURNING fence"""

_ADVANCE = """
UPDATE partition_leases SET committed = $1, expires_at = $2
WHERE partition_number = $3 AND fence = $4 AND committed = $5 RETURNING fence"""


@dataclass(frozen=True, slots=True)
class Lease:
    partition: int
    fence: int
    committed: str
    """The offset of the last event whose effect is in the store."""


async def acquire(database: Database, partition: int, owner: str, now: float) -> Lease | None:
    """The lease, with a new fence; None while somebody else holds it.

    One's own lease is taken anew at once: a consumer that was killed and started again under the same name need
    not wait for itself, and what is left of the old one is fenced off.
    """
    [rows] = await database.transaction(
        [statement(_ACQUIRE, partition, owner, now + LEASE_SECONDS, START, now)]
    )
    return Lease(partition, rows[0]["fence"], rows[0]["committed"]) if rows else None


def renew(lease: Lease, now: float) -> Statement:
    """Matches only while the lease is ours."""
    return statement(_RENEW, now + LEASE_SECONDS, lease.partition, lease.fence, must_match=True)


def advance(lease: Lease, offset: str, now: float) -> Statement:
    """First of the transaction that holds the effect of the events up to `offset`. Matches only while the lease
    is ours and nobody has moved the offset."""
    values = (offset, now + LEASE_SECONDS, lease.partition, lease.fence, lease.committed)
    return statement(_ADVANCE, *values, must_match=True)
