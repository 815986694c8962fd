"""How long clicks are kept, and the keeper's job that keeps to it.

| what | kept for | because |
| --- | --- | --- |
| raw clicks | 30 days | so long they can be counted again, by other rules |
| of these, the ids | 1 day at least | an event that the log tells again must be known |
| windows of a minute | 2 days | the chart of the last hour needs them |
| windows of an hour | 60 days | the chart of the last two days does, and comparing months |
| windows of a day, totals | for ever | they are few: one row a day at most, and tell of nobody |

Rows go a thousand at a time, so that no transaction locks much, or lasts long. Several keepers may do it at once.
"""

from __future__ import annotations

from reference.platform.clock import Clock
from reference.platform.metrics import Metrics
from reference.platform.sql import Database, statement
from reference.shortener.click_tables import TABLES, forget

DAY = 86_400.0
RAW_DAYS, MINUTE_DAYS, HOUR_DAYS = 30, 2, 60
LATE_DAYS = 2
"""For how long clicks on a forgotten link may still arrive: longer than any log has ever been away."""

BATCH = 1000
PAUSE = 60.0
"""Seconds between two passes."""
BREATH = 0.05
"""Seconds between two transactions of one pass."""

_RAW = (
    "DELETE FROM raw_clicks WHERE event_id IN ("
    "SELECT event_id FROM raw_clicks WHERE counted_at < $1 ORDER BY counted_at LIMIT $2) RETURNING event_id"
)
_WINDOWS = (
    "DELETE FROM click_counts WHERE (code, width, start, dimension, value) IN ("
    "SELECT code, width, start, dimension, value FROM click_counts "
    "WHERE width = '{}' AND start < $1 ORDER BY start LIMIT $2) RETURNING start"
)
_LATELY_FORGOTTEN = "SELECT code FROM forgotten_codes WHERE forgotten_at >= $1"
_FORGET_FORGOTTEN = "DELETE FROM forgotten_codes WHERE forgotten_at < $1"


class Retention:
    """Job of the keepers."""

    def __init__(self, database: Database, clock: Clock, metrics: Metrics) -> None:
        self._database = database
        self._clock = clock
        self._deleted = metrics.counter("retention_deleted", "Rows deleted because of their age", "what")

    async def run(self) -> None:
        await self._database.define(TABLES)
        while True:
            await self.turn()
            await self._clock.sleep(PAUSE)

    async def turn(self) -> None:
        """One pass. Raises PortError; what is left undone then is done by the next one."""
        now = self._clock.now()
        await self._delete("raw", _RAW, now - RAW_DAYS * DAY)
        await self._delete("minute", _WINDOWS.format("minute"), now - MINUTE_DAYS * DAY)
        await self._delete("hour", _WINDOWS.format("hour"), now - HOUR_DAYS * DAY)
        await self._forget_again(now)

    async def _delete(self, what: str, sql: str, before: float) -> None:
        while True:
            [deleted] = await self._database.transaction([statement(sql, before, BATCH)])
            self._deleted.labels(what).inc(len(deleted))
            if len(deleted) < BATCH:
                return
            await self._clock.sleep(BREATH)

    async def _forget_again(self, now: float) -> None:
        """Clicks on a link that were on their way when it was forgotten, and have been counted since."""
        late = now - LATE_DAYS * DAY
        codes = [row["code"] for row in await self._database.query(_LATELY_FORGOTTEN, late)]
        await forget(self._database, codes)
        await self._database.transaction([statement(_FORGET_FORGOTTEN, late)])
