"""The policies: fair, aware of load, or true to a key."""

from collections import Counter
from dataclasses import dataclass

import pytest

from reference.platform.balancing import POLICIES, ByKey, LeastOutstanding, Policy, RoundRobin, key_of
from reference.platform.http1 import RequestHead
from reference.platform.settings import LiveSettings


@dataclass
class Server:
    name: str
    in_flight: int = 0


def servers(count: int) -> list[Server]:
    return [Server(f"app-{number}") for number in range(1, count + 1)]


def first(policy: Policy, among: list[Server], key: bytes = b"") -> str:
    return policy.order(among, key)[0].name


KEYS = [b"/%d" % number for number in range(6000)]


@pytest.mark.parametrize("name", POLICIES)
def test_every_policy_names_all_and_survives_none(name: str) -> None:
    policy, three = POLICIES[name](), servers(3)
    for key in KEYS[:10]:
        assert sorted(server.name for server in policy.order(three, key)) == ["app-1", "app-2", "app-3"]
    assert policy.order([], b"") == []
    assert len(policy.order(three[:1], b"")) == 1


def test_the_setting_names_the_policies() -> None:
    for name in POLICIES:
        LiveSettings().with_value("balancing", name)
    with pytest.raises(ValueError, match="least-outstanding"):
        LiveSettings().with_value("balancing", "by-hand")


def test_round_robin_gives_each_its_turn() -> None:
    policy, three = RoundRobin(), servers(3)
    assert [first(policy, three) for _ in range(6)] == ["app-1", "app-2", "app-3"] * 2


def test_least_outstanding_asks_the_idle_one_and_takes_turns_among_equals() -> None:
    policy = LeastOutstanding()
    busy = [Server("app-1", 5), Server("app-2", 1), Server("app-3", 3)]
    assert [server.name for server in policy.order(busy, b"")] == ["app-2", "app-3", "app-1"]
    assert Counter(first(policy, servers(3)) for _ in range(9)) == {"app-1": 3, "app-2": 3, "app-3": 3}


def test_a_slow_server_gets_fewer_by_least_outstanding() -> None:
    """One of three takes ten times as long. Steps of virtual time; two requests come in each step."""

    def shares(policy: Policy) -> Counter[str]:
        three, counts = servers(3), Counter[str]()
        under_way: list[tuple[int, Server]] = []
        for now in range(1000):
            for end, server in under_way:
                server.in_flight -= end == now
            under_way = [(end, server) for end, server in under_way if end > now]
            for _ in range(2):
                chosen = policy.order(three, b"")[0]
                chosen.in_flight += 1
                counts[chosen.name] += 1
                under_way.append((now + (10 if chosen.name == "app-1" else 1), chosen))
        return counts

    assert max(shares(RoundRobin()).values()) - min(shares(RoundRobin()).values()) <= 1
    assert shares(LeastOutstanding())["app-1"] < 250


def test_by_key_is_true_to_its_key_and_fair_over_keys() -> None:
    policy, three = ByKey(), servers(3)
    chosen = {key: first(policy, three, key) for key in KEYS}
    assert chosen == {key: first(ByKey(), three[::-1], key) for key in KEYS}
    assert all(1850 < count < 2150 for count in Counter(chosen.values()).values())


def test_when_a_server_goes_only_its_keys_move_and_they_spread() -> None:
    policy, four = ByKey(), servers(4)
    before = {key: first(policy, four, key) for key in KEYS}
    after = {key: first(policy, four[1:], key) for key in KEYS}
    moved = {key for key in KEYS if before[key] != after[key]}
    assert moved == {key for key in KEYS if before[key] == "app-1"}
    assert all(400 < count < 600 for count in Counter(after[key] for key in moved).values())
    assert before == {key: first(policy, four, key) for key in KEYS}, "all back when it returns"


def test_a_hot_key_cannot_drown_its_server() -> None:
    policy, three = ByKey(), servers(3)
    for _ in range(300):
        policy.order(three, b"/hot")[0].in_flight += 1
    assert max(server.in_flight for server in three) <= 126  # 1.25 times a third of 301, rounded up
    assert min(server.in_flight for server in three) > 0


def test_the_key_is_the_path() -> None:
    head = RequestHead(b"", [], {}, b"GET", b"/abc?utm=1", 1)
    assert key_of(head) == b"/abc"
