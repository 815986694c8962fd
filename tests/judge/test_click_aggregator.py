"""What is asked of the slot `url-shortener/click-aggregator` alone: its oracle, its driver, and what they show."""

import math

import pytest

from grading.checks import suite
from grading.checks.url_shortener.click_aggregator import workloads
from grading.checks.url_shortener.click_aggregator.buckets import buckets_of, expected_counts, expected_sums
from grading.checks.url_shortener.click_aggregator.partitions import Partitions
from grading.host.values import Mismatch, Values
from grading.judge import judge
from grading.judge.history import Ask, Call
from grading.judge.model import Refused
from grading.judge.plan import Op, Plan
from grading.judge.report import Finding
from grading.matrix import entries, filling

SLOT = "url-shortener/click-aggregator"
NOW = 1_750_000_000.0


def click(event_id: str = "e1", time: float | str = NOW, **fields: str) -> dict[str, object]:
    return {"event_id": event_id, "code": "abc", "time": time, "referrer": "", "agent": "curl", **fields}


def finding(name: str, requirement: str) -> Finding:
    entry = next(each for each in entries(SLOT, "wrong") if each.name == name)
    (verdict,) = judge(SLOT, entry.source, [1], only=[requirement]).requirements
    assert verdict.finding is not None
    return verdict.finding


def test_plain_loses_only_what_needs_batches() -> None:
    verdict = judge(SLOT, filling(SLOT, "plain"), [1])
    assert {each.id for each in verdict.requirements if each.verdict != "pass"} == {"cost"}


def test_eight_buckets() -> None:
    assert buckets_of(click(time=59.999), NOW) == [
        ("abc", "total", 0, "", ""),
        ("abc", "total", 0, "referrer", ""),
        ("abc", "total", 0, "agent", "curl"),
        ("abc", "minute", 0, "", ""),
        ("abc", "hour", 0, "", ""),
        ("abc", "day", 0, "", ""),
        ("abc", "day", 0, "referrer", ""),
        ("abc", "day", 0, "agent", "curl"),
    ]


@pytest.mark.parametrize("time", ["nan", "inf", "-inf", -0.5, NOW + 86_401, 1e300])
def test_three_buckets_for_an_impossible_time(time: float | str) -> None:
    assert {bucket[1] for bucket in buckets_of(click(time=time), NOW)} == {"total"}


def test_sums_are_those_of_the_counts() -> None:
    clicks = [(click("e1"), NOW), (click("e1"), NOW), (click("e2", "nan"), NOW), (click("e3", 12.5), NOW)]
    counts, sums = expected_counts(clicks), expected_sums(clicks)
    assert sums["abc", "total", 0, "", ""] == counts["abc", "total", 0, "", ""] == 3
    minutes = [by for bucket, by in counts.items() if bucket[1] == "minute"]
    assert sums["abc", "minute", 0, "", ""] == sum(minutes) == 2


def test_a_time_that_is_no_number_crosses_the_pipe() -> None:
    values = Values(suite(SLOT).schema["types"])
    for text in ("nan", "inf", "-inf"):
        decoded = values.decode(click(time=text), "Click")
        assert not math.isfinite(decoded.time)
        assert values.encode(decoded, "Click")["time"] == text
    assert values.encode(3, "real") == 3.0
    with pytest.raises(Mismatch):
        values.encode(math.nan, "float")


class Driven:
    """The model, driven as a world does it."""

    def __init__(self) -> None:
        self.model = Partitions(Plan(1, (), servers=1))

    def happen(self, method: str, *args: object) -> list[Op]:
        self.model.happen(0.0, Op(method, "event", method=method, args=(0, *args)))
        return self.model.react(0.0, None)

    def end(self, op: Op, outcome: str) -> list[Op]:
        return self.model.react(0.0, Call(op.name, 0, "count", op.args, 0.0, 0.0, outcome))

    def read(self) -> Op:
        """The call that comes of reading the partition."""
        (call,) = self.happen("read")
        return call

    def commit(self, *ids: str, offset: str | None) -> None:
        counted = {"clicks": [click(each) for each in ids], "growth": [], "offset": offset}
        self.model.answer(0.0, Ask(0, "commit", [counted], 0.0, None))


def test_the_driver_begins_anew_at_the_committed_offset() -> None:
    driven = Driven()
    assert [op.method for op in driven.happen("append", click("e1"))] == ["read"]
    assert driven.happen("append", None) == []  # it comes with the same batch
    first = driven.read()
    assert first.args == ([click("e1"), None], "2-0")
    driven.happen("append", click("e2"))
    driven.commit("e1", offset=None)
    drop, anew = driven.end(first, "raised")
    assert (drop.do, anew.method) == ("crash", "anew")
    driven.happen("anew")
    again = driven.read()
    assert again.args == ([click("e1"), None, click("e2")], "3-0")
    assert driven.model.batches[again.name].new == 1
    driven.commit("e2", offset="3-0")
    assert driven.end(again, "returned") == []
    driven.happen("append", "other")
    assert driven.read().args == ([], "4-0")


def test_the_driver_gives_up() -> None:
    driven = Driven()
    driven.happen("append", click("e1"))
    for _ in range(4):
        assert driven.end(driven.read(), "raised")
    assert driven.end(driven.read(), "raised") == []
    assert driven.model.stuck() == 0


def test_without_the_lease_nothing_is_committed() -> None:
    driven = Driven()
    driven.happen("append", click("e1"))
    driven.happen("lose")
    with pytest.raises(Refused, match="somebody else"):
        driven.commit("e1", offset="1-0")
    driven.happen("anew")
    driven.commit("e1", offset="1-0")
    assert driven.model.ids == {"e1"}


@pytest.mark.parametrize(
    ("method", "args"),
    [
        ("known", []),
        ("known", [None]),
        ("known", [[{}]]),
        ("commit", []),
        ("commit", [[{}]]),
        ("commit", [{}]),
        ("commit", [{"clicks": 1, "growth": [], "offset": None}]),
        ("commit", [{"clicks": [], "growth": [[1, 2]], "offset": None}]),
    ],
)
def test_the_store_takes_nothing_malformed(method: str, args: list[object]) -> None:
    driven = Driven()
    with pytest.raises(ValueError, match="stored"):
        driven.model.answer(0.0, Ask(0, method, args, 0.0, None))
    assert driven.model.told(method, args)
    assert not driven.model.commits


def test_no_time_is_near_the_edge_of_the_possible() -> None:
    """Or it would depend on when exactly the click is counted."""
    for seed in range(1, 50):
        for op in workloads.impossible_times(seed).ops:
            if op.method == "append":
                ahead = float(op.args[1]["time"]) - NOW - 86_400
                assert not -500 < ahead < 500


def test_the_events_that_matter_are_few() -> None:
    found = finding("twice_in_a_batch", "once")
    assert found.counterexample is not None
    told = [each for each in found.counterexample.operations if "the log of" in each]
    assert len(told) == 2  # one click, told twice
    assert "told it 2 times" in found.expected
    assert found.got == "the store has 2 for it"


def test_the_wrong_window_is_named() -> None:
    found = finding("rounds", "windows")
    assert "Bucket(" in found.expected
    assert "time 17" in found.expected
    assert "the store has 0 for it, and 1 for Bucket(" in found.got


def test_a_crash_between_two_commits_is_told() -> None:
    found = finding("ids_afterwards", "crash")
    told = [moment.what for moment in found.timeline]
    assert any("is killed" in each for each in told)
    assert any("begins anew" in each for each in told)
    assert any("commit(no clicks; 8 buckets grow; offset None)" in each for each in told)
    assert any(moment.line is not None for moment in found.timeline)
