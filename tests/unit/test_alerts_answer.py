"""Alert rules as an answer: what is read, when it fires, what it earns; and that nothing is gained by other means."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from workbench import recorded, requirements

from grading.answers import exercise, judge_answer, own_part
from grading.answers.alerts.exercise import Alerts
from grading.answers.alerts.firing import held, highest, told
from grading.answers.alerts.rules import MAX_RULES, BadRules, rules
from grading.answers.alerts.runs import Run, Truth, packed, runs, unpacked
from grading.answers.promql.evaluate import Samples
from grading.answers.promql.values import Column, labels_of
from grading.judge.report import Verdict
from grading.matrix import Entry, entries, folder

ROOT = Path(__file__).parents[2]
ID = "url-shortener/alerts"
BASE = (folder(ID) / "base.yml").read_text("utf-8")
KINDS = {"errors", "slow", "clicks", "burn", "server", "busy", "flush", "deploy", "night"}


def lost(verdict: Verdict) -> set[str]:
    return {each.id for each in verdict.requirements if each.verdict != "pass"}


def file(*found: str) -> str:
    """A rule file of rules, each given as the text of a YAML mapping."""
    return "groups:\n- name: g\n  rules:\n" + "".join(f"  - {each}\n" for each in found)


def rule(expr: str, severity: str = "page", symptom: str = "errors", more: str = "") -> str:
    return (
        f"{{alert: A, expr: {json.dumps(expr)}, labels: {{severity: {severity}, symptom: {symptom}}}, "
        f"annotations: {{summary: s}}{more}}}"
    )


# --- right ones and wrong ones

BROAD = {"true_or_false", "misses_the_cache", "counter_as_it_is"}
"""What fires nearly always breaks nearly everything."""


@pytest.mark.parametrize("marks", [False, True])
def test_the_solution_has_all_points(marks: bool) -> None:
    verdict = judge_answer(ID, BASE, marks=marks)
    assert verdict.passed, verdict.text()
    assert (verdict.max_points, verdict.isolation, verdict.notes) == (20, "data", ())


@pytest.mark.parametrize("marks", [False, True])
@pytest.mark.parametrize("entry", entries(ID, "odd"), ids=lambda entry: entry.name)
def test_odd_rules_that_are_right_have_all_points(entry: Entry, marks: bool) -> None:
    verdict = judge_answer(ID, entry.source, marks=marks)
    assert verdict.passed, verdict.text()


@pytest.mark.parametrize("entry", entries(ID, "wrong"), ids=lambda entry: entry.name)
def test_wrong_rules_lose_what_they_break_and_little_else(entry: Entry) -> None:
    verdict = judge_answer(ID, entry.source, marks=True)
    assert verdict.crashed is None, verdict.crashed
    (found,) = [each for each in verdict.requirements if each.id == entry.rejected_by]
    assert found.verdict == "fail", verdict.text()
    finding = found.finding
    assert finding is not None
    assert all([finding.did, finding.expected, finding.got, finding.why, finding.read_next])
    assert found.hints
    if finding.did.startswith("Your rules were evaluated"):
        assert "." in finding.did
        assert finding.counterexample is not None or "No rule has" in finding.got
    assert len(lost(verdict)) <= (9 if entry.name in BROAD else 4), verdict.text()


def test_there_are_enough_of_them() -> None:
    wrong = entries(ID, "wrong")
    assert len(wrong) >= 20
    assert {each.rejected_by for each in wrong} == {part for _, part, _ in exercise(ID).parts}
    assert len(entries(ID, "odd")) >= 3


def test_some_are_right_on_the_runs_that_are_shown_and_lose_on_the_others() -> None:
    fit = {each.name for each in entries(ID, "wrong") if judge_answer(ID, each.source).passed}
    assert {"is_the_consumer_there", "that_server", "one_server_of_three"} <= fit


def test_the_cell_of_the_notebook_has_the_solution_and_begins_naive() -> None:
    cells = json.loads((ROOT / "grading/source/url-shortener/05-scaling.ipynb").read_text("utf-8"))["cells"]
    (text,) = ["".join(cell["source"]) for cell in cells if cell["id"] == "alerts"]
    first, _, rest = text.partition("\n")
    assert first == f"%%answer {ID}"
    assert own_part(f"\n{rest}").strip() == BASE.strip()
    begun = judge_answer(ID, "\n" + rest.partition("### BEGIN")[0])
    assert begun.crashed is None
    assert 0 < begun.points <= 8
    assert {"busy", "night", "slow", "clicks"} <= lost(begun)


# --- reports


def test_a_missed_fault_is_told_with_the_run_and_the_values_over_time() -> None:
    (entry,) = [each for each in entries(ID, "wrong") if each.name == "asks_the_dead"]
    text = judge_answer(ID, entry.source).text()
    flat = " ".join(text.split())
    assert "clicks-1, 125 s: The consumer is killed. From second 30 to second 85." in flat
    assert (
        "An alert with severity: ticket and symptom: clicks begins after second 30 and fires by second 75."
        in flat
    )
    assert "ClicksWait (line 30) never fires" in flat
    assert "what it compares, by second: 0: " in flat


def test_a_false_alarm_is_told_with_the_second() -> None:
    (entry,) = [each for each in entries(ID, "wrong") if each.name == "at_once"]
    (found,) = [each for each in judge_answer(ID, entry.source).requirements if each.id == "deployment"]
    assert found.finding is not None
    assert found.finding.got.startswith("ServerDown (line ")
    assert "fires at second" in found.finding.got
    assert found.finding.counterexample is not None
    assert "fires in the seconds" in found.finding.counterexample.operations[0]


def test_no_rule_for_a_symptom_is_told_so() -> None:
    found = judge_answer(ID, file(rule("sum(up) < 0")))
    (slow,) = [each for each in found.requirements if each.id == "slow"]
    assert slow.finding is not None
    assert slow.finding.got == "No rule has severity: page and symptom: slow."


def test_what_is_understood_is_read_back() -> None:
    told = exercise(ID).read_back(file(rule("up == 0", "ticket", "server", ", for: 10s")))
    assert told == [("A", "ticket, server: up == 0, if it is so for 10 s")]
    assert exercise(ID).read_back("groups: []") == [("nothing", "no rule yet")]
    assert exercise(ID).read_back("{")[0][0] == "not readable"


def test_a_rule_that_cannot_be_evaluated_is_named() -> None:
    verdict = judge_answer(ID, file(rule("http_requests_total / on (instance) up > 0")))
    assert "cannot be evaluated in the run" in verdict.notes[0]
    assert verdict.points == 0


def test_the_table_of_the_notebook() -> None:
    assert requirements(ID).points == 20
    assert "slow-burn" in str(requirements(ID))
    found = recorded("deploy-1", "up == 0")
    assert 'up{instance="consumer", job="shortener"}' in str(found)
    assert "<table>" in found._repr_mimebundle_()["text/html"]
    assert "No series" in str(recorded("deploy-1", "nobody"))
    with pytest.raises(ValueError, match="column 5"):
        recorded("deploy-1", "up >")
    with pytest.raises(ValueError, match="there are: burn-1"):
        recorded("errors-2")


# --- reading

BAD: list[tuple[str, str]] = [
    ("", "there is nothing in it"),
    ("groups", "should have names and values"),
    ("groups: 5", "groups should be a list"),
    ("rules: []", "the file has no 'rules'"),
    ("groups: [{rules: []}]", "a group has a name"),
    ("groups: [{name: a, rules: []}, {name: a, rules: []}]", "two groups 'a'"),
    ("groups: [{name: a, rules: 1}]", "the rules of group 'a' should be a list"),
    (file("{expr: up}"), "line 4, column 5: a rule has alert"),
    (file("{alert: A}"), "a rule has expr"),
    (file("{alert: A, expr: up, fur: 5s}"), "a rule has no 'fur'; there are alert, annotations"),
    (file("{alert: A, alert: B, expr: up}"), "alert is there twice"),
    (file("{record: a, expr: up}"), "record is real Prometheus, which this exercise does not take"),
    (file("{alert: A, expr: up, keep_firing_for: 5s}"), "keep_firing_for is real Prometheus"),
    (file("{alert: A, expr: {up: 1}}"), "the expr of A should be a text"),
    (file("{alert: A, expr: up >}"), "the expr of A, column 5: expected a metric"),
    (file("{alert: A, expr: up, for: soon}"), "for is a time such as 10s"),
    (file("{alert: A, expr: up, for: 1h}"), "up to 10m"),
    (file("{alert: A, expr: up, labels: [a]}"), "labels should have names and values"),
    (file("{alert: A, expr: up, labels: {a-b: c}}"), "'a-b' cannot be the name of a label"),
    (file('{alert: A, expr: up, labels: {a: "{{ $value }}"}}'), "a is a template"),
    (file("{alert: A, expr: up, labels: {a: [b]}}"), "labels should be a text"),
    (file('{alert: " ", expr: up}'), "an alert has a name"),
    (file(*["{alert: A, expr: up}"] * (MAX_RULES + 1)), f"{MAX_RULES + 1} rules are too many"),
    ("groups:\n - name: a\n  rules: []", "is no YAML"),
    ("groups: &a [*a]", "aliases (*a) are not taken"),
    ("--- 1\n--- 2", "is no YAML"),
    ("groups: \x00", "is no YAML"),
    ("groups: !!python/object/apply:os.system [ls]", "no YAML|rule|nothing|mapping|names and values|group"),
    ("x" * 20_001, "20,000 must do"),
]


@pytest.mark.parametrize(("text", "says"), BAD, ids=range(len(BAD)))
def test_what_prometheus_would_refuse_is_refused_whole_and_told(text: str, says: str) -> None:
    with pytest.raises(BadRules) as caught:
        rules(text)
    assert any(each in str(caught.value) for each in says.split("|")), caught.value
    verdict = judge_answer(ID, text)
    assert verdict.points == 0
    assert verdict.crashed is not None
    assert str(caught.value) in verdict.crashed


def test_lines_are_those_of_the_cell() -> None:
    assert [each.line for each in rules("\n" + BASE)] == [5, 13, 23, 31, 39]
    assert rules("\r\n".join(file("{alert: A, expr: up}").split("\n")))[0].name == "A"


# --- firing


def test_for_counts_from_the_first_second_and_begins_anew_after_a_gap() -> None:
    column: Column = [1, 1, 1, None, 0, 0, 0]
    assert held(column, 0) == [True, True, True, False, True, True, True]
    assert held(column, 2) == [False, False, True, False, False, False, True]


def test_each_set_of_labels_waits_for_itself() -> None:
    series = {
        labels_of({"__name__": "up", "instance": "a"}): [0.0, 0.0, 1.0, 1.0],
        labels_of({"__name__": "up", "instance": "b"}): [1.0, 1.0, 0.0, 0.0],
    }
    (found,) = rules(file("{alert: A, expr: up == 0, for: 2s}"))
    assert not any(told(found, Samples(series, 4)).firing)
    (found,) = rules(file("{alert: A, expr: min(up) == 0, for: 2s}"))
    assert told(found, Samples(series, 4)).spans() == [(2, 3)]


def test_two_alerts_that_would_be_the_same_are_an_error() -> None:
    series = {labels_of({"__name__": "up", "instance": each}): [1.0] for each in "ab"}
    (found,) = rules(file("{alert: A, expr: up, labels: {instance: x}}"))
    assert "several elements" in told(found, Samples(series, 1)).error


# --- the recordings


def test_each_kind_is_shown_once_and_kept_back_once() -> None:
    for shown in (True, False):
        assert Counter(each.truth.kind for each in runs() if each.truth.shown == shown) == Counter(KINDS)
    asked = exercise(ID)
    assert isinstance(asked, Alerts)
    assert {kind for each in asked.asked for kind in each.kinds} == KINDS


@pytest.mark.parametrize("run", runs(), ids=lambda run: run.truth.name)
def test_a_recording_is_whole_and_small(run: Run) -> None:
    truth = run.truth
    path = ROOT / f"grading/answers/alerts/runs/{truth.name}.json.gz"
    assert path.stat().st_size < 40_000
    assert packed(truth, run.series) == path.read_bytes()
    names = {dict(labels)["__name__"] for labels in run.series}
    assert {"up", "http_requests_total", "clicks_counted_total", "click_events_total"} <= names
    assert {dict(labels)["job"] for labels in run.series} == {"shortener"}
    assert {len(column) for column in run.series.values()} == {truth.seconds}
    if truth.fault is not None:
        begin, end = truth.fault
        assert 20 <= begin < end <= truth.seconds - 30


def share(run: Run, over: str, of: str, begin: float, end: float) -> float:
    """Of what two counters grew between two seconds."""
    grown = []
    for expr in (over, of):
        (found,) = rules(file("{alert: A, expr: " + json.dumps(f"sum(increase({expr}[1s]))") + "}"))
        values = highest(found.expression, Samples(run.series, run.truth.seconds))
        grown.append(sum(value or 0.0 for value in values[int(begin) : int(end)]))
    return grown[0] / grown[1]


FAILED, ALL = 'http_requests_total{route="/{code}",status=~"5.."}', 'http_requests_total{route="/{code}"}'
FAST = 'http_request_seconds_bucket{route="/{code}",le="0.1"}'


@pytest.mark.parametrize("run", runs(), ids=lambda run: run.truth.name)
def test_what_users_felt_is_what_the_run_is_said_to_be(run: Run) -> None:
    """So the truth of a run is not only what somebody planted, but what came of it."""
    truth = run.truth
    begin, end = truth.fault or (0, truth.seconds)
    failed, slow = share(run, FAILED, ALL, begin + 3, end), 1 - share(run, FAST, ALL, begin + 3, end)
    if truth.kind == "errors":
        assert failed > 0.15
    elif truth.kind == "burn":
        assert 0.025 < failed < 0.08
    else:
        assert failed < (0.03 if truth.kind == "night" else 0.006)
    assert slow > 0.3 if truth.kind == "slow" else slow < 0.03
    if truth.kind == "clicks":
        counted = share(run, "clicks_counted_total", 'click_events_total{outcome="accepted"}', begin + 3, end)
        assert counted < 0.05


COLUMNS = st.lists(st.one_of(st.none(), st.integers(0, 10**9), st.floats(0, 1e6)), min_size=5, max_size=5)


@given(st.dictionaries(st.text("abc", min_size=1, max_size=3), COLUMNS, max_size=4))
def test_a_recording_is_read_as_it_was_written(columns: dict[str, list[float | None]]) -> None:
    truth = Truth("x", "errors", "story", 5, (1, 2), True)
    series = {labels_of({"__name__": name}): column for name, column in columns.items()}
    found = unpacked(packed(truth, series))
    assert found.truth == truth
    assert found.series.keys() == series.keys()
    for key, column in series.items():
        for was, now in zip(column, found.series[key], strict=True):
            assert (was is None) == (now is None)
            assert was is None or now == pytest.approx(was, abs=2e-6)


# --- nothing else earns anything

NOTHING = {
    "no rules": "groups: []",
    "no groups": "groups: [{name: a, rules: []}]",
    "one that never fires": file(rule("up > 5")),
    "one for everything, always": file(
        *(
            rule("vector(1)", severity, symptom)
            for severity in ("page", "ticket")
            for symptom in ("errors", "slow")
        )
    ),
    "every alert at every second": file(
        *(
            rule("up >= 0", severity, symptom)
            for severity in ("page", "ticket")
            for symptom in ("errors", "slow", "clicks", "server")
        )
    ),
    "silent, with good labels": file(rule("up > 5"), rule("up > 5", "ticket", "server")),
    "no labels": file("{alert: A, expr: up == 0}"),
}


@pytest.mark.parametrize("text", NOTHING.values(), ids=list(NOTHING))
@pytest.mark.parametrize("marks", [False, True])
def test_nothing_said_and_everything_said_earn_nothing(text: str, marks: bool) -> None:
    verdict = judge_answer(ID, text, marks=marks)
    assert verdict.points == 0, verdict.text()
    assert verdict.text()


ALL_SERIES = '{__name__=~".+"}'
WIDE = [
    'sum(rate({__name__=~"http.*|store.*"}[10m]))',
    'sum(changes({__name__=~"http_request_.*"}[50s]))',
    f"sum(max_over_time({ALL_SERIES}[10m]))",
    f"sum(rate({ALL_SERIES}[10m]))",
    " + ".join([f"count({ALL_SERIES})"] * 20),
    f"{ALL_SERIES} and {ALL_SERIES} and {ALL_SERIES}",
    'sum({__name__=~"(((((.*)*)*)*)*)*x"})',
    'sum({__name__=~"' + "a?" * 90 + 'x"})',
    "quantile_over_time(0.5, up[5s])",
]


@pytest.mark.slow
def test_the_most_expensive_rules_are_stopped() -> None:
    began = time.process_time()
    for wide in WIDE:
        verdict = judge_answer(ID, file(*[rule(wide)] * MAX_RULES), marks=True)
        assert verdict.points == 0
    assert (time.process_time() - began) / len(WIDE) < 10


DEEP = {
    "YAML in YAML": "[" * 19_000,
    "mappings": "{a: " * 4_000,
    "a list in a list": "- " * 9_000,
    "a bomb": "a: &a [x,x]\n"
    + "".join(f"{b}: &{b} [*{a},*{a}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)),
    "merged": "x: &x {a: 1}\ny: {<<: *x}",
    "long": "groups: " * 100_000,
    "one line": "groups: " + "x" * 19_000,
    "tabs": "groups:\n\t- name: a",
    "tags": "!!set {a, b}",
    "numbers": "groups: [{name: 1e999, rules: [{alert: 5, expr: 1, for: 99999999999999999999y}]}]",
}


@pytest.mark.parametrize("text", DEEP.values(), ids=list(DEEP))
def test_hostile_texts_end_soon_and_earn_nothing(text: str) -> None:
    began = time.process_time()
    verdict = judge_answer(ID, text, marks=True)
    assert verdict.points == 0
    assert verdict.crashed
    assert verdict.text()
    assert exercise(ID).read_back(text)
    assert time.process_time() - began < 5


@given(st.text(max_size=200))
def test_any_expression_is_judged(text: str) -> None:
    verdict = judge_answer(ID, file(rule(text)))
    assert 0 <= verdict.points <= 6
    assert verdict.text()


def test_the_command_takes_bytes_that_are_no_text_and_secret_seeds_mean_marks() -> None:
    (entry,) = [each for each in entries(ID, "wrong") if each.name == "that_server"]

    def points(text: bytes, *more: str) -> float:
        command = [sys.executable, "-m", "grading.judge", ID, "-", "--json", *more]
        done = subprocess.run(command, input=text, capture_output=True, cwd=ROOT, check=False)
        assert done.returncode in (0, 1), done.stderr
        return Verdict.from_json(done.stdout.decode()).points

    assert points(b"\xff\xfe\x00groups: \xff") == 0
    assert points(entry.source.encode()) == points(entry.source.encode(), "--seeds", "1,2,3,77") == 20
    assert points(entry.source.encode(), "--seeds", "123456-123458") == 19
