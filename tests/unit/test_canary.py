"""When a canary is taken back, and how the balancer deals out its share."""

from collections import Counter
from dataclasses import dataclass

import pytest
from workbench.canary import Step

from reference.platform.balancing import Canary, LeastOutstanding, RoundRobin


@dataclass
class Server:
    name: str
    in_flight: int = 0


SERVERS = [Server("app-1"), Server("app-2"), Server("app-3")]


@pytest.mark.parametrize("share", [0.0, 0.25, 1.0])
def test_the_canary_gets_its_share_and_the_others_the_rest(share: float) -> None:
    draws = iter([(n % 100) / 100 for n in range(400)])
    policy = Canary("app-3", share, RoundRobin(), lambda: next(draws))
    first = Counter(policy.order(SERVERS, b"/x")[0].name for _ in range(400))
    assert first["app-3"] == 400 * share
    assert abs(first["app-1"] - first["app-2"]) <= 8


def test_everybody_stands_by_for_whoever_does_not_answer() -> None:
    for draw in (0.0, 0.99):
        policy = Canary("app-3", 0.5, LeastOutstanding(), lambda: draw)  # noqa: B023
        assert sorted(server.name for server in policy.order(SERVERS, b"/x")) == ["app-1", "app-2", "app-3"]
        assert [server.name for server in policy.order(SERVERS[:2], b"/x")].count("app-3") == 0


def step(
    errors: float = 0.0, p99: float | None = 0.01, others_p99: float | None = 0.01, requests: int = 100
) -> Step:
    return Step(0.05, requests, errors, p99, 900, 0.001, others_p99)


def test_a_canary_that_is_as_good_as_the_others_stays() -> None:
    assert step().reason() is None
    assert step(errors=0.01).reason() is None  # of a hundred requests one
    assert step(p99=0.09).reason() is None, "slower, but nobody notices"
    assert step(p99=None, requests=0).reason() is None


def test_a_canary_that_fails_or_dawdles_goes() -> None:
    assert step(errors=0.03).reason() == "3.0% of its requests failed, 0.1% of the others'"
    assert step(p99=0.3).reason() == "its p99 is 300 ms, that of the others 10 ms"
    assert step(p99=0.3, others_p99=0.2).reason() is None, "they are slow too: it is not the new version"
