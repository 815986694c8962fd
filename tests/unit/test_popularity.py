"""Zipf's law: the figures that the notebook leans on, computed a second way."""

from collections import Counter
from itertools import islice

import pytest
from workbench.popularity import Zipf, harmonic


@pytest.mark.parametrize("skew", [0.0, 0.5, 0.89, 1.0, 1.19, 2.0])
@pytest.mark.parametrize("n", [1, 50, 51, 1_000, 100_000])
def test_harmonic_agrees_with_the_plain_sum(n: int, skew: float) -> None:
    assert harmonic(n, skew) == pytest.approx(sum(r**-skew for r in range(1, n + 1)), rel=1e-9)


def test_the_two_rules_of_thumb_need_different_exponents() -> None:
    gentle = Zipf.with_share(1_000_000, 0.20, 0.80)
    steep = Zipf.with_share(1_000_000, 0.01, 0.90)
    assert round(gentle.skew, 2) == 0.89
    assert round(steep.skew, 2) == 1.19
    assert gentle.share(0.01) == pytest.approx(0.507, abs=0.001)
    assert steep.share(0.20) == pytest.approx(0.974, abs=0.001)


def test_samples_follow_the_law_and_the_seed() -> None:
    law = Zipf(100, 1.0)
    seen = Counter(islice(law.sampler(7), 20_000))
    assert sum(seen[r] for r in range(10)) / 20_000 == pytest.approx(law.share(10), abs=0.015)
    assert list(islice(law.sampler(7), 50)) == list(islice(law.sampler(7), 50))
    assert list(islice(law.sampler(8), 50)) != list(islice(law.sampler(7), 50))


def test_a_cold_cache_misses_each_item_once() -> None:
    law = Zipf(200, 1.0)
    requests = 1_000
    runs = [len(set(islice(law.sampler(seed), requests))) for seed in range(30)]
    assert law.cold_hit_rate(requests) == pytest.approx(1 - sum(runs) / 30 / requests, abs=0.005)


def test_an_lru_cache_is_worse_than_the_best_one_and_better_than_none() -> None:
    law = Zipf(2_000, 0.9)
    assert 0.3 < law.lru_hit_rate(200, 40_000) < law.share(200)
    assert law.lru_hit_rate(2_000, 40_000) > 0.95


@pytest.mark.parametrize(("items", "skew"), [(0, 1.0), (5, -0.1)])
def test_laws_that_make_no_sense_are_refused(items: int, skew: float) -> None:
    with pytest.raises(ValueError, match=r"items|skew"):
        Zipf(items, skew)


def test_no_skew_makes_the_top_half_take_less_than_half() -> None:
    with pytest.raises(ValueError, match="no skew"):
        Zipf.with_share(100, 0.5, 0.3)
