"""Quantiles of histograms, and objectives over what a process's `/metrics` says."""

import math
import random

import pytest
from workbench.stack.metrics import Metrics as Readings
from workbench.stack.objectives import Objectives

from reference.platform.histograms import Buckets
from reference.platform.metrics import SECONDS, Metrics
from reference.platform.objectives import attainments
from reference.shortener.components import Answer, Link
from reference.shortener.objectives import OBJECTIVES, hit_ratio
from reference.shortener.redirect_times import TimedRedirects
from reference.shortener.store import CountedLinks

pytestmark = pytest.mark.anyio


def readings(metrics: Metrics) -> Readings:
    return Readings.parse(metrics.text().decode())


# --- histograms


def test_a_quantile_lies_between_its_bounds_whatever_the_distribution() -> None:
    draw = random.Random(1)
    for spread in (0.3, 1.0, 2.0):
        metrics = Metrics()
        values = sorted(draw.lognormvariate(-5, spread) for _ in range(2000))
        for value in values:
            metrics.http_seconds.labels("/x").observe(value)
        for q in (0.0, 0.01, 0.5, 0.95, 0.99, 1.0):
            true = values[max(0, math.ceil(q * len(values)) - 1)]
            found = readings(metrics).quantile("http_request_seconds", q, route="/x")
            assert found is not None
            assert found.low <= true <= found.high
            assert found.low <= found.value <= found.high


def test_an_even_spread_is_met_exactly() -> None:
    buckets = Buckets.of([(1.0, 10), (2.0, 30), (math.inf, 40)])
    assert buckets.quantile(0.5) == (1.5, 1.0, 2.0)
    assert buckets.quantile(0.25) == (1.0, 0.0, 1.0)
    assert buckets.quantile(0.9) == (2.0, 2.0, math.inf)
    assert buckets.within(2.0) == 30
    assert buckets.within(1.99) == 10, "for sure, and no more"
    assert buckets.within(0.5) == 0


def test_nothing_observed_and_no_such_quantile() -> None:
    assert Buckets.of([]).quantile(0.5) is None
    assert Buckets.of([(1.0, 0), (math.inf, 0)]).quantile(0.5) is None
    assert readings(Metrics()).quantile("no_such", 0.5) is None
    with pytest.raises(ValueError, match="between 0 and 1"):
        Buckets.of([]).quantile(99)


def test_several_servers_are_one_histogram() -> None:
    one, two = Metrics(), Metrics()
    one.http_seconds.labels("/x").observe(0.002)
    two.http_seconds.labels("/x").observe(0.2)
    both = readings(one) + readings(two)
    assert both.buckets("http_request_seconds").total == 2
    assert both.buckets("http_request_seconds").within(0.1) == 1


def test_the_limits_of_the_objectives_are_bounds() -> None:
    assert {0.01, 0.1} <= set(SECONDS)


# --- differences


def test_since_takes_differences_of_what_adds_up_and_gauges_as_they_are() -> None:
    metrics = Metrics()
    gauge = metrics.gauge("queue", "waiting")
    metrics.http_requests.labels("/x", "200").inc(5)
    metrics.http_seconds.labels("/x").observe(0.2)
    gauge.set(7)
    before = readings(metrics)
    metrics.http_requests.labels("/x", "200").inc(2)
    metrics.http_requests.labels("/x", "500").inc()
    metrics.http_seconds.labels("/x").observe(0.002)
    gauge.set(3)
    now = readings(metrics).since(before)
    assert now.by("status", "http_requests_total", route="/x") == {"200": 2, "500": 1}
    assert now.buckets("http_request_seconds").within(0.1) == now.buckets("http_request_seconds").total == 1
    assert now.value("queue") == 3


def test_a_process_that_was_started_anew_counts_from_zero() -> None:
    old, new = Metrics(), Metrics()
    old.http_requests.labels("/x", "200").inc(50)
    new.http_requests.labels("/x", "200").inc(2)
    assert readings(new).since(readings(old)).value("http_requests_total") == 2


# --- objectives


def answered(metrics: Metrics, status: int, seconds: float, times: int = 1) -> None:
    for _ in range(times):
        metrics.http_requests.labels("/{code}", str(status)).inc()
        metrics.http_seconds.labels("/{code}").observe(seconds)


def standing(metrics: Metrics) -> Objectives:
    return Objectives(attainments(OBJECTIVES, readings(metrics)))


def test_nothing_has_happened_yet() -> None:
    found = standing(Metrics())
    assert {row["met"] for row in found.rows} == {None}
    assert found.met
    assert "nothing yet" in found.text()


def test_one_slow_in_a_hundred_is_within_the_budget_and_two_are_not() -> None:
    metrics = Metrics()
    answered(metrics, 302, 0.003, times=99)
    answered(metrics, 302, 0.3)
    row = standing(metrics)["redirects fast"]
    assert (row["met"], row["share"], round(row["budget_left"], 6)) == (True, 0.99, 0)
    answered(metrics, 302, 0.3)
    row = standing(metrics)["redirects fast"]
    assert row["met"] is False
    assert row["budget_left"] < 0
    assert 0.0025 <= row["p50"] <= 0.005
    assert 0.25 <= row["p99"] <= 0.5


def test_a_404_is_a_good_answer_and_a_503_is_not() -> None:
    metrics = Metrics()
    answered(metrics, 302, 0.001, times=997)
    answered(metrics, 404, 0.001)
    answered(metrics, 410, 0.001)
    answered(metrics, 503, 0.001)
    row = standing(metrics)["reads available"]
    assert (row["good"], row["total"], row["met"]) == (999, 1000, True)
    answered(metrics, 503, 0.001)
    assert standing(metrics)["reads available"]["met"] is False


def test_clicks_that_wait_are_not_counted_yet() -> None:
    metrics = Metrics()
    metrics.counter("clicks_counted", "x").inc(98)
    lag = metrics.gauge("consumer_lag_events", "x", "partition")
    lag.labels("0").set(1)
    lag.labels("1").set(1)
    row = standing(metrics)["clicks counted"]
    assert (row["share"], row["met"]) == (0.98, False)


def test_the_table_prints_in_text_and_html() -> None:
    metrics = Metrics()
    answered(metrics, 302, 0.003, times=10)
    found = standing(metrics)
    bundle = found._repr_mimebundle_()
    assert "99 % of redirects within 100 ms" in bundle["text/plain"]
    assert "100.000 %" in bundle["text/plain"]
    assert bundle["text/html"].count("<tr>") == 1 + len(OBJECTIVES)
    with pytest.raises(KeyError, match="redirects fast"):
        found["speed"]


# --- hits


class Links:
    async def find(self, code: str) -> Link | None:
        return Link("m", "https://example.org/", 2e9)


class Cache:
    """Asks the store for every code that begins with m."""

    def __init__(self, links: CountedLinks) -> None:
        self.links = links

    async def resolve(self, code: str) -> Answer:
        if code.startswith("m"):
            await self.links.find(code)
        return Answer("live", "https://example.org/")

    async def invalidate(self, code: str) -> None:
        pass


async def test_a_hit_is_a_redirect_that_did_not_ask_the_store() -> None:
    metrics = Metrics()
    redirects = TimedRedirects(Cache(CountedLinks(Links(), metrics)), metrics)  # type: ignore[arg-type]
    for code in ("miss", "hit", "hit", "hit"):
        await redirects.resolve(code)
    assert readings(metrics).by("how", "redirect_seconds_count") == {"hit": 3, "miss": 1}
    assert hit_ratio(readings(metrics)) == 0.75
    assert hit_ratio(readings(Metrics())) is None
    assert standing(metrics)["hits fast"]["total"] == 3
