"""Parts of fifty, each looked up and committed by itself; the last one has the offset."""

from collections import Counter

from reference.shortener.components import AHEAD_MAX, MINUTE_HOUR_DAY, Bucket, Counted


class ClickAggregator:
    def __init__(self, *, store, clock):
        self.store = store
        self.clock = clock

    async def count(self, events, offset):
        clicks = [click for click in events if click is not None]
        new = 0
        for first in range(0, max(1, len(clicks)), 50):
            part = {click.event_id: click for click in clicks[first : first + 50]}
            for event_id in await self.store.known(part):
                del part[event_id]
            growth = Counter(bucket for click in part.values() for bucket in self.buckets(click))
            is_last = first + 50 >= len(clicks)
            await self.store.commit(Counted(tuple(part.values()), growth, offset if is_last else None))
            new += len(part)
        return new

    def buckets(self, click):
        starts = {"total": 0}
        if 0.0 <= click.time <= self.clock.now() + AHEAD_MAX:
            for width, seconds in MINUTE_HOUR_DAY.items():
                starts[width] = int(click.time // seconds) * seconds
        for width, start in starts.items():
            yield Bucket(click.code, width, start)
            if width in ("total", "day"):
                yield Bucket(click.code, width, start, "referrer", click.referrer)
                yield Bucket(click.code, width, start, "agent", click.agent)
