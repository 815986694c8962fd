"""The judge is judged: right components get full marks, wrong ones lose the requirement that they break."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

from grading.judge import Verdict, judge

COMPONENTS = Path(__file__).parents[2] / "grading/mutants/url_shortener/redirect_cache"
MANIFEST = tomllib.loads((COMPONENTS / "manifest.toml").read_text())


def named(kind: str) -> list[Any]:
    return [pytest.param(entry, id=entry["file"].removesuffix(".py")) for entry in MANIFEST[kind]]


def source(kind: str, entry: dict[str, str]) -> str:
    return (COMPONENTS / kind / entry["file"]).read_text()


def assert_full_marks(verdict: Verdict) -> None:
    assert verdict.passed, verdict.text()
    assert verdict.points == verdict.max_points == 20


def test_reference(slot: str, reference: str) -> None:
    assert_full_marks(judge(slot, reference))


@pytest.mark.slow
def test_reference_on_200_seeds(slot: str, reference: str) -> None:
    assert_full_marks(judge(slot, reference, range(1, 201)))


@pytest.mark.parametrize("entry", named("odd"))
def test_odd_but_right(slot: str, entry: dict[str, str]) -> None:
    assert_full_marks(judge(slot, source("odd", entry), [1, 2]))


@pytest.mark.slow
@pytest.mark.parametrize("entry", named("odd"))
def test_odd_but_right_on_40_seeds(slot: str, entry: dict[str, str]) -> None:
    assert_full_marks(judge(slot, source("odd", entry), range(1, 41)))


@pytest.mark.parametrize("entry", named("wrong"))
def test_wrong_loses_what_it_breaks(slot: str, entry: dict[str, str]) -> None:
    verdict = judge(slot, source("wrong", entry), only=[entry["rejected_by"]])
    assert verdict.crashed is None
    (requirement,) = verdict.requirements
    assert requirement.verdict == "fail"
    finding = requirement.finding
    assert finding is not None
    assert all([finding.did, finding.expected, finding.got, finding.why, finding.read_next])
    assert finding.counterexample is not None
    assert 0 < len(finding.timeline) <= 25


@pytest.mark.slow
@pytest.mark.parametrize("entry", named("wrong"))
@pytest.mark.parametrize("seed", [101, 201, 301])
def test_wrong_on_any_seed_and_little_else(slot: str, entry: dict[str, str], seed: int) -> None:
    """A mark uses about twenty seeds; each of them alone finds most of what is wrong."""
    verdict = judge(slot, source("wrong", entry), range(seed, seed + 20))
    lost = {each.id for each in verdict.requirements if each.verdict != "pass"}
    assert entry["rejected_by"] in lost
    assert len(lost) <= 3, verdict.text()


def test_plain_keeps_to_what_needs_no_cache(slot: str, plain: str) -> None:
    """A learner's first sight: it fails on purpose, and doing nothing earns nothing for caching."""
    verdict = judge(slot, plain)
    assert {each.id: each.verdict for each in verdict.requirements} == {
        "answers": "pass",
        "hits": "fail",
        "expiry": "pass",
        "ttl": "unknown",
        "negative": "fail",
        "new-link": "pass",
        "single-flight": "fail",
        "cache-failure": "unknown",
        "store-failure": "pass",
        "deletion": "unknown",
        "cancellation": "unknown",
        "bounded-state": "pass",
    }
    assert verdict.points == 6


def test_small_counterexamples(slot: str) -> None:
    entry = next(e for e in MANIFEST["wrong"] if e["file"] == "racing_fill.py")
    (requirement,) = judge(slot, source("wrong", entry), only=["deletion"]).requirements
    assert requirement.finding is not None
    example = requirement.finding.counterexample
    assert example is not None
    steps = [
        text for text in example.operations if "caller" in text or "invalidat" in text or "deleted" in text
    ]
    assert len(steps) == 4  # the fill, the deletion, its invalidation, and who still gets the link
    assert any(moment.line is not None for moment in requirement.finding.timeline)
