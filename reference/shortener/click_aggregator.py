"""Clicks become counts: a batch at a time.

Three round trips for a batch of any size: which ids are known, then one transaction with the new ids, the growth of
each count, and the offset. A hot link costs one update of each of its counts in a batch, not one a click: that is
what makes it cheap to count a link that everybody follows.

The event log tells some clicks again (a producer repeats an append whose acknowledgement got lost) and some late.
Neither matters: an id counts once, and a click goes into the windows of its own time, not of its arrival. No window
is ever closed, so nothing has to be waited for, and a count may still grow after it was shown.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from reference.shortener.components import (
    AHEAD_MAX,
    MINUTE_HOUR_DAY,
    Bucket,
    Click,
    ClickStore,
    Clock,
    Counted,
)


class ClickAggregator:
    """Slot `url-shortener/click-aggregator`."""

    def __init__(self, *, store: ClickStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def count(self, events: Sequence[Click | None], offset: str) -> int:
        told = {click.event_id: click for click in events if click is not None}  # each once, of this batch
        known = await self._store.known(told) if told else set()
        new = tuple(click for event_id, click in told.items() if event_id not in known)
        growth: Counter[Bucket] = Counter()
        latest = self._clock.now() + AHEAD_MAX
        for click in new:
            growth.update(buckets(click, latest))
        await self._store.commit(Counted(new, growth, offset))
        return len(new)


def buckets(click: Click, latest: float) -> Iterator[Bucket]:
    """Where a click counts. `latest`: a time after this one is not to be believed."""
    yield from with_dimensions(click, Bucket(click.code, "total", 0))
    if not 0.0 <= click.time <= latest:  # NaN is not either
        return
    for width, seconds in MINUTE_HOUR_DAY.items():
        window = Bucket(click.code, width, int(click.time // seconds) * seconds)
        if width == "day":
            yield from with_dimensions(click, window)
        else:
            yield window


def with_dimensions(click: Click, bucket: Bucket) -> Iterator[Bucket]:
    """The count of all, and those by where the click came from and by what made it."""
    yield bucket
    yield Bucket(bucket.code, bucket.width, bucket.start, "referrer", click.referrer)
    yield Bucket(bucket.code, bucket.width, bucket.start, "agent", click.agent)
