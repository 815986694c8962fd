"""What is asked of the component: one function per scenario, from a seed to a plan.

A plan says what the log tells, and when; the model (`partitions`) hands it over in batches, as a consumer does. What
is told at one moment comes in one batch.
"""

from __future__ import annotations

import itertools
import math

from grading.checks.url_shortener.click_aggregator.buckets import AHEAD_MAX, SECONDS, Click
from grading.checks.url_shortener.click_aggregator.partitions import OTHER, described
from grading.checks.workload import LONG, Workload
from grading.judge.plan import Fault, Plan
from grading.judge.wording import how_many
from grading.judge.world import EPOCH

NAMES = ("partition 1", "partition 2")
REFERRERS = ("", "", "news.example", "search.example", "m.social.example")
AGENTS = ("", "Firefox", "Chrome", "curl")
HOUR, DAY = 3_600.0, 86_400.0
STEP = 4.0
"""Seconds between batches that something happens to: enough for a time-out and what follows."""
MANY = 200
WARM, MORE = 1_000, 500
MODES = ("unavailable", "timeout", "no-answer")


class Script(Workload):
    """A workload of clicks. `codes`: the links that are clicked on; a link's clicks are all in one partition."""

    def __init__(self, seed: int, name: str, links: int = 3) -> None:
        super().__init__(seed, f"click-aggregator {name}")
        letters = "abcdefghkmnpqrstuvwxyz23456789"
        self.codes = ["".join(self.random.choices(letters, k=5)) for _ in range(links)]
        self._ids = itertools.count(1)

    def click(self, time: float, code: str = "", **fields: str) -> Click:
        chance = self.random
        return {
            "event_id": f"e{next(self._ids)}",
            "code": code or chance.choice(self.codes),
            "time": round(time, 3) if math.isfinite(time) else str(time),
            "referrer": chance.choice(REFERRERS),
            "agent": chance.choice(AGENTS),
            **fields,
        }

    def tell(self, event: Click | str | None, at: float, partition: int = 0) -> None:
        """Appends it to the log. `event`: None is one that cannot be read, `OTHER` one that is no click."""
        text = f"the log of {NAMES[partition]} tells {described(event)}"
        self.event("append", partition, event, at=round(at, 6), text=text)

    def recent(self, at: float) -> Click:
        """A click of the last few seconds."""
        return self.click(EPOCH + at - self.between(0.0, 5.0))

    def world(self, name: str, at: float) -> None:
        """Something that befalls the consumer of partition 1."""
        text = {
            "stop": f"the consumer of {NAMES[0]} is told to stop: a call in hand is cancelled",
            "lose": f"another consumer takes {NAMES[0]}: commits are refused (LeaseLost)",
        }[name]
        self.event(name, 0, at=round(at, 6), text=text)

    def look_at_counts(self) -> None:
        """Comes last: by then all that is on its way has arrived."""
        at = max(op.at for op in self.ops) + 3.0
        self.event("look", at=at, text="the judge looks at the counts")


def one(s: Script, *faults: Fault) -> Plan:
    """A plan for one partition."""
    s.look_at_counts()
    return s.plan(*faults, servers=1, names=NAMES)


def on_both(s: Script) -> Plan:
    """A plan for both partitions."""
    s.look_at_counts()
    return s.plan(servers=2, names=NAMES)


def plain_clicks(seed: int) -> Plan:
    """Of the last half hour, on two partitions; some at the very edge of a window."""
    s = Script(seed, "windows", links=4)
    edges = [EPOCH // width * width for width in (SECONDS["minute"], SECONDS["hour"])]
    times = [s.random.choice(edges), s.random.choice(edges) - 0.001]
    times += [EPOCH - s.between(0.0, 1_800.0) for _ in range(12)]
    s.random.shuffle(times)
    for index, time in enumerate(times):
        partition = s.random.randrange(2)
        code = s.random.choice(s.codes[2 * partition : 2 * partition + 2])
        s.tell(s.click(time, code), 1.0 + index // 4, partition)
    return on_both(s)


def late_clicks(seed: int) -> Plan:
    """In no order: some are of now, some of hours, days and years ago."""
    s = Script(seed, "late", links=2)
    ages = [s.between(0, 10) for _ in range(4)]
    ages += [s.between(2 * HOUR, DAY), s.between(2 * HOUR, DAY)]
    ages += [s.between(2 * DAY, 40 * DAY) for _ in range(3)] + [s.between(300 * DAY, 3_000 * DAY)]
    s.random.shuffle(ages)
    for index, age in enumerate(ages):
        s.tell(s.click(EPOCH - age), 1.0 + index // 4)
    return one(s)


def impossible_times(seed: int) -> Plan:
    """Times that cannot be, and some that only just can; each alone, so that one that stops all is seen as that."""
    s = Script(seed, "impossible", links=2)
    soon = EPOCH + AHEAD_MAX
    times: list[float] = [
        float("nan"),
        s.random.choice((float("inf"), float("-inf"))),
        -s.between(0.25, 50.0),
        -s.between(1 * DAY, 900 * DAY),
        soon + s.between(600, 3 * HOUR),
        s.random.choice((EPOCH * 1_000, 1e300)),
    ]
    possible = [0.0, s.between(1.0, 50.0), EPOCH + s.between(600, 3 * HOUR), soon - s.between(600, 3 * HOUR)]
    mixed = times + possible
    s.random.shuffle(mixed)
    for index, time in enumerate(mixed):
        s.tell(s.click(time), 1.0 + index // 3)
    return one(s)


def told_again(seed: int) -> Plan:
    """In the same batch, in a later one, and after the partition's consumer was restarted. Some are alike, but two."""
    s = Script(seed, "once", links=2)
    first = [s.recent(1.0) for _ in range(4)]
    twin = first[0] | {"event_id": s.recent(1.0)["event_id"]}
    # The first one is not told again: that would make up for it if its twin was taken for it.
    again = first[1:]
    rounds = [[*first, twin, s.random.choice(again)]]
    second = [s.recent(2.0) for _ in range(2)]
    rounds.append([*second, *s.random.sample(again, 2)])
    rounds.append([s.recent(4.0) for _ in range(2)])  # after the restart
    rounds.append([s.recent(5.0), *s.random.sample(again, 2), second[0]])
    rounds.append([s.random.choice(rounds[2]), s.recent(6.0)])
    for at, events in zip((1.0, 2.0, 4.0, 5.0, 6.0), rounds, strict=True):
        if at > 1.0:
            s.random.shuffle(events)
        for click in events:
            s.tell(click, at)
    s.crash(0, 3.0)
    return one(s)


def a_long_day(seed: int) -> Plan:
    """Batch after batch, of a click or two; some are told again much later."""
    s = Script(seed, "long-day")
    told: list[Click] = []
    for index in range(s.random.randint(*LONG)):
        at = 1.0 + 0.1 * index
        told.append(s.recent(at))
        s.tell(told[-1], at)
        if index % 8 == 7:
            s.tell(s.random.choice(told), at)
    return one(s)


def poison(seed: int) -> Plan:
    """Events that cannot be read, before, between and behind clicks."""
    s = Script(seed, "poison", links=2)
    for at in (1.0, 2.0, 3.0):
        events: list[Click | None] = [s.recent(at) for _ in range(3)]
        for _ in range(s.random.randint(1, 2)):
            events.insert(s.random.randrange(3), None)
        for event in events:
            s.tell(event, at)
    return one(s)


def nothing_new(seed: int) -> Plan:
    """Batches with and without new clicks: what is known already, what cannot be read, what is no click."""
    s = Script(seed, "offset", links=2)
    first = [s.recent(1.0) for _ in range(s.random.randint(3, 5))]
    again = s.random.sample(first, 2)
    rounds: list[list[Click | str | None]] = [
        [*again],
        [None],
        [OTHER],
        [s.recent(2.0), OTHER],
        [*again, None],
    ]
    s.random.shuffle(rounds)
    for click in first:
        s.tell(click, 1.0)
    for index, events in enumerate(rounds):
        for event in events:
            s.tell(event, 2.0 + index)
    return one(s)


def killed(seed: int) -> Plan:
    """As it sends its first request for a batch, its second, third or fourth, which still arrives; or at any moment."""
    s = Script(seed, "crash", links=2)
    faults = []
    skips = [0, 1, 2, 3]
    s.random.shuffle(skips)
    for index, skip in enumerate(skips):
        at = 1.0 + index * STEP
        for _ in range(s.random.randint(4, 6)):
            s.tell(s.recent(at), at)
        faults.append(Fault("server", "crash", at, at + 0.1, skip=skip, count=1))
    at = 1.0 + 4 * STEP
    for _ in range(4):
        s.tell(s.recent(at), at)
    s.crash(0, at + s.between(0.002, 0.014))
    s.tell(s.recent(at), at + STEP)
    return one(s, *faults)


def stopped(seed: int) -> Plan:
    """The consumer is stopped in the middle of some batches, and later begins anew."""
    s = Script(seed, "cancelled", links=2)
    moments = [s.between(0.0005, 0.004), s.between(0.004, 0.008), s.between(0.008, 0.014)]
    for index, moment in enumerate(moments):
        at = 1.0 + index * STEP
        for _ in range(s.random.randint(3, 5)):
            s.tell(s.recent(at), at)
        s.world("stop", at + moment)
    s.tell(s.recent(1.0 + 3 * STEP), 1.0 + 3 * STEP)
    return one(s)


def store_fails(seed: int) -> Plan:
    """In each way under the second request for a batch, which is a commit if the first asked what is known."""
    s = Script(seed, "store-failure", links=2)
    faults = []
    cases = [(mode, 1) for mode in MODES] + [("", 0), ("no-answer", s.random.randint(2, 3))]
    s.random.shuffle(cases)
    # Not under the first batch, for in that one nothing is told again.
    cases.insert(s.random.randint(1, len(cases)), (s.random.choice(MODES), 0))
    told: list[Click] = []
    for index, (mode, skip) in enumerate(cases):
        at = 1.0 + index * STEP
        events = [s.recent(at) for _ in range(s.random.randint(3, 4))]
        again = s.random.sample(told, 1) if told else []
        for click in [*again, *events]:
            s.tell(click, at)
        told += events
        if mode:
            faults.append(Fault("store", mode, at, at + 0.1, skip=skip, count=1))
        else:
            s.world("lose", at)
    at = 1.0 + len(cases) * STEP
    s.tell(s.recent(at), at)
    return one(s, *faults)


def how_many_are_new(seed: int) -> Plan:
    """New ones, known ones, the same twice in a batch, and events that cannot be read."""
    s = Script(seed, "new-clicks", links=2)
    told: list[Click] = []
    for at in (1.0, 2.0, 3.0):
        fresh = [s.recent(at) for _ in range(s.random.randint(2, 4))]
        events: list[Click | None] = [*fresh, s.random.choice(fresh), None]
        events += s.random.sample(told, min(2, len(told)))
        for event in events:
            s.tell(event, at)
        told += fresh
    return one(s)


def a_hot_link(seed: int) -> Plan:
    s = Script(seed, "cost")
    for at in (1.0, 8.0):
        links = s.random.choice((1, 3))
        text = f"the log of {NAMES[0]} tells {MANY} clicks on {how_many(links, 'link')}"
        s.event("flood", 0, MANY, links, at=at, text=text)
    return one(s)


def many_clicks(seed: int) -> Plan:
    """The memory is weighed after the first thousand, and after some hundreds more."""
    s = Script(seed, "memory")
    for at, count in ((1.0, WARM), (20.0, MORE)):
        text = f"the log of {NAMES[0]} tells {count} clicks on 3 links"
        s.event("flood", 0, count, 3, at=at, text=text)
    s.look("weigh", "before", 19.0)
    s.look("weigh", "after", 38.0)
    return one(s)
