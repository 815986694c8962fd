"""The click aggregator at its simplest: every click is looked up, and added to its counts, by itself.

Right, and slow: two round trips and a flush to the disk for each click, and eight rows rewritten. A thousand clicks on
one link rewrite the same rows a thousand times, as a counter in the link's own row would be.
"""

from __future__ import annotations

from collections.abc import Sequence

from reference.shortener.components import (
    AHEAD_MAX,
    MINUTE_HOUR_DAY,
    Bucket,
    Click,
    ClickStore,
    Clock,
    Counted,
)
from reference.shortener.components.clicks import Width


class ClickAggregator:
    """Slot `url-shortener/click-aggregator`."""

    def __init__(self, *, store: ClickStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def count(self, events: Sequence[Click | None], offset: str) -> int:
        new = 0
        for click in events:
            if click is not None and not await self._store.known([click.event_id]):
                await self._store.commit(Counted((click,), dict.fromkeys(self.buckets(click), 1), None))
                new += 1
        await self._store.commit(Counted((), {}, offset))
        return new

    def buckets(self, click: Click) -> list[Bucket]:
        starts: dict[Width, int] = {"total": 0}
        if 0.0 <= click.time <= self._clock.now() + AHEAD_MAX:
            starts |= {width: int(click.time // each) * each for width, each in MINUTE_HOUR_DAY.items()}
        found = []
        for width, start in starts.items():
            found.append(Bucket(click.code, width, start))
            if width in ("total", "day"):
                found.append(Bucket(click.code, width, start, "referrer", click.referrer))
                found.append(Bucket(click.code, width, start, "agent", click.agent))
        return found
