"""Clicks that are alike are taken to be one."""

from collections import Counter

from reference.shortener.components import AHEAD_MAX, MINUTE_HOUR_DAY, Bucket, Counted


class ClickAggregator:
    def __init__(self, *, store, clock):
        self.store = store
        self.clock = clock

    async def count(self, events, offset):
        clicks = {
            (click.code, click.time, click.referrer, click.agent): click
            for click in events
            if click is not None
        }
        known = await self.store.known([click.event_id for click in clicks.values()])
        new = [click for click in clicks.values() if click.event_id not in known]
        growth = Counter(bucket for click in new for bucket in self.buckets(click))
        await self.store.commit(Counted(tuple(new), growth, offset))
        return len(new)

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
