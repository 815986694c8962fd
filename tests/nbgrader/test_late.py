"""What a late submission costs."""

import pytest

from grading.nbgrader.late import DAY, LatePolicy


@pytest.mark.parametrize(
    ("late", "penalty"),
    [
        (0.0, 0.0),
        (15 * 60.0, 0.0),  # grace
        (15 * 60.0 + 1, 2.0),
        (DAY, 2.0),
        (DAY + 16 * 60, 4.0),
        (30 * DAY, 20.0),  # never more than there is
    ],
)
def test_each_day_begun_costs_a_tenth(late: float, penalty: float) -> None:
    assert LatePolicy().late_submission_penalty("ada", 20.0, late) == penalty


def test_nothing_is_taken_from_nothing_and_it_can_be_turned_off() -> None:
    assert LatePolicy().late_submission_penalty("ada", 0.0, DAY) == 0.0
    policy = LatePolicy()
    policy.per_day = 0.0
    assert policy.late_submission_penalty("ada", 20.0, DAY) == 0.0
