"""Oracle, shrinking, conditions, protocol and report, each alone."""

import dataclasses
import importlib.util
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from grading import checks
from grading.checks.url_shortener.redirect_cache.store import LinkStore
from grading.judge import judge, narrate, protocol, sandbox
from grading.judge.__main__ import parse_seeds
from grading.judge.conditions import Conditions
from grading.judge.history import Call, History
from grading.judge.plan import Fault, Op, Plan
from grading.judge.report import Counterexample, Finding, Moment, RequirementVerdict, Verdict
from grading.judge.shrink import shrink
from grading.judge.wording import show

UNKNOWN = {"state": "unknown", "long_url": None}
EXPIRED = {"state": "expired", "long_url": None}
LIVE = {"state": "live", "long_url": "u"}


def store_with(*versions: tuple[float, float | None]) -> LinkStore:
    store = LinkStore()
    for t, expires in versions:
        if expires is None:
            store.delete(t, "c")
        else:
            store.put(t, {"code": "c", "long_url": "u", "expires_at": 1000 + expires})
    return store


def test_oracle_around_an_expiry() -> None:
    store = store_with((0, 10))
    assert store.answers("c", 0, 5, 6, 1000) == [LIVE]
    assert store.answers("c", 0, 9.5, 10.5, 1000) == [LIVE, EXPIRED]
    assert store.answers("c", 0, 10.01, 11, 1000) == [EXPIRED]
    assert store.answers("other", 0, 1, 2, 1000) == [UNKNOWN]


def test_oracle_around_a_deletion() -> None:
    store = store_with((0, 99), (5, None))
    assert store.answers("c", 0, 6, 7, 1000) == [
        LIVE,
        UNKNOWN,
    ]  # not acknowledged yet: the old answer may still do
    assert store.answers("c", 5, 8, 9, 1000) == [UNKNOWN]
    assert store.row("c", 4.9) is not None
    assert store.row("c", 5) is None
    assert store.changes("c") == [5]


def plan(*names: str, **settings: Any) -> Plan:
    return Plan(1, tuple(Op(name, "call", method="resolve", args=(name,)) for name in names), **settings)


def test_shrink_finds_the_two_that_matter() -> None:
    def fails(candidate: Plan) -> bool:
        return {"c", "g"} <= {op.name for op in candidate.ops}

    small = shrink(plan(*"abcdefgh", faults=(Fault("store", "slow", 0, 1),)), fails, runs=60)
    assert [op.name for op in small.ops] == ["c", "g"]
    assert small.faults == ()


@pytest.mark.parametrize(
    ("asked", "wrong", "smallest"),
    [
        ([87_654_321_987], lambda number: number >= 2**20, [2**20]),
        ([-87_654_321_987], lambda number: number < 0, [-1]),
        (["aB-3x K"], lambda text: " " in text, [" "]),
        ([5, 900], lambda number, length: length > number, [1, 2]),
    ],
)
def test_shrink_finds_simpler_values(
    asked: list[Any], wrong: Callable[..., bool], smallest: list[Any]
) -> None:
    ops = (Op("a", "each", method="encode", args=([7, 7, 7], asked)),)

    def fails(candidate: Plan) -> bool:
        return any(len(each) == len(asked) and wrong(*each) for op in candidate.ops for each in op.args)

    def shrunk(facts: dict[str, Any]) -> Any:
        return shrink(Plan(1, ops, facts=facts), fails).ops[0].args

    assert shrunk({"simpler": True}) == (smallest,)
    assert shrunk({}) == (asked,)  # of codes, say, which have their length


def test_shrink_asks_no_more_than_it_may() -> None:
    asked: list[Plan] = []
    shrink(plan(*"abcdefgh"), lambda candidate: bool(asked.append(candidate)), runs=7)
    assert len(asked) == 7


@pytest.mark.parametrize(
    ("number", "told"),
    [
        (2**53 + 1, "2 ** 53 + 1"),
        (2**64 - 1, "2 ** 64 - 1"),
        (62**61, "62 ** 61"),
        (-(2**70), str(-(2**70))),
        (916132832, "916132832"),
        (3**200, f"{str(3**200)[:12]}…{str(3**200)[-6:]} (of 317 bits)"),
        (0, "0"),
    ],
)
def test_a_long_number_is_told_in_short(number: int, told: str) -> None:
    assert show(number) == told


def test_what_depends_on_an_operation_goes_with_it() -> None:
    ops = (
        Op("a", "delete", args=("x",)),
        Op("b", "call", after="a"),
        Op("c", "cancel", target="b"),
        Op("d", "call"),
    )
    assert [op.name for op in Plan(1, ops).without({"a"}).ops] == ["d"]


def test_a_fault_may_let_some_pass() -> None:
    conditions = Conditions(Plan(1, (), (Fault("cache", "refuse", 1, 2, skip=1, servers=(0,)),)), History())
    assert conditions.fault("cache", 0, 0.5) is None
    assert conditions.fault("cache", 0, 1.0) is None
    assert conditions.fault("cache", 1, 1.1) is None
    assert conditions.fault("store", 0, 1.1) is None
    assert conditions.fault("cache", 0, 1.1) is not None
    assert conditions.fault("cache", 0, 2.0) is None


@pytest.mark.parametrize(
    "line",
    [
        '{"idle": null}',
        '{"idle": true, "events": []}',
        '{"idle": 1e99, "events": []}',
        '{"idle": null, "events": [[]]}',
        '{"idle": null, "events": ["return"]}',
        '{"idle": null, "events": [["run", 1]]}',
        '{"idle": null, "events": [["return", true, 1, null]]}',
        '{"idle": null, "events": [["cancelled"]]}',
        '{"idle": null, "events": [["write", 0, 1, null, null]]}',
        '{"idle": null, "events": [["blocked", 1e400, 1]]}',
    ],
)
def test_other_lines_are_refused(line: str) -> None:
    with pytest.raises(protocol.HostLost):
        protocol.step(json.loads(line))


def test_events_are_made_harmless() -> None:
    step = protocol.step(
        {"idle": 3, "events": [["raise", 1, {"type": "\ud800", "bases": 3, "line": -1}, "x"]]}
    )
    assert step.events == [["raise", 1, {"type": "?", "bases": [], "message": "", "line": None}, None]]
    with pytest.raises(ValueError, match="NaN"):
        protocol.DECODER.decode('{"idle": NaN}')


def verdict(text: str) -> Verdict:
    finding = Finding(
        text, text, text, text, text, Counterexample(7, (text,), (text,)), (Moment(0.5, "app-1", text, 3),)
    )
    lost = RequirementVerdict("answers", text, 0, 1, "fail", finding)
    return Verdict("s/c", 0, 1, "none", (1, 2), (lost,), text, text, (text,))


def test_report_escapes_and_steers_no_terminal() -> None:
    nasty = verdict("<script>alert(1)</script>\x1b[31m & \u202e")
    html, text = nasty.html(), nasty.text()
    assert "<script" not in html
    assert "&lt;script&gt;" in html
    assert not re.search(r"[\x00-\x09\x0b-\x1f\u202e]", html + text)
    assert Verdict.from_json(nasty.to_json()) == nasty
    assert nasty._repr_mimebundle_() == {"text/plain": text, "text/html": html}


def test_report_says_when_there_is_no_isolation() -> None:
    assert "with your rights" in verdict("x").text()


def test_report_breaks_no_word() -> None:
    text = " ".join(f"{number}wordswords" for number in range(40))
    moment = Moment(1.0, "app-1", text + " end", 18)
    finding = Finding(text, text, text, text, text, None, (moment,))
    shown = Verdict("s/c", 0, 1, "none", (1,), (RequirementVerdict("a", "t", 0, 1, "fail", finding),)).text()
    assert "(your line 18)" in shown
    assert all(len(line) <= 80 for line in shown.splitlines())
    assert all(f"{number}wordswords" in shown for number in range(40))


def test_report_of_what_was_not_shown_says_what_would() -> None:
    finding = Finding("was done", "would have", "because", "why", "next")
    shown = Verdict("s/c", 0, 1, "none", (1,), (RequirementVerdict("a", "t", 0, 1, "unknown", finding),))
    assert "would show it:  would have" in shown.text()
    assert "not shown:      because" in shown.text()
    assert shown.html().count('<th scope="col" style="text-align:left">') == 4


def test_suite_is_whole() -> None:
    suite = checks.suite("url-shortener/redirect-cache")
    assert sum(each.points for each in suite.requirements) == 20
    assert all(each.why and each.read_next and each.promise for each in suite.requirements)
    with pytest.raises(ValueError, match="no slot"):
        checks.suite("chat/none")


def test_seeds() -> None:
    assert parse_seeds("1-3,7") == [1, 2, 3, 7]
    with pytest.raises(ValueError, match="invalid literal"):
        parse_seeds("x")


def test_a_host_finds_its_modules_compiled() -> None:
    """It may not write them itself, so each would compile them anew."""
    kept = Path(importlib.util.cache_from_source(str(sandbox.ROOT / "grading/host/run.py")))
    kept.unlink(missing_ok=True)
    sandbox._compile.cache_clear()
    sandbox.start("none")
    assert kept.is_file()


def test_a_host_that_cannot_start_is_no_verdict(
    slot: str, reference: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A learner is not marked down because the judge's own process misses a package."""
    plainly = sandbox.start("none")
    monkeypatch.setattr(sandbox, "start", lambda *_: dataclasses.replace(plainly, env={}, cwd="/"))
    with pytest.raises(RuntimeError, match=r"could not start:\n.*No module named"):
        judge(slot, reference)


def long_history() -> History:
    """A hundred callers, each of whom a server serves in three steps; they take turns."""
    calls = {f"caller {n}": Call(f"caller {n}", 0, "resolve", (), 0.0) for n in range(100)}
    told = [
        ("client", "{}: resolve('x') on app-1"),
        ("app-1", "asks the store for {}"),
        ("client", "{} gets None"),
    ]
    moments = [
        Moment(float(step), who, what.format(n), None) for step, (who, what) in enumerate(told) for n in calls
    ]
    return History(calls=calls, moments=moments)


@pytest.mark.parametrize(
    "about", ["caller 57 gets an answer", "no number is made twice: caller 3 (on app-1), caller 96"]
)
def test_a_long_timeline_shows_the_calls_that_are_meant(about: str) -> None:
    shown = narrate.timeline(long_history(), about=about)
    assert len(shown) <= narrate.TIMELINE
    for name in re.findall(r"caller \d+", about):
        assert any(each.what.startswith(f"{name}: ") for each in shown), name
        assert any(each.what == f"{name} gets None" for each in shown), name
    left_out = sum(int(each.what.split()[0]) for each in shown if each.who == "…")
    assert left_out + sum(each.who != "…" for each in shown) == 300
    assert [each.t for each in shown] == sorted(each.t for each in shown)


def test_a_long_timeline_of_nobody_shows_its_beginning_and_its_end() -> None:
    shown = narrate.timeline(long_history(), about="the cache held caller-1 and no caller 5000")
    assert shown[0].what.startswith("caller 0: ")
    assert shown[-1].what == "caller 99 gets None"
    assert [each.who for each in shown].count("…") == 1
