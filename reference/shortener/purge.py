"""The purge: what a link tells is dropped when its life has been over for a while.

Its URL, its owner and its token go, and its clicks; the row stays, small, so that its code is never given again and
the answer to who follows it stays "it is expired" (410). Deleted links end at their deletion, and are purged in the
same way.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence

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
DUE = "SELECT code FROM links WHERE expires_at < $1 AND token_hash <> '' ORDER BY expires_at LIMIT $2"
PURGE = """
UPDATE links SET long_url = '', owner = '', token_hash = ''
WHERE code IN (SELECT key FROM json_each($1)) AND expires_at < $2 AND token_hash <> '' RETURNING code"""

Forget = Callable[[Sequence[str]], Awaitable[None]]
"""Forgets the clicks on these links, which are over for long. Idempotent."""


async def nothing(codes: Sequence[str]) -> None:
    """Has nothing to forget."""


class Purge:
    """A keeper's job. Several at once, or one that is killed, do no harm: a purge may be done again."""

    def __init__(
        self,
        databases: Mapping[str, Database],
        clock: Clock,
        purge_after: float = PURGE_AFTER,
        count: Callable[[int], None] = lambda links: None,
        forget: Forget = nothing,
    ) -> None:
        """`databases`: of all shards. `count`: is told of each batch that was purged. `forget`: is called before: a
        purge that is killed in between does both again, and one whose clicks cannot be forgotten waits. ValueError:
        `purge_after` is below SHORTEST."""
        if purge_after < SHORTEST:
            raise ValueError(f"a link must be over for {SHORTEST:.0f} s before it is purged: clocks differ")
        self._databases = databases
        self._clock = clock
        self._purge_after = purge_after
        self._count = count
        self._forget = forget

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
            due = [row["code"] for row in await database.query(DUE, before, BATCH)]
            if due:
                await self._forget(
                    due
                )  # nobody can ask for them any more: the owner's token goes with the link
                codes = json.dumps(dict.fromkeys(due, 0))
                [rows] = await database.transaction([statement(PURGE, codes, before)])
                self._count(len(rows))
            if len(due) < BATCH:
                return
            await self._clock.sleep(PAUSE)
