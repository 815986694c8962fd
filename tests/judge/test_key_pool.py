"""What is asked of the slot `url-shortener/key-pool` alone."""

import pytest

from grading.checks.url_shortener.key_pool.world import World
from grading.judge import judge
from grading.judge.history import Ask
from grading.judge.plan import Plan
from grading.judge.report import Finding
from grading.matrix import entries, filling

SLOT = "url-shortener/key-pool"


def finding(name: str, requirement: str) -> Finding:
    entry = next(each for each in entries(SLOT, "wrong") if each.name == name)
    (verdict,) = judge(SLOT, entry.source, only=[requirement]).requirements
    assert verdict.finding is not None
    return verdict.finding


def test_plain_lacks_the_batches_and_nothing_else() -> None:
    verdict = judge(SLOT, filling(SLOT, "plain"))
    lost = {each.id for each in verdict.requirements if each.verdict != "pass"}
    assert lost == {"batches", "pool-away"}
    assert verdict.points == 16


def test_a_late_addition_is_seen_in_a_small_run() -> None:
    found = finding("adds_once_more", "never-again")
    assert found.counterexample is not None
    assert sum("generate" in text for text in found.counterexample.operations) == 1
    assert "had been handed out before" in found.got


def test_a_crash_that_costs_too_much_is_told_with_the_crash() -> None:
    found = finding("four_batches_ahead", "crash")
    assert found.counterexample is not None
    told = (*found.counterexample.operations, *found.counterexample.faults)
    assert any("killed" in text or "dies" in text for text in told)


def test_chance_of_the_pool_follows_the_seed() -> None:
    """SPOP and SRANDMEMBER draw at random: by the seed, or reports of the same run would differ."""
    assert finding("looks_then_removes", "once") == finding("looks_then_removes", "once")


@pytest.mark.parametrize("replay", [False, True])
def test_ranges_are_disjoint_but_where_each_server_has_a_world_of_its_own(replay: bool) -> None:
    world = World(Plan(1, (), facts={"range": 10, "first": 100, "replay": replay}))
    answers = [world.answer(0.0, Ask(server, "allot", [], 0.0, None, "ranges")) for server in (0, 1, 1)]
    assert answers == (
        [[100, 110], [100, 110], [110, 120]] if replay else [[100, 110], [110, 120], [120, 130]]
    )
    assert world.allotted == 30
