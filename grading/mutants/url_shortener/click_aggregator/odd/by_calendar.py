"""Windows by the calendar, in UTC."""

import datetime
from collections import Counter

from reference.shortener.components import AHEAD_MAX, Bucket, Counted


class ClickAggregator:
    def __init__(self, *, store, clock):
        self.store = store
        self.clock = clock

    async def count(self, events, offset):
        clicks = {click.event_id: click for click in events if click is not None}
        known = await self.store.known(clicks)
        new = [click for click in clicks.values() if click.event_id not in known]
        growth = Counter(bucket for click in new for bucket in self.buckets(click))
        await self.store.commit(Counted(tuple(new), growth, offset))
        return len(new)

    def buckets(self, click):
        starts = {"total": 0}
        if 0.0 <= click.time <= self.clock.now() + AHEAD_MAX:
            minute = datetime.datetime.fromtimestamp(click.time, datetime.UTC).replace(
                second=0, microsecond=0
            )
            hour = minute.replace(minute=0)
            for width, start in ("minute", minute), ("hour", hour), ("day", hour.replace(hour=0)):
                starts[width] = int(start.timestamp())
        for width, start in starts.items():
            yield Bucket(click.code, width, start)
            if width in ("total", "day"):
                yield Bucket(click.code, width, start, "referrer", click.referrer)
                yield Bucket(click.code, width, start, "agent", click.agent)
