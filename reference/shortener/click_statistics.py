"""What is shown of a link's clicks. Reads the counts, never the raw clicks: it costs the same for a hot link.

Counts lag behind the redirects by what is still in the log, and may grow for any window, also an old one: see
`click_aggregator`. Browsers and edges that keep a redirect make clicks that nobody ever sees.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from reference.platform.clock import Clock, SystemClock
from reference.platform.sql import Database, Row
from reference.shortener.components import MINUTE_HOUR_DAY
from reference.shortener.components.clicks import Width

SHOWN: dict[Width, int] = {"minute": 60, "hour": 48, "day": 31}
"""How many windows of each width, the present one included."""
REFERRERS = 20

_WINDOWS = (
    "SELECT width, start, clicks FROM click_counts WHERE code = $1 AND dimension = '' AND ("
    "width = 'total' OR (width = 'minute' AND start >= $2) OR (width = 'hour' AND start >= $3)"
    " OR (width = 'day' AND start >= $4))"
)
_DIMENSION = (
    "SELECT value, clicks FROM click_counts WHERE code = $1 AND width = 'total' AND start = 0 AND dimension = $2 "
    "ORDER BY clicks DESC, value LIMIT $3"
)


class ClickStatistics:
    def __init__(self, database: Database, clock: Clock | None = None) -> None:
        self._database = database
        self._clock = clock or SystemClock()

    async def of(self, code: str) -> dict[str, Any]:
        """The clicks on a link, as JSON has it; zeros if there are none.

            {"total": 3, "minutes": [["2026-01-01T00:00:00Z", 0], ...], "hours": [...], "days": [...],
             "referrers": {"news.example": 2, "": 1}, "agents": {"Firefox": 3}}

        `minutes`, `hours`, `days`: SHOWN windows each by their beginning, oldest first, without gaps. `referrers`: the
        first REFERRERS; "" stands for none. Raises PortError."""
        now = self._clock.now()
        first = {
            width: begin(now, width) - (count - 1) * MINUTE_HOUR_DAY[width] for width, count in SHOWN.items()
        }
        rows = await self._database.query(_WINDOWS, code, *first.values())
        referrers = await self._database.query(_DIMENSION, code, "referrer", REFERRERS)
        agents = await self._database.query(_DIMENSION, code, "agent", REFERRERS)
        counts = {(row["width"], row["start"]): row["clicks"] for row in rows}
        windows = {
            f"{width}s": [
                [utc(start), counts.get((width, start), 0)]
                for start in range(first[width], begin(now, width) + 1, MINUTE_HOUR_DAY[width])
            ]
            for width in SHOWN
        }
        return {
            "total": counts.get(("total", 0), 0),
            **windows,
            "referrers": by_value(referrers),
            "agents": by_value(agents),
        }


def begin(time: float, width: Width) -> int:
    """When the window that holds `time` began."""
    seconds = MINUTE_HOUR_DAY[width]
    return int(time // seconds) * seconds


def utc(start: int) -> str:
    return datetime.fromtimestamp(start, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def by_value(rows: list[Row]) -> dict[str, int]:
    return {row["value"]: row["clicks"] for row in rows}
