"""The capacity model's arithmetic, with made-up figures: the fit, what it predicts, and how far it can be off."""

import asyncio
import math
from types import SimpleNamespace
from typing import cast

import pytest
from workbench import capacity
from workbench.capacity import mixture, requests_per_code
from workbench.capacity_model import Check, Sample, fit, least_squares, no_less_than_nothing
from workbench.stack import Stack

HIT, MISS, FIXED, SERVERS = 0.002, 0.001, 0.05, 3


def cpu(redirects: int, misses: int, seconds: float) -> float:
    return HIT * redirects + MISS * misses + FIXED * SERVERS * seconds


def sample(redirects: int, misses: int, seconds: float, off: float = 1.0) -> Sample:
    return Sample(
        redirects, misses, seconds, off * cpu(redirects, misses, seconds), 0.0004 * redirects + 0.01
    )


LOADS = [sample(200, 0, 2.5), sample(800, 20, 2.5), sample(500, 250, 2.0), sample(200, 180, 2.5)]


def test_costs_that_made_the_figures_are_found() -> None:
    model = fit(LOADS, SERVERS)
    assert (model.hit, model.miss, model.fixed) == pytest.approx((2.0, 1.0, 50.0))
    assert model.balancer == pytest.approx(0.4, rel=0.1)
    assert model.predict(1000, 300, 4.0) == pytest.approx(cpu(1000, 300, 4.0))
    assert model.cost(0.8) == pytest.approx(2.2)


def test_an_error_counts_in_per_cent_of_its_load() -> None:
    """So a large load with an error of 10 % does not spoil what the small ones say."""
    factors = least_squares([(1.0,), (1.0,), (1000.0,)], [1.0, 1.0, 1200.0])
    assert factors[0] == pytest.approx((1 + 1 + 1 / 1.2) / (1 + 1 + 1 / 1.44))


def test_nothing_costs_less_than_nothing() -> None:
    rows = [(1.0, 1.0), (2.0, 1.0), (3.0, 1.0)]
    assert least_squares(rows, [1.0, 2.5, 4.0])[1] < 0
    costs = no_less_than_nothing(rows, [1.0, 2.5, 4.0])
    assert costs[1] == 0
    assert costs[0] > 0


@pytest.mark.parametrize(
    ("loads", "why"),
    [
        (LOADS[:2], "too few"),
        ([sample(200, 0, 2.0), sample(400, 0, 2.0), sample(600, 0, 2.0)], "too much alike"),
        ([*LOADS, Sample(10, 0, 1.0, 0.0)], "without any processor time"),
    ],
)
def test_loads_that_say_nothing_are_refused(loads: list[Sample], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        fit(loads, SERVERS)


def test_a_check_is_predicted_and_measured() -> None:
    async def measure(rate: float, hit_rate: float, seconds: float) -> Sample:
        redirects = round(rate * seconds)
        return sample(redirects, round(redirects * (1 - hit_rate)), seconds, off=1.25)

    model = fit(LOADS, SERVERS, measure)
    assert model.error == 5.0  # a perfect fit is not believed
    found = asyncio.run(model.check(rate=200, hit_rate=0.5, seconds=2.0))
    assert found.sample.hit_rate == 0.5
    assert found.measured == pytest.approx(1.25 * found.predicted)
    assert found.error == pytest.approx(-20.0)
    assert model.error == pytest.approx(20.0)
    assert "400 redirects at 200/s, hit rate 50 %" in str(found)
    assert "20 % too low" in str(found)
    assert "check" in model.text()
    assert "20 % (1 check)" in model.text()


def test_before_a_check_each_load_is_predicted_from_the_others() -> None:
    """How well a fit suits what it was fitted to says little: three costs suit three loads in any case."""
    loads = [*LOADS[:3], sample(200, 180, 2.5, off=1.3)]
    assert fit(loads[:3], SERVERS).error == 5.0
    assert fit(loads, SERVERS).error > 20


def test_a_model_without_a_stack_cannot_check() -> None:
    with pytest.raises(ValueError, match="calibrate"):
        asyncio.run(fit(LOADS, SERVERS).check())


def test_servers_with_room_for_the_error() -> None:
    model = fit(LOADS, SERVERS)
    model.checks.append(Check(sample(400, 200, 2.0), 1.1 * cpu(400, 200, 2.0)))
    needed = model.servers_for(3_858, hit_rate=0.8, utilisation=0.7)
    per_server = (0.7 - 0.05) / 0.0022
    assert needed.count == math.ceil(3_858 / per_server) == 14
    assert (needed.low, needed.high) == (12, 15)
    assert needed.error == pytest.approx(10.0)
    assert needed.beyond == pytest.approx(3_858 / 320)
    assert "3,858 redirects/s at a hit rate of 80 %: 14 app servers (12 to 15 with an error of ±10 %)" in str(
        needed
    )
    assert "12 times the highest rate" in str(needed)


def test_more_hits_need_fewer_servers_and_there_is_always_one() -> None:
    model = fit(LOADS, SERVERS)
    counts = [model.servers_for(350_000, hit_rate).count for hit_rate in (0.0, 0.5, 0.95, 1.0)]
    assert counts == sorted(counts, reverse=True)
    assert counts[0] > counts[-1] > 1000
    assert model.servers_for(1, 1.0).count == 1
    assert "1 either way" in str(model.servers_for(1, 1.0))


@pytest.mark.parametrize(
    ("rate", "hit_rate", "utilisation", "what"),
    [
        (0, 0.5, 0.7, "rate"),
        (math.inf, 0.5, 0.7, "rate"),
        (10, 80, 0.7, "hit_rate"),
        (10, 0.8, 0.04, "utilisation"),
    ],
)
def test_what_makes_no_sense_is_refused(rate: float, hit_rate: float, utilisation: float, what: str) -> None:
    with pytest.raises(ValueError, match=what):
        fit(LOADS, SERVERS).servers_for(rate, hit_rate, utilisation)


def test_rows_are_what_a_chart_takes() -> None:
    x, lines = fit(LOADS, SERVERS).rows([100, 1_000], [0.5, 0.95])
    assert x == [100.0, 1_000.0]
    assert list(lines) == ["hit rate 50 %", "hit rate 95 %"]
    assert [len(values) for values in lines.values()] == [2, 2]


def test_it_says_what_it_leaves_out_and_looks_the_same_in_html() -> None:
    model = fit(LOADS, SERVERS)
    for missing in ("balancer", "Waiting", "fast path", "Other machines", "batches"):
        assert missing in model.leaves_out
    html = model._repr_mimebundle_()["text/html"]
    for cell in ("2.00 ms", "1.00 ms", "50 ms a second", "±5 % (each load predicted from the others)"):
        assert cell in html
        assert cell in model.text()


@pytest.mark.parametrize("hit_rate", [0.1, 0.5, 0.8, 0.95])
def test_codes_and_flushes_give_about_the_hit_rate(hit_rate: float) -> None:
    codes = [f"code-{n}" for n in range(300)]
    asked, every = mixture(200.0, hit_rate, codes)
    assert every is not None
    requests = 200.0 * every
    misses = len(asked) * (1 - (1 - 1 / len(asked)) ** requests)
    assert 1 - misses / requests == pytest.approx(hit_rate, abs=0.05)


def test_hits_alone_need_no_flush_and_misses_alone_have_a_limit() -> None:
    codes = [f"code-{n}" for n in range(300)]
    assert mixture(200.0, 1.0, codes) == (codes[:20], None)
    assert mixture(200.0, 0.0, codes)[0] == codes
    assert requests_per_code(0.0) == pytest.approx(requests_per_code(0.02), rel=1e-6)


class StandIn:
    """A stack of one server, of which only what a meter reads is there. Its loads fail as often as it is told."""

    url, servers = "http://127.0.0.1:9", ("app-1",)

    def __init__(self, failing: int) -> None:
        self.failing, self.loads, self.used = failing, 0, 0.0

    def settings(self) -> dict[str, bool]:
        return {"fast_path": True}

    def set(self, name: str, value: object) -> None: ...

    def metrics(self) -> "StandIn":
        return self

    def value(self, name: str, **labels: str) -> float:
        return 0.0

    def cpu(self) -> dict[str, float]:
        self.used += 1.0
        return {"app-1": self.used, "balancer": self.used}

    async def load(self, *plan: object, **how: object) -> SimpleNamespace:
        self.loads += 1
        answered = 302 if self.loads > self.failing else 503
        return SimpleNamespace(statuses={answered: 100}, sent=100, seconds=1.0)


def measured_on(stack: StandIn, monkeypatch: pytest.MonkeyPatch) -> Sample:
    monkeypatch.setattr(capacity, "load", stack.load)
    monkeypatch.setattr(capacity, "SETTLE", 0.0)
    return asyncio.run(capacity._Meter(cast("Stack", stack), ("aB3xK9p",) * 100).measured(100.0, 1.0, 1.0))


def test_a_load_that_was_disturbed_is_run_again(monkeypatch: pytest.MonkeyPatch) -> None:
    stack = StandIn(failing=2)
    found = measured_on(stack, monkeypatch)
    assert stack.loads == 3
    assert (found.redirects, found.cpu) == (100, 1.0)


def test_what_disturbs_every_load_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    stack = StandIn(failing=99)
    with pytest.raises(capacity.Disturbed, match="100 of 100 requests got no redirect in time"):
        measured_on(stack, monkeypatch)
    assert stack.loads == capacity.TRIES
