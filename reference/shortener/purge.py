"""The purge: what a link tells is dropped when its life has been over for a while.

Its URL, its owner and its token go; the row stays, small, so that its code is never given again and the answer to who
follows it stays "it is expired" (410). Deleted links end at their deletion, and are purged in the same way.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from reference.platform.clock import Clock
from reference.platform.sql import Database, statement

PURGE_AFTER = 7 * 86_400.0
"""Seconds from the end of a link's life to its purge."""
SHORTEST = 60.0
"""Clocks differ by seconds, and whoever purges must not believe that a link is over while a server redirects."""
BATCH = 500
"""Rows of one transaction."""
PAUSE = 0.05
"""Seconds between two transactions: the shards have something better to do."""
INTERVAL = 60.0
"""Seconds between two rounds."""

# `token_hash <> ''` leaves out what was purged before; with it, the index `links_ended` holds just the work to do.
PURGE = """
UPDATE links SET long_url = '', owner = '', token_hash = '' WHERE code IN (
    SELECT code FROM links WHERE expires_at < $1 AND token_hash <> '' ORDER BY expires_at LIMIT $2
) RETURNING code"""


class Purge:
    """A keeper's job. Several at once, or one that is killed, do no harm: a purge may be done again."""

    def __init__(
        self,
        databases: Mapping[str, Database],
        clock: Clock,
        purge_after: float = PURGE_AFTER,
        count: Callable[[int], None] = lambda links: None,
    ) -> None:
        """`databases`: of all shards. `count`: is told of each batch that was purged. ValueError: `purge_after` is
        below SHORTEST."""
        if purge_after < SHORTEST:
            raise ValueError(f"a link must be over for {SHORTEST:.0f} s before it is purged: clocks differ")
        self._databases = databases
        self._clock = clock
        self._purge_after = purge_after
        self._count = count

    async def run(self) -> None:
        while True:
            await self.once()
            await self._clock.sleep(INTERVAL)

    async def once(self) -> None:
        """A round over all shards, side by side. One that is away does not keep the others; then its error is
        raised."""
        rounds = (self._shard(database) for database in self._databases.values())
        for outcome in await asyncio.gather(*rounds, return_exceptions=True):
            if isinstance(outcome, BaseException):
                raise outcome

    async def _shard(self, database: Database) -> None:
        before = self._clock.now() - self._purge_after
        while True:
            [rows] = await database.transaction([statement(PURGE, before, BATCH)])
            self._count(len(rows))
            if len(rows) < BATCH:
                return
            await self._clock.sleep(PAUSE)
