"""The slots for testers: what their recordings hold, and that a verdict cannot be had without looking."""

import importlib
from collections import Counter

import pytest

from grading import checks
from grading.checks.seeds import PUBLIC_SEEDS
from grading.checks.testers.bank import Bank, dumps, loads
from grading.checks.testers.making import KEPT, SHOWN, Making
from grading.checks.testers.trying import Choice
from grading.host.values import Values
from grading.judge import judge
from grading.judge.plan import Plan
from grading.judge.requirement import Suite
from grading.matrix import filling

SLOTS = ("url-shortener/hash-codes-tester", "url-shortener/redirect-cache-tester")
REMADE = {
    "url-shortener/hash-codes-tester": [("reference", 2), ("wrong/moves_on_after_a_time_out", 2)],
    "url-shortener/redirect-cache-tester": [("odd/short_memory", 3), ("wrong/racing_fill", 7)],
}
"""Component and variant of a few recordings that are made anew: all of them take minutes."""


def bank_of(slot: str) -> Bank:
    found: Bank = importlib.import_module(checks.SLOTS[slot]).BANK
    return found


def making_of(slot: str) -> Making:
    found: Making = importlib.import_module(f"{checks.SLOTS[slot]}.making").MAKING
    return found


def plans(suite: Suite, seed: int) -> list[Plan]:
    return [scenario.plan(seed) for each in suite.requirements for scenario in each.scenarios]


@pytest.mark.parametrize("slot", SLOTS)
def test_the_reference_is_right_on_every_recording(slot: str) -> None:
    """Not only on those that some seed chooses: no problem in a right component, one at least in each bug."""
    suite = checks.suite(slot)
    namespace: dict[str, object] = {"__name__": "component"}
    exec(compile(filling(slot, "reference"), "<reference>", "exec"), namespace)
    tester = namespace[suite.schema["class"]]()  # type: ignore[operator]
    values = Values(suite.schema["types"])
    (kind,) = suite.schema["methods"]["problems"]["args"]
    for entry in bank_of(slot).entries():
        found = tester.problems(values.decode(entry.recording(), kind))
        assert bool(found) == bool(entry.bug), f"{entry.key}: {found}"


@pytest.mark.parametrize("slot", SLOTS)
def test_the_file_is_what_the_judge_records_today(slot: str) -> None:
    made, kept = making_of(slot), {entry.key: entry for entry in bank_of(slot).entries()}
    for component, variant in REMADE[slot]:
        tasks = made.tasks([variant])[component]
        entries = list(made.recorded(component, tasks))
        assert entries
        for entry in entries:
            assert entry == kept[entry.key], "python -m grading.checks.testers " + slot


@pytest.mark.parametrize("slot", SLOTS)
def test_every_kind_of_bug_is_there_to_be_shown_and_kept_back(slot: str) -> None:
    entries = bank_of(slot).entries()
    assert loads(dumps(entries)) == entries
    assert len({entry.key for entry in entries}) == len(entries)
    planted = {(bug, name) for bug, several in making_of(slot).bugs.items() for name, _ in several}
    for shown in (True, False):
        assert {(e.bug, e.component) for e in entries if e.bug and e.shown == shown} == planted
    assert {entry.variant for entry in entries} == {*SHOWN, *KEPT}
    requirements = {each.id for each in checks.suite(slot).requirements}
    assert {bug for bug, _ in planted} == requirements - {"right-ones"}


@pytest.mark.parametrize("slot", SLOTS)
def test_a_recording_says_nothing_of_the_component(slot: str) -> None:
    """Neither its name nor whether it is right; and what is kept for marks is no part of a learner's own check."""
    bank = bank_of(slot)
    components = {entry.component for entry in bank.entries()}
    for entry in bank.entries():
        assert not any(name in entry.text for name in components)
    by_key = {entry.key: entry for entry in bank.entries()}
    for seed, shown in ((PUBLIC_SEEDS[0], True), (1_234_567, False)):
        for plan in plans(checks.suite(slot), seed):
            assert {by_key[key].shown for key, _ in plan.facts["entries"].values()} == {shown}


@pytest.mark.parametrize("slot", SLOTS)
def test_another_seed_has_other_names_and_the_same_seed_the_same(slot: str) -> None:
    bank = bank_of(slot)
    entry = next(each for each in bank.entries() if each.words and each.bug)
    one, other = bank.renamed(entry, 1), bank.renamed(entry, 2)
    assert one == bank.renamed(entry, 1)
    assert not any(word in one.text or word in other.text for word in entry.words)
    assert one.text != other.text


def test_what_was_one_code_still_is() -> None:
    bank = bank_of("url-shortener/redirect-cache-tester")
    entry = next(each for each in bank.entries() if each.bug == "lifetimes")
    before, after = entry.recording(), bank.renamed(entry, 5).recording()
    codes = Counter(call["code"] for call in before["calls"])
    assert sorted(codes.values()) == sorted(Counter(call["code"] for call in after["calls"]).values())
    for look in after["looks"]:
        assert any(look["lives"][0][0].endswith(call["code"]) for call in after["calls"])


@pytest.mark.parametrize("slot", SLOTS)
@pytest.mark.parametrize("answer", ["[]", "['bad']", "None"])
def test_who_does_not_look_earns_nothing(slot: str, answer: str) -> None:
    name = checks.suite(slot).schema["class"]
    source = f"class {name}:\n    def problems(self, recording):\n        return {answer}\n"
    verdict = judge(slot, source)
    assert verdict.points == 0, verdict.text()


@pytest.mark.parametrize("slot", SLOTS)
def test_the_plain_filling_has_made_a_beginning(slot: str) -> None:
    """It leaves right components alone and finds the plainest bug; every other bug is told by a recording."""
    verdict = judge(slot, filling(slot, "plain"))
    passed = [each.id for each in verdict.requirements if each.verdict == "pass"]
    assert passed[0] == "right-ones"
    assert len(passed) == 2
    for each in verdict.requirements[2:]:
        assert each.verdict == "fail"
        assert each.finding is not None
        assert each.finding.counterexample is not None
        assert (
            len(each.finding.counterexample.operations) <= 4
        )  # the bug that is missed, and one that is found
        assert "your tester finds nothing wrong in it" in each.finding.got


def test_a_false_alarm_is_told_by_the_recording() -> None:
    slot = "url-shortener/redirect-cache-tester"
    source = (
        "class RedirectCacheTester:\n"
        "    def problems(self, recording):\n"
        "        return [f'{c.name} raised' for c in recording.calls if c.outcome == 'raised']\n"
    )
    verdict = judge(slot, source, only=["right-ones"])
    finding = verdict.requirements[0].finding
    assert finding is not None
    assert "the component in it is right" in finding.expected
    assert "your tester reports: '" in finding.got
    assert any("raises" in moment.what for moment in finding.timeline)


@pytest.mark.parametrize("slot", SLOTS)
def test_all_recordings_of_a_plan_have_the_same_workloads(slot: str) -> None:
    """Only the components differ: no tester can know a bug by what was asked."""
    bank = bank_of(slot)
    choice = Choice(bank, 1, "any")
    assert {e.variant for s in choice.scenarios() for e in choice.right(s, 3)} == {choice.variant}
