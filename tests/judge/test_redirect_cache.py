"""What is asked of the slot `url-shortener/redirect-cache` alone."""

from grading.judge import judge
from grading.matrix import entries


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
    entry = next(e for e in entries(slot, "wrong") if e.name == "racing_fill")
    (requirement,) = judge(slot, entry.source, only=["deletion"]).requirements
    assert requirement.finding is not None
    example = requirement.finding.counterexample
    assert example is not None
    steps = [
        text for text in example.operations if "caller" in text or "invalidat" in text or "deleted" in text
    ]
    assert len(steps) == 4  # the fill, the deletion, its invalidation, and who still gets the link
    assert any(moment.line is not None for moment in requirement.finding.timeline)
