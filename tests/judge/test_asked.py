"""On which seeds a scenario is tried: on one of so many, and on the others as long as it has shown nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from grading.judge.engine import Judge, Trial
from grading.judge.history import History
from grading.judge.plan import Plan
from grading.judge.requirement import Kept, NotShown, Outcome, Requirement, Scenario, Suite

NOTHING = NotShown("nothing met it", "something that meets it")


class Asked(Judge):
    """`outcome`: of each seed, without any host."""

    def __init__(self, outcome: Callable[[int], Outcome]) -> None:
        unused: Any = None
        super().__init__(Suite({}, (), unused), unused)
        self.outcome = outcome
        self.seeds: list[int] = []

    def first_trial(self, scenario: Scenario, seed: int) -> Trial:
        self.seeds.append(seed)
        return Trial(Plan(seed, ()), History(), self.outcome(seed))


def requirement(every: int) -> Requirement:
    unused: Any = None
    scenario = Scenario("one", "Something was done.", unused, unused, every)
    return Requirement("kept", "Kept", 2, "It is kept.", "why", "where", (scenario,))


@pytest.mark.parametrize(
    ("shows_from", "asked", "verdict"),
    [
        (0, [0, 4, 8], "pass"),
        (8, [0, 4, 8], "pass"),
        (9, [0, 4, 8, 1, 2, 3, 5, 6, 7, 9], "pass"),
        (12, [0, 4, 8, 1, 2, 3, 5, 6, 7, 9, 10, 11], "unknown"),
    ],
)
def test_what_has_shown_nothing_is_tried_on_the_other_seeds(
    shows_from: int, asked: list[int], verdict: str
) -> None:
    judge = Asked(lambda seed: Kept() if seed >= shows_from else NOTHING)
    assert judge.requirement(requirement(every=4), range(12)).verdict == verdict
    assert judge.seeds == asked
