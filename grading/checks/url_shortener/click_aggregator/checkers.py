"""Judge a recorded run against the log: what it told, and what the store holds. A checker never sees the component."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection

from grading.checks.errors import gave_up, told
from grading.checks.url_shortener.click_aggregator.buckets import (
    Bucket,
    Click,
    buckets_of,
    describe,
    expected_counts,
    expected_sums,
    few,
    in_order,
    name,
    together,
)
from grading.checks.url_shortener.click_aggregator.partitions import Partitions
from grading.judge.history import Ask, Call, History
from grading.judge.plan import Plan
from grading.judge.requirement import Broken, Kept, NotShown, Outcome
from grading.judge.wording import grown, show

ERRORS = "reference.platform.errors"
TRIPS = 10
"""To the store, for a batch of 200 clicks."""
BLOCKS_A_CLICK = 0.5
"""Of memory. An id that is remembered takes one at least."""


# --- the calls


def asks_of(history: History, call: Call) -> list[Ask]:
    """What the store was asked while the call was in hand; there is one at a time for a partition."""
    ended = call.ended if call.ended is not None else float("inf")
    return [each for each in history.asks if each.server == call.server and call.began <= each.sent <= ended]


def errors_of(history: History, call: Call) -> list[str]:
    """What the store answered in place of an answer."""
    return [each.error for each in asks_of(history, call) if each.error]


def called(plan: Plan, log: Partitions, call: Call) -> str:
    events = call.args[0]
    told = few("None" if each is None else each["event_id"] for each in events)
    return f"{call.name} (count([{told}], {call.args[1]!r}) on {plan.called(call.server)})"


def failed(plan: Plan, history: History, log: Partitions) -> Broken | None:
    """The first call with an error that is not the store's, or that gave up by itself."""
    for call in history.calls.values():
        if call.outcome == "raised" and errors_of(history, call):
            continue
        wrong = gave_up(call, f"{called(plan, log, call)} is counted")
        if wrong is not None:
            return wrong
    return None


# --- the counts


def miscounted(log: Partitions, fully: bool = True) -> Broken | None:
    """The first bucket that is not as it should be. One that lacks clicks tells more than one that has too many.

    Not `fully`: only how many clicks of a link there are in the buckets of one width together. What belongs into
    which bucket is another requirement's question."""
    expected = expected_counts(log.clicks()) if fully else expected_sums(log.clicks())
    got = Counter({bucket: by for bucket, by in log.counts.items() if by})
    if not fully:
        got = _sums(got, expected.keys())
    lacking = in_order(bucket for bucket in expected if got[bucket] < expected[bucket])
    beyond = in_order(bucket for bucket in got if got[bucket] > expected[bucket])
    if not lacking and not beyond:
        return None
    bucket = (lacking or beyond)[0]
    what = name(bucket) if fully or bucket[1] == "total" else f"all of width {bucket[1]!r} on {bucket[0]}"
    says = f"the store has {got[bucket]} for it"
    if lacking and beyond and fully:
        likely = [each for each in beyond if each[:2] == bucket[:2]] or beyond
        says += f", and {got[likely[0]]} for {name(likely[0])}"
    return Broken(
        "too few" if lacking else "too many",
        f"once all is counted, {what} is {_sum(log, bucket, expected[bucket], fully)}",
        says,
    )


def _sums(counts: Counter[Bucket], wanted: Collection[Bucket]) -> Counter[Bucket]:
    """By code and width: what counts all, over all windows."""
    sums: Counter[Bucket] = Counter()
    for bucket, by in counts.items():
        if not bucket[3] and together(bucket) in wanted:
            sums[together(bucket)] += by
    return sums


def _sum(log: Partitions, bucket: Bucket, count: int, fully: bool) -> str:
    """A count, and by which clicks it comes to that."""
    told: dict[str, Click] = {}
    times: Counter[str] = Counter()
    for click, now in log.clicks():
        if bucket in (each if fully else together(each) for each in buckets_of(click, now)):
            told[click["event_id"]] = click
            times[click["event_id"]] += 1
    if not told:
        return "0: no click belongs there"
    first = max(told, key=lambda each: times[each])
    often = f" (the log told it {times[first]} times)" if times[first] > 1 else ""
    rest = [each for each in told if each != first]
    others = f"; {few(rest, 4)}" if rest else ""
    return f"{count}: {describe(told[first])}{often}{others}"


def in_its_windows(plan: Plan, history: History, log: Partitions) -> Outcome:
    return counted(plan, history, log, fully=True)


def counted(plan: Plan, history: History, log: Partitions, fully: bool = False) -> Outcome:
    """Whatever happened: in the end every click has counted once."""
    wrong = failed(plan, history, log)
    if wrong is not None:
        return wrong
    stuck = log.stuck()
    if stuck is not None:
        return Broken(
            "stuck",
            f"after a failure {plan.called(stuck)} begins anew, and its batch is counted",
            "batch after batch failed, though nothing was wrong any more",
        )
    wrong = miscounted(log, fully)
    if wrong is not None:
        return wrong
    return Kept() if log.clicks() else NotShown("the log told of no click", "a click to count")


def shown_by(
    shown: Callable[[History, Partitions], bool], because: str, needed: str
) -> Callable[[Plan, History, Partitions], Outcome]:
    """As `counted`; but what the run was to show must have happened in it."""

    def check(plan: Plan, history: History, log: Partitions) -> Outcome:
        outcome = counted(plan, history, log)
        if isinstance(outcome, Kept) and not shown(history, log):
            return NotShown(because, needed)
        return outcome

    return check


def _told_twice(history: History, log: Partitions) -> bool:
    ids = [click["event_id"] for click, _ in log.clicks()]
    return len(set(ids)) < len(ids)


def _poisoned(history: History, log: Partitions) -> bool:
    return any(each.click is None for partition in log.partitions for each in partition.entries)


def _crashed(history: History, log: Partitions) -> bool:
    return any(call.outcome == "crashed" and asks_of(history, call) for call in history.calls.values())


each_once = shown_by(_told_twice, "the log told nothing twice", "an event that is told again")
past_poison = shown_by(_poisoned, "there was no poison", "an event that cannot be read")
after_a_crash = shown_by(_crashed, "no batch was in hand at a crash", "a crash while a batch is counted")


def after_a_stop(plan: Plan, history: History, log: Partitions) -> Outcome:
    stopped = [each for each in history.calls.values() if each.cancelled_at is not None]
    for call in stopped:
        if call.outcome != "cancelled":
            got = f"raised {told(call.error)}" if call.outcome == "raised" else f"returned {show(call.value)}"
            return Broken(
                "not cancelled",
                f"{called(plan, log, call)}, cancelled at {call.cancelled_at:.4f} s, ends with CancelledError",
                f"it {got}",
            )
    outcome = counted(plan, history, log)
    if isinstance(outcome, Kept) and not stopped:
        return NotShown("no batch was in hand when the consumer was stopped", "a cancelled call")
    return outcome


def through_failures(plan: Plan, history: History, log: Partitions) -> Outcome:
    """A call that the store gave an error raises that one, unless it got its batch counted all the same."""
    met = False
    for call in history.calls.values():
        errors = errors_of(history, call)
        if not errors:
            continue
        met = True
        wanted = f"{called(plan, log, call)} raises what the store raised: {' or '.join(sorted(set(errors)))}"
        if call.outcome == "raised" and not any(call.raised(f"{ERRORS}.{each}") for each in errors):
            return Broken("another error", wanted, f"it raised {told(call.error)}")
        if call.outcome == "returned" and call.args[1] not in _offsets(log, call):
            return Broken(
                "swallowed",
                wanted,
                f"it returned {show(call.value)}, and has not committed its offset",
            )
    outcome = counted(plan, history, log)
    if isinstance(outcome, Kept) and not met:
        return NotShown("no question to the store met a failure", "a batch while the store fails")
    return outcome


# --- the offset


def _offsets(log: Partitions, call: Call) -> list[str]:
    """Those that were committed while the call was in hand."""
    ended = call.ended if call.ended is not None else float("inf")
    return [
        each.offset
        for each in log.commits
        if each.partition == call.server and call.began <= each.t <= ended and each.offset is not None
    ]


def with_its_offset(plan: Plan, history: History, log: Partitions) -> Outcome:
    """Each batch leaves its own offset behind, and no offset comes before what is below it."""
    wrong = failed(plan, history, log)
    if wrong is not None:
        return wrong
    returned = [
        each for each in history.calls.values() if each.outcome == "returned" and each.name in log.batches
    ]
    for call in returned:
        offsets = _offsets(log, call)
        if offsets[-1:] != [call.args[1]]:
            last = (
                f"the last offset that it committed is {offsets[-1]!r}"
                if offsets
                else "it committed no offset"
            )
            return Broken(
                "no offset",
                f"{called(plan, log, call)} has committed the offset {call.args[1]!r} when it returns",
                last,
            )
    wrong = _ahead(plan, log)
    if wrong is not None:
        return wrong
    return Kept() if returned else NotShown("no batch was counted", "batches, and their offsets")


def _ahead(plan: Plan, log: Partitions) -> Broken | None:
    counts: Counter[Bucket] = Counter()
    for commit in log.commits:
        for bucket, by in commit.growth:
            counts[bucket] += by
        partition = log.partitions[commit.partition]
        position = partition.position(commit.offset) if commit.offset is not None else None
        if position is None:
            continue
        below = [(e.click, e.told) for e in partition.entries[:position] if e.click is not None]
        expected = expected_sums(below)
        lacking = [
            c for c, _ in below if (of := (c["code"], "total", 0, "", "")) and counts[of] < expected[of]
        ]
        if lacking:
            return Broken(
                "ahead",
                "an offset is committed together with the last of what is below it, or after it",
                f"at {commit.t:.4f} s {plan.called(commit.partition)} was at the offset {commit.offset!r}, and "
                f"{describe(lacking[0])}, which is below it, had not been counted: a crash now would lose it",
            )
    return None


# --- what is returned, what it costs, what is kept


def how_many_were_new(plan: Plan, history: History, log: Partitions) -> Outcome:
    wrong = failed(plan, history, log)
    if wrong is not None:
        return wrong
    returned = [
        each for each in history.calls.values() if each.outcome == "returned" and each.name in log.batches
    ]
    for call in returned:
        new = log.batches[call.name].new
        if type(call.value) is not int or call.value != new:
            return Broken(
                "another number" if type(call.value) is int else "no number",
                f"{called(plan, log, call)} returns {new}: so many clicks of it had not been counted before",
                f"it returned {show(call.value)}",
                cause="" if type(call.value) is int else "count does not return an int",
            )
    return Kept() if returned else NotShown("no batch was counted", "batches, and what is returned for them")


def cheap(plan: Plan, history: History, log: Partitions) -> Outcome:
    wrong = failed(plan, history, log)
    if wrong is not None:
        return wrong
    batches = [
        each for each in history.calls.values() if each.outcome == "returned" and each.name in log.batches
    ]
    for call in batches:
        asked = Counter(each.method for each in asks_of(history, call))
        if asked.total() > TRIPS:
            return Broken(
                "expensive",
                f"{call.name}, of {len(call.args[0])} clicks on {plan.called(call.server)}, costs at most {TRIPS} "
                "questions to the store",
                "it asked " + " and ".join(f"{method} {count} times" for method, count in asked.items()),
            )
    if miscounted(log, fully=False) is not None:
        return NotShown("what was counted is not what was clicked", "many clicks, counted right")
    return Kept() if batches else NotShown("no batch was counted", "a batch of many clicks")


def memory_stays(plan: Plan, history: History, log: Partitions) -> Outcome:
    wrong = failed(plan, history, log)
    if wrong is not None:
        return wrong
    weights, times = history.weights, history.op_times
    clicks = len(
        [t for c in history.calls.values() if (t := c.began) > times.get("before", 0) for _ in c.args[0]]
    )
    if not {"before", "after"} <= weights.keys() or clicks < 100:
        return NotShown("the memory was not weighed", "the memory before and after some hundred clicks")
    growth = (weights["after"] - weights["before"]) / clicks
    if growth > BLOCKS_A_CLICK:
        return Broken(
            "grows",
            f"the memory is the same after {clicks} clicks more, and no batch is in hand",
            grown(growth, "click"),
        )
    if miscounted(log, fully=False) is not None:
        return NotShown("what was counted is not what was clicked", "many clicks, counted right")
    return Kept()
