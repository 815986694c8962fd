"""Components that are right for as long as they are looked at: for a hundred calls, or where they see the judge."""

import pytest

from grading.judge import judge
from grading.matrix import filling

HUNDRED = 100

LONG = {
    "base62": ("Base62.encode", "digits"),
    "click-aggregator": ("ClickAggregator.count", "once"),
    "hash-codes": ("HashCodes.new_code", "form"),
    "hash-codes-tester": ("HashCodesTester.problems", "right-ones"),
    "key-pool": ("KeyPool.new_code", "once"),
    "redirect-cache": ("RedirectCache.resolve", "answers"),
    "redirect-cache-tester": ("RedirectCacheTester.problems", "right-ones"),
    "shard-router": ("ShardRouter.shard_of", "one-of-them"),
    "snowflake-codes": ("SnowflakeCodes.new_code", "form"),
}
"""Slot -> what it is asked most often, and a requirement that asks one server more than a hundred times."""

TIRED = """

right, calls = {method}, 0


def tired(self, *args, **more):
    global calls
    calls += 1
    if calls > {hundred}:
        raise RuntimeError("that is enough")
    return right(self, *args, **more)


{method} = tired
"""


@pytest.mark.parametrize("name", LONG)
def test_right_for_a_hundred_calls_is_not_right(name: str) -> None:
    method, requirement = LONG[name]
    slot = f"url-shortener/{name}"
    source = filling(slot, "reference") + TIRED.format(method=method, hundred=HUNDRED)
    verdict = judge(slot, source, [1], only=[requirement])
    (found,) = verdict.requirements
    assert found.verdict == "fail"
    assert found.finding is not None
    assert "RuntimeError: that is enough" in verdict.text()
    assert len(verdict.text()) < 6000, "a run of a hundred calls is told in a page"
