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


HASTY = """
import json
from reference.shortener.components import Answer, Link

class RedirectCache:
    def __init__(self, *, cache, links, clock, random, ttl):
        self.cache, self.links, self.clock, self.random, self.ttl = cache, links, clock, random, ttl

    async def resolve(self, code):
        found = await self.cache.get(code)
        if found is not None:
            return Answer.of(Link(code, *json.loads(found)), self.clock.now())
        link = await self.links.find(code)
        life = self.ttl * self.random.uniform(0.8, 1)
        if link is not None:
            await self.cache.set(code, json.dumps([link.long_url, link.expires_at]), px=int(life))
        return Answer.of(link, self.clock.now())

    async def invalidate(self, code):
        self.cache.delete(code)
"""


def test_a_life_in_the_wrong_unit_is_shown_by_what_was_written(slot: str) -> None:
    (requirement,) = judge(slot, HASTY, [1], only=["ttl"]).requirements
    finding = requirement.finding
    assert finding is not None
    assert finding.counterexample is not None
    assert finding.got == "two seconds later none of them was in the cache any more"
    assert any("the judge looks at the cache's keys" in text for text in finding.counterexample.operations)
    assert [moment.who for moment in finding.timeline].count("…") == 1
    assert all(" PX " in moment.what for moment in finding.timeline if moment.who != "…")
    assert "px= and PX take whole milliseconds" in finding.read_next


def test_a_call_without_await_is_named(slot: str) -> None:
    source = HASTY.replace("px=int(life)", "px=int(1000 * life)")
    line = source.splitlines().index("        self.cache.delete(code)") + 1
    (requirement,) = judge(slot, source, [1], only=["deletion"]).requirements
    assert requirement.verdict != "pass"
    assert requirement.finding is not None
    assert f"line {line} of yours calls what is async without `await`" in requirement.finding.got
    (wrong,) = judge(
        slot, source.replace("self.cache.delete", "await self.cache.delete"), [1], only=["deletion"]
    ).requirements
    assert wrong.finding is None or "without `await`" not in wrong.finding.got
