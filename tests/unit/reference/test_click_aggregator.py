"""Both fillings of the slot `click-aggregator`, over a store in memory: what counts, where, and how often."""

import asyncio
import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference.platform.errors import Indefinite, LeaseLost, Unavailable
from reference.platform.events import Envelope
from reference.shortener import click_aggregator
from reference.shortener.click_events import click_of, is_click
from reference.shortener.components import AHEAD_MAX, Bucket, Click, Counted
from reference.shortener.plain import click_aggregator as plain

pytestmark = pytest.mark.anyio

NOW = 1_800_000_000.0
FILLINGS = [click_aggregator.ClickAggregator, plain.ClickAggregator]


class Clock:
    def now(self) -> float:
        return NOW

    async def sleep(self, seconds: float) -> None: ...


@dataclass
class MemoryStore:
    """`ClickStore`. `failures`: what each commit is to do, in turn: "before" or "after" acting it raises."""

    ids: set[str] = field(default_factory=set)
    counts: Counter[Bucket] = field(default_factory=Counter)
    offset: str = "0-0"
    failures: list[str] = field(default_factory=list)
    calls: Counter[str] = field(default_factory=Counter)
    rows: int = 0

    async def known(self, event_ids: Iterable[str]) -> set[str]:
        self.calls["known"] += 1
        return self.ids & set(event_ids)

    async def commit(self, counted: Counted) -> None:
        self.calls["commit"] += 1
        self.rows += len(counted.clicks) + len(counted.growth)
        failure = self.failures.pop(0) if self.failures else ""
        if failure == "before":
            raise Unavailable
        self.ids |= {click.event_id for click in counted.clicks}
        self.counts.update(counted.growth)
        self.offset = counted.offset or self.offset
        if failure == "after":
            raise Indefinite


def expected(clicks: Iterable[Click]) -> Counter[Bucket]:
    """What the contract says, by the calendar and without an aggregator."""
    counts: Counter[Bucket] = Counter()
    for click in {click.event_id: click for click in clicks}.values():
        windows: list[tuple[Any, int]] = [("total", 0)]
        if math.isfinite(click.time) and 0 <= click.time <= NOW + AHEAD_MAX:
            day = datetime.fromtimestamp(math.floor(click.time), UTC)
            hour, minute = day.replace(minute=0, second=0), day.replace(second=0)
            windows += [("minute", int(minute.timestamp())), ("hour", int(hour.timestamp()))]
            windows.append(("day", int(hour.replace(hour=0).timestamp())))
        for width, start in windows:
            counts[Bucket(click.code, width, start)] += 1
            if width in ("total", "day"):
                counts[Bucket(click.code, width, start, "referrer", click.referrer)] += 1
                counts[Bucket(click.code, width, start, "agent", click.agent)] += 1
    return counts


async def count(filling: Any, store: MemoryStore, *batch: Click | None) -> int:
    new: int = await filling(store=store, clock=Clock()).count(batch, "1-0")
    return new


@pytest.fixture(params=FILLINGS, ids=["reference", "plain"])
def filling(request: pytest.FixtureRequest) -> Any:
    return request.param


async def test_a_click_is_in_eight_buckets(filling: Any) -> None:
    store = MemoryStore()
    assert await count(filling, store, Click("1", "abc", 1_767_229_261.5, "a.example", "Firefox")) == 1
    assert store.counts == {
        Bucket("abc", "total", 0): 1,
        Bucket("abc", "total", 0, "referrer", "a.example"): 1,
        Bucket("abc", "total", 0, "agent", "Firefox"): 1,
        Bucket("abc", "minute", 1_767_229_260): 1,
        Bucket("abc", "hour", 1_767_229_200): 1,
        Bucket("abc", "day", 1_767_225_600): 1,
        Bucket("abc", "day", 1_767_225_600, "referrer", "a.example"): 1,
        Bucket("abc", "day", 1_767_225_600, "agent", "Firefox"): 1,
    }
    assert store.offset == "1-0"


async def test_the_last_instant_of_a_window_is_in_it_and_the_next_is_not(filling: Any) -> None:
    store = MemoryStore()
    await count(filling, store, Click("1", "abc", 119.999), Click("2", "abc", 120.0), Click("3", "abc", 0.0))
    minutes = {bucket.start: n for bucket, n in store.counts.items() if bucket.width == "minute"}
    assert minutes == {0: 1, 60: 1, 120: 1}


@pytest.mark.parametrize("time", [math.nan, math.inf, -math.inf, -0.001, NOW + AHEAD_MAX + 1, 1e300])
async def test_a_time_that_cannot_be_counts_in_total_only(filling: Any, time: float) -> None:
    store = MemoryStore()
    await count(filling, store, Click("1", "abc", time))
    assert {bucket.width for bucket in store.counts} == {"total"}
    assert store.counts[Bucket("abc", "total", 0)] == 1


async def test_a_clock_that_is_a_little_ahead_is_believed(filling: Any) -> None:
    store = MemoryStore()
    await count(filling, store, Click("1", "abc", NOW + AHEAD_MAX))
    assert len(store.counts) == 8


async def test_poison_is_passed_by(filling: Any) -> None:
    store = MemoryStore()
    assert await count(filling, store, None, Click("1", "abc", NOW), None) == 1
    assert await count(filling, store, None) == 0
    assert store.counts[Bucket("abc", "total", 0)] == 1


async def test_an_empty_batch_moves_the_offset(filling: Any) -> None:
    store = MemoryStore()
    assert await count(filling, store) == 0
    assert store.offset == "1-0"


async def test_what_the_store_raises_is_raised(filling: Any) -> None:
    for error in (Unavailable, Indefinite, LeaseLost):

        class Failing(MemoryStore):
            async def commit(self, counted: Counted, error: type[Exception] = error) -> None:
                raise error

        with pytest.raises(error):
            await count(filling, Failing(), Click("1", "abc", NOW))


times = st.one_of(
    st.floats(NOW - 200_000, NOW + 100_000),
    st.sampled_from([NOW, NOW - 86_400, 0.0, -1.0, math.nan, math.inf, NOW + AHEAD_MAX]),
)
clicks = st.lists(
    st.builds(
        Click,
        event_id=st.just(""),
        code=st.sampled_from(["abc", "xyz"]),
        time=times,
        referrer=st.sampled_from(["", "a.example"]),
        agent=st.sampled_from(["", "Firefox", "bot"]),
    ),
    max_size=12,
).map(lambda found: [Click(str(n), c.code, c.time, c.referrer, c.agent) for n, c in enumerate(found)])


@settings(max_examples=150, deadline=None)
@given(data=st.data(), distinct=clicks, filling=st.sampled_from(FILLINGS))
def test_any_history_counts_each_distinct_click_once(data: Any, distinct: list[Click], filling: Any) -> None:
    """Repeated, reordered, late, mixed with poison, cut into batches anywhere, with failures before and after any
    commit: the counts are those of the set of clicks."""
    repeated = data.draw(st.lists(st.sampled_from(distinct), max_size=8)) if distinct else []
    log = data.draw(st.permutations([*distinct, *repeated, *([None] * data.draw(st.integers(0, 3)))]))
    cuts = sorted({*data.draw(st.lists(st.integers(0, len(log)), max_size=4)), len(log)})
    store = MemoryStore(failures=data.draw(st.lists(st.sampled_from(["", "before", "after"]), max_size=6)))

    async def consume() -> None:
        """As the consumer does: after an error, a new component, from where the log is done."""
        component = filling(store=store, clock=Clock())
        while (done := int(store.offset.split("-")[0])) < len(log):
            end = next(cut for cut in cuts if cut > done)
            try:
                await component.count(log[done:end], f"{end}-0")
            except (Unavailable, Indefinite):
                component = filling(store=store, clock=Clock())

    asyncio.run(consume())
    assert store.counts == expected(distinct)
    assert store.ids == {click.event_id for click in distinct}


async def test_a_hot_link_costs_a_row_for_each_count_or_a_row_for_each_click() -> None:
    """10,000 clicks on one link, in batches of 1,000: what the store has to do for either filling."""
    work = {}
    for filling in FILLINGS:
        store, component = MemoryStore(), None
        component = filling(store=store, clock=Clock())
        for first in range(0, 10_000, 1000):
            batch = [Click(str(first + n), "hot", NOW, "a.example", "Firefox") for n in range(1000)]
            await component.count(batch, f"{first + 1000}-0")
        assert store.counts[Bucket("hot", "total", 0)] == 10_000
        updates = store.rows - 10_000  # without the clicks themselves
        work[filling] = (store.calls["known"] + store.calls["commit"], updates)
    assert work[click_aggregator.ClickAggregator] == (20, 80)
    assert work[plain.ClickAggregator] == (20_010, 80_000)


# --- from events to clicks


def event(**more: Any) -> Envelope:
    plain = {"id": "id-1", "key": "abc", "type": "link.clicked", "version": 2, "time": 5.5}
    return Envelope(**{**plain, **more})


def test_an_event_of_either_version_becomes_a_click() -> None:
    assert click_of(event(version=1)) == Click("id-1", "abc", 5.5)
    told = {"referrer": "a.example", "agent": "Firefox", "address": "1.2.3.0/24", "more": [1]}
    assert click_of(event(data=told)) == Click("id-1", "abc", 5.5, "a.example", "Firefox", "1.2.3.0/24")
    assert click_of(event(time=5)) == Click("id-1", "abc", 5.0)


@pytest.mark.parametrize(
    "wrong",
    [
        *({"type": "unreadable"}, {"version": 3}, {"version": "2"}, {"version": None}),
        *(
            {"id": ""},
            {"id": None},
            {"id": "a b"},
            {"id": "x" * 65},
            {"id": "a\x00"},
            {"id": 'a"'},
            {"id": []},
        ),
        *({"key": ""}, {"key": "a\x00b"}, {"key": "\ud800"}, {"key": "x" * 65}, {"key": 7}, {"key": "a\n"}),
        *({"time": "now"}, {"time": None}, {"time": True}, {"time": 10**400}, {"time": [1]}),
    ],
)
def test_what_could_not_be_stored_is_poison(wrong: dict[str, Any]) -> None:
    assert click_of(event(**wrong)) is None


@pytest.mark.parametrize("value", ["a\x00", "\ud800", "x" * 101, "é", 7, None, ["a"], {"a": 1}, "a\n"])
def test_what_is_not_fit_to_be_kept_of_a_visitor_is_left_out(value: Any) -> None:
    data = {"referrer": value, "agent": value, "address": value}
    assert click_of(event(data=data)) == Click("id-1", "abc", 5.5)
    assert click_of(event(data=value)) == Click("id-1", "abc", 5.5)


def test_other_events_are_no_clicks() -> None:
    assert is_click(event())
    assert is_click(event(type="unreadable"))
    assert not is_click(event(type="link.created"))
