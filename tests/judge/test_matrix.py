"""The judge is judged: right components get full marks, wrong ones lose the requirement that they break."""

from collections import Counter
from typing import Any

import pytest

from grading import checks, matrix
from grading.judge import Verdict, judge
from grading.matrix import Entry, Kind, entries, filling

SLOTS = list(checks.SLOTS)


LONG = ("statistics_for_every_code", "sequence_wraps")
"""Wrong components that a large workload shows: the search for a smaller one takes some seconds."""


def all_of(kind: Kind, shown: int = 1) -> list[Any]:
    """Every component of every slot. Of each slot so many for each requirement (of odd ones: in all) are tried at once,
    the others in the slow lane."""
    found = []
    for slot in SLOTS:
        seen: Counter[str] = Counter()
        for entry in entries(slot, kind):
            seen[entry.rejected_by] += 1
            later = pytest.mark.slow if seen[entry.rejected_by] > shown or entry.name in LONG else ()
            found.append(pytest.param(entry, id=f"{slot.partition('/')[2]}-{entry.name}", marks=later))
    return found


def assert_full_marks(verdict: Verdict) -> None:
    assert verdict.passed, verdict.text()
    assert verdict.points == verdict.max_points == 20


@pytest.mark.parametrize("slot", SLOTS)
def test_reference(slot: str) -> None:
    assert_full_marks(judge(slot, filling(slot, "reference")))


@pytest.mark.parametrize("entry", all_of("odd"))
def test_odd_but_right(entry: Entry) -> None:
    assert_full_marks(judge(entry.slot, entry.source, [1, 2]))


@pytest.mark.parametrize("entry", all_of("wrong"))
def test_wrong_loses_what_it_breaks(entry: Entry) -> None:
    verdict = judge(entry.slot, entry.source, only=[entry.rejected_by])
    assert verdict.crashed is None
    (requirement,) = verdict.requirements
    assert requirement.verdict == "fail"
    finding = requirement.finding
    assert finding is not None
    assert all([finding.did, finding.expected, finding.got, finding.why, finding.read_next])
    assert finding.counterexample is not None
    assert 0 < len(finding.timeline) <= 25


@pytest.mark.parametrize("slot", SLOTS)
def test_every_slot_has_its_mutants(slot: str) -> None:
    wrong, odd = entries(slot, "wrong"), entries(slot, "odd")
    assert len(wrong) >= 8
    assert len(odd) >= 3
    assert sum(entry.subtle for entry in wrong) >= 4
    assert len({entry.rejected_by for entry in wrong}) >= 5, "they are wrong for different reasons"
    assert {entry.rejected_by for entry in wrong} <= {each.id for each in checks.suite(slot).requirements}
    assert len({entry.source for entry in wrong + odd}) == len(wrong + odd)
    for kind, found in (("wrong", wrong), ("odd", odd)):
        files = {path.stem for path in (matrix.folder(slot) / kind).glob("*.py")}
        assert files <= {entry.name for entry in found}, "each is in the manifest"


@pytest.mark.parametrize("slot", SLOTS)
def test_the_requirements_make_twenty_points(slot: str) -> None:
    assert sum(each.points for each in checks.suite(slot).requirements) == 20


@pytest.mark.slow
def test_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    from workbench.cli import main

    assert main(["mutants", "url-shortener/base62", "--seeds", "1"]) == 0
    told = capsys.readouterr().out
    assert "reference" in told
    assert "all as they should be" in told
    assert main(["mutants", "url-shortener/nothing"]) == 1
