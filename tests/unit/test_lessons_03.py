"""The demonstrations of 03-high-level-design: what the notebook says of them holds."""

import random

import pytest
from workbench.lessons.codes import TextbookSnowflake, clone, seconds_within
from workbench.lessons.key_service import round_trips
from workbench.lessons.stores import costs

from reference.shortener.base62 import Base62


@pytest.mark.parametrize("seed", [1, 7, 2026])
def test_a_clone_goes_on_as_the_original_does(seed: int) -> None:
    victim = random.Random(seed)
    for _ in range(seed):  # somewhere in the middle of its state
        victim.getrandbits(32)
    copy = clone([victim.getrandbits(32) for _ in range(624)])
    assert [copy.getrandbits(32) for _ in range(2_000)] == [victim.getrandbits(32) for _ in range(2_000)]


def test_a_clone_needs_the_whole_state() -> None:
    with pytest.raises(ValueError, match="624"):
        clone([1, 2, 3])


def test_how_long_snowflakes_fit() -> None:
    assert seconds_within(7) / 60 == pytest.approx(14.0, abs=0.01)
    assert seconds_within(10) / 86_400 / 365.25 == pytest.approx(6.34, abs=0.01)
    assert seconds_within(11) > 2**41 / 1000  # the 41 bits are used up first
    base62 = Base62()
    for characters in (7, 8, 9, 10):
        last = int(1000 * seconds_within(characters)) - 1
        assert len(base62.encode(TextbookSnowflake(0, lambda at=last: at).next())) == characters
        assert len(base62.encode(TextbookSnowflake(0, lambda at=last: at + 2).next())) == characters + 1


def test_textbook_snowflakes_are_unique_while_nothing_goes_wrong_and_not_after() -> None:
    now = iter([5, 5, 6, 5, 5])
    one = TextbookSnowflake(3, lambda: next(now))
    made = [one.next() for _ in range(5)]
    assert len(set(made[:3])) == 3
    assert made[3:] == made[:2]  # the clock went back
    twin = TextbookSnowflake(3, lambda: 5)
    assert twin.next() == made[0]  # the worker number was given out twice
    other = TextbookSnowflake(4, lambda: 5)
    assert other.next() not in made


@pytest.mark.anyio
@pytest.mark.parametrize("batch", [1, 10, 1_000])
async def test_a_batch_saves_round_trips(batch: int) -> None:
    trips = await round_trips(batch, creates=200)
    assert 200 / batch <= trips <= 200 / batch + 2


def test_both_stores_answer_alike_and_pay_differently() -> None:
    found = {(cost.question, cost.store): cost for cost in costs()}
    by_code = [cost for (question, _), cost in found.items() if "code" in question]
    assert [(cost.round_trips, cost.values) for cost in by_code] == [(1, 1), (1, 1)]
    newest = {store: cost for (question, store), cost in found.items() if "newest" in question}
    assert newest["key-value, by code only"].values == 2_000
    assert newest["key-value, own index"].round_trips == 2
    assert (newest["relational"].round_trips, newest["relational"].values) == (1, 5)
