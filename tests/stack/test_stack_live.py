"""A stack that runs: what a learner does to it, and what the others notice of it.

All tests share one stack; each leaves it whole.
"""

import dataclasses
import importlib.util
import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from IPython.lib import pretty
from workbench.stack import ComponentError, Stack, StackError, state
from workbench.stack.incident import Incident

from reference.build import SLOTS
from reference.shortener.slots import SLOTS as BY_NAME
from tests.stack.clients import (
    COMPONENT,
    SLOT,
    ask,
    clicks,
    eventually,
    following,
    mend_all,
    new_incident,
    shorten,
    status_of,
)

LINK = {"long_url": "https://example.org/"}


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with Stack(settings={"spare_shards": 1}) as stack:
        yield stack


@pytest.fixture(autouse=True)
def whole(stack: Stack) -> Iterator[None]:
    yield
    mend_all(stack)


def test_a_link_is_shortened_followed_and_counted(stack: Stack) -> None:
    code = shorten(stack, "https://example.org/ä?q=1")
    for _ in range(6):
        status, headers, _ = ask(stack.url, "GET", f"/{code}")
        assert status == 302
    assert headers["Server-Role"] in stack.servers
    eventually(lambda: clicks(stack, code) == 6, "six clicks are counted")


def test_status_and_topology_show_what_runs(stack: Stack) -> None:
    status = stack.status()
    processes = {"balancer", "app-1", "app-2", "app-3", "consumer", "keeper-1", "network", "services"}
    assert set(status.roles) == processes
    held = {slot for role in status.roles.values() for slot in role.get("components", {})}
    assert held == set(SLOTS)
    assert status.roles["app-1"]["components"][SLOT] == "reference"
    assert stack.admin_token not in str(status.data)
    assert stack.url in str(status)
    picture = stack.topology().mermaid
    assert 'apps -->|"redirects"| cache' in picture  # one arrow for what all of them do
    assert 'balancer -->|"HTTP"| apps' in picture
    assert picture.count("-->") < 20
    stack.cut("app-1->cache")
    stack.kill("consumer")
    assert 'app_1 -.->|"redirects: cut"| cache' in stack.topology().mermaid
    assert "consumer (down)" in stack.topology().text()


def test_another_process_can_connect(stack: Stack) -> None:
    other = Stack.connect(stack.name)
    assert other.url == stack.url
    assert other.servers == ["app-1", "app-2", "app-3"]
    with pytest.raises(StackError, match=f"running: .*{stack.name}"):
        Stack.connect("nobody")


def test_without_a_name_the_only_stack_is_meant(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    found = state.read(stack.name)
    assert found is not None
    monkeypatch.setattr(state, "all_states", lambda: [found])
    assert Stack.connect().url == stack.url
    monkeypatch.setattr(state, "all_states", lambda: [found, dataclasses.replace(found, name="another")])
    with pytest.raises(StackError, match="choose with --name"):
        Stack.connect()


def test_incidents_read_like_a_log(stack: Stack) -> None:
    incident = Incident(time.time(), "app-2", "blocked", "no heartbeat for 2 s", "slot", 3, "while True:")
    assert "app-2 blocked: no heartbeat for 2 s\n    line 3: while True:" in pretty.pretty([incident])


def test_a_killed_server_stays_down_and_nobody_notices(stack: Stack) -> None:
    code = shorten(stack)
    before = len(stack.incidents())
    with following(stack, code) as followers:
        stack.kill("app-2")
        time.sleep(0.5)
        assert stack.status().roles["app-2"]["state"] == "down"
        with pytest.raises(OSError, match="refused"):
            status_of(stack.server_url("app-2"), code)
        stack.revive("app-2")
        assert status_of(stack.server_url("app-2"), code) == 302
    assert followers.failures == []
    assert set(followers.statuses) == {302}
    assert len(stack.incidents()) == before


def test_a_paused_server_is_not_taken_for_a_blocked_one(stack: Stack) -> None:
    code = shorten(stack)
    before = len(stack.incidents())
    with following(stack, code) as followers:
        stack.pause("app-3")
        time.sleep(2.6)
        assert stack.status().roles["app-3"]["state"] == "paused"
        stack.revive("app-3")
        assert status_of(stack.server_url("app-3"), code) == 302
    assert followers.failures == []
    assert set(followers.statuses) == {302}
    assert len(stack.incidents()) == before


def test_a_crash_is_an_incident_and_mends_itself(stack: Stack) -> None:
    code = shorten(stack)
    before = len(stack.incidents())
    os.kill(stack.status().roles["app-1"]["pid"], signal.SIGKILL)
    incident = new_incident(stack, before)
    assert (incident.role, incident.kind, incident.component) == ("app-1", "exited", None)
    assert "SIGKILL" in incident.message
    eventually(lambda: stack.status().roles["app-1"]["state"] == "up", "app-1 is up again")
    assert status_of(stack.server_url("app-1"), code) == 302


def test_a_crash_of_network_or_services_keeps_addresses_faults_and_links(stack: Stack) -> None:
    code = shorten(stack)
    stack.cut("app-1->cache")
    for role in ("network", "services"):
        restarts = stack.status().roles[role]["restarts"]
        os.kill(stack.status().roles[role]["pid"], signal.SIGKILL)
        eventually(lambda: stack.status().roles[role]["restarts"] > restarts, f"{role} was started again")  # noqa: B023
    assert "app-1->cache" in stack.status().faults
    eventually(lambda: status_of(stack.url, code) == 302, "the link is there still")


BROKEN = [
    ("syntax", "class RedirectCache:\n    def x(:\n", 2, "def x(:", "invalid syntax"),
    ("import", "import nothing_like_it\n", 1, "import nothing_like_it", "nothing_like_it"),
    ("no class", "class Other: ...\n", None, None, "RedirectCache"),
    (
        "constructor",
        COMPONENT.replace("self.links, ", "\n        1 / 0\n        self.x, "),
        7,
        "1 / 0",
        "ZeroDivision",
    ),
    ("signature", COMPONENT.replace(", *, cache", ""), None, None, "cache"),
    ("no method", COMPONENT.replace("invalidate", "forget"), None, None, "invalidate"),
    ("not async", COMPONENT.replace("async def inv", "def inv"), None, None, "async"),
]


@pytest.mark.parametrize(
    ("source", "line", "text", "word"), [b[1:] for b in BROKEN], ids=[b[0] for b in BROKEN]
)
def test_a_broken_module_is_refused(
    stack: Stack, source: str, line: int | None, text: str | None, word: str
) -> None:
    stack.swap(SLOT, "plain")
    with pytest.raises(ComponentError, match=word) as caught:
        stack.swap(SLOT, source.replace("{body}", "pass"))
    assert caught.value.line == line
    assert (caught.value.source_line or "").strip() == (text or "")
    roles = stack.status().roles
    assert {roles[app]["components"][SLOT] for app in stack.servers} == {"plain"}, "the old one serves on"
    assert status_of(stack.url, "nothing") == 404


def test_a_module_that_never_ends_loading_is_refused(stack: Stack) -> None:
    with pytest.raises(ComponentError, match="stood still") as caught:
        stack.swap(SLOT, "x = 1\nwhile True:\n    x += 1\n")
    assert caught.value.line in (2, 3)


def test_unknown_names_are_refused(stack: Stack) -> None:
    for call in (
        lambda: stack.swap("url-shortener/moon", "plain"),
        lambda: stack.swap(SLOT, "plain", on="app-9"),
        lambda: stack.swap(SLOT, "plain", on="consumer"),
        lambda: stack.kill("app-9"),
        lambda: stack.kill("cache"),
        lambda: stack.cut("moon"),
        lambda: stack.slow("cache", -1),
        lambda: stack.flush("log"),
        lambda: stack.server_url("network"),
        lambda: stack.set("moon", 1),
    ):
        with pytest.raises(ValueError, match=r"app-9|moon|slot|consumer|cache|slow|network"):
            call()


class Carried:
    source = COMPONENT.format(body="print('I was asked for', code, flush=True)")
    label = "mine"


def test_a_canary_is_on_one_server_and_comes_back_with_it(stack: Stack) -> None:
    code = shorten(stack)
    stack.swap(SLOT, Carried(), on="app-2")

    def components() -> list[str]:
        roles = stack.status().roles
        return [roles[app].get("components", {}).get(SLOT, "") for app in stack.servers]

    eventually(lambda: components() == ["reference", "mine", "reference"], "a canary on app-2")
    assert "redirect-cache: mine" in stack.topology().mermaid
    stack.kill("app-2")
    stack.revive("app-2")
    eventually(lambda: components() == ["reference", "mine", "reference"], "it is back")
    assert status_of(stack.server_url("app-2"), code) == 302
    eventually(lambda: f"I was asked for {code}" in stack.logs("app-2"), "its print is in the log")
    stack.swap(SLOT, Carried())
    eventually(lambda: components() == ["mine"] * 3, "on all")
    stack.unswap(SLOT, on=["app-1", "app-3"])
    eventually(lambda: components() == ["reference", "mine", "reference"], "off two")


def test_a_swap_meets_a_server_that_is_down_when_it_comes_back(stack: Stack) -> None:
    stack.kill("app-3")
    stack.pause("app-1")
    stack.swap(SLOT, Carried())
    stack.revive("app-3")
    stack.revive("app-1")
    eventually(
        lambda: (
            {r["components"][SLOT] for r in stack.status().roles.values() if r["kind"] == "app"} == {"mine"}
        ),
        "all have it",
    )


def test_live_settings(stack: Stack) -> None:
    stack.set("cache_ttl", 120)
    assert stack.settings()["cache_ttl"] == 120
    stack.kill("app-1")
    stack.revive("app-1")
    assert stack.settings()["cache_ttl"] == 120, "a server that was away has it too"
    with pytest.raises(ValueError, match=r"1\.0 to "):
        stack.set("cache_ttl", -5)
    stack.set("cache_ttl", 3600)


def test_a_lost_cache_costs_the_store_reads(stack: Stack) -> None:
    stack.set("fast_path", False)  # which remembers for two seconds what it has heard
    code = shorten(stack)
    url = stack.server_url("app-1")

    def finds() -> float:
        return stack.metrics("app-1").value("store_operations_total", operation="find")

    status_of(url, code)
    before = finds()
    for _ in range(5):
        assert status_of(url, code) == 302
    assert finds() == before
    stack.flush("cache")
    assert status_of(url, code) == 302
    assert finds() == before + 1
    stack.cut("cache")
    for _ in range(3):
        assert status_of(url, code) == 302
    assert finds() == before + 4
    stack.mend("cache")
    stack.set("fast_path", True)


def test_a_lost_store_is_a_503_for_what_the_cache_does_not_hold(stack: Stack) -> None:
    warm, cold = shorten(stack), shorten(stack)
    assert status_of(stack.url, warm) == 302
    for fault in (stack.cut, stack.hang):
        fault("shards")
        assert status_of(stack.url, warm) == 302
        status, headers, _ = ask(stack.server_url("app-1"), "GET", f"/{cold}x")
        assert status == 503
        assert "Retry-After" in headers
        stack.mend("shards")
    eventually(lambda: status_of(stack.url, cold) == 302, "the shards are back")


def test_a_slow_edge_slows_one_server(stack: Stack) -> None:
    stack.swap(SLOT, "plain")
    code = shorten(stack)
    stack.slow("app-1->shards", 0.15)
    seconds = {}
    for app in ("app-1", "app-2"):
        url = stack.server_url(app)
        began = time.monotonic()
        assert status_of(url, code) == 302
        seconds[app] = time.monotonic() - began
    assert seconds["app-1"] >= 0.3
    assert seconds["app-2"] < seconds["app-1"]


def test_clicks_wait_for_a_consumer_that_is_away(stack: Stack) -> None:
    code = shorten(stack)
    stack.kill("consumer")
    for _ in range(5):
        assert status_of(stack.url, code) == 302
    assert clicks(stack, code) == 0
    stack.revive("consumer")
    eventually(lambda: clicks(stack, code) == 5, "the clicks are counted later")


def test_metrics_of_all_servers_are_added(stack: Stack) -> None:
    total = stack.metrics().value("http_requests_total")
    assert total == pytest.approx(
        sum(stack.metrics(app).value("http_requests_total") for app in stack.servers), abs=30
    )
    assert total > 0
    assert stack.metrics("consumer").value("clicks_counted_total") >= 0


def plain(slot: str) -> str:
    """The text of our plain filling of a slot."""
    found = importlib.util.find_spec(BY_NAME[slot].fillings["plain"])
    assert found is not None
    assert found.origin is not None
    return Path(found.origin).read_text("utf-8")


STRATEGIES = {"hash-codes": "hash", "snowflake-codes": "snowflake", "key-pool": "pool"}


@pytest.mark.parametrize("slot", SLOTS)
def test_a_component_of_ones_own_serves_in_every_slot(stack: Stack, slot: str) -> None:
    name = slot.rpartition("/")[2]
    stack.set("code_strategy", STRATEGIES.get(name, "hash" if name == "base62" else "random"))
    before = shorten(stack)
    holders = [role for role, found in stack.status().roles.items() if slot in found.get("components", {})]
    stack.swap(slot, plain(slot))
    components = {role: stack.status().roles[role]["components"][slot] for role in holders}
    assert components == dict.fromkeys(holders, "yours")
    assert f"{name}: yours" in str(stack.status())
    after = shorten(stack)
    for code in (before, after, after):
        assert status_of(stack.url, code) == 302
    eventually(lambda: clicks(stack, after) == 2, "the clicks are counted")
    stack.unswap(slot)
    assert status_of(stack.url, before) == status_of(stack.url, after) == 302
    stack.set("code_strategy", "random")
    assert stack.incidents()[-1:] == [] or "left badly" not in stack.incidents()[-1].message


def test_links_move_to_a_new_shard_while_they_are_followed(stack: Stack) -> None:
    codes = [shorten(stack) for _ in range(40)]
    with following(stack, codes[0]) as followers:
        done = stack.reshard(4)
        assert done["shards"] == ["shard-1", "shard-2", "shard-3", "shard-4"]
        assert {status_of(stack.url, code) for code in codes} == {302}
        codes.append(shorten(stack))
        done = stack.reshard(["shard-1", "shard-3", "shard-2"])
    assert {status_of(stack.url, code) for code in codes} == {302}
    assert set(followers.statuses) == {302}
    assert followers.failures == []
    with pytest.raises(ValueError, match="no such shards"):
        stack.reshard(["shard-9"])


def test_a_router_is_swapped_everywhere_or_nowhere(stack: Stack) -> None:
    router = "url-shortener/shard-router"
    with pytest.raises(ValueError, match="on all servers or on none"):
        stack.swap(router, "plain", on="app-1")
    wrong = "class ShardRouter:\n    def __init__(self, *, shards): pass\n    def shard_of(self, code): return 1/0\n"
    with pytest.raises(ComponentError, match="ZeroDivisionError") as refused:
        stack.swap(router, wrong)
    assert refused.value.component == router


def test_live_settings_reach_every_role_and_outlive_a_restart(stack: Stack) -> None:
    stack.set("redirect_status", 301)
    code = shorten(stack)
    stack.kill("app-1")
    stack.kill("balancer")
    stack.revive("balancer")
    stack.revive("app-1")
    assert status_of(stack.server_url("app-1"), code) == 301
    assert status_of(stack.url, code) == 301
    stack.set("redirect_status", 302)


@pytest.mark.parametrize("role", ["keeper-1", "consumer", "services", "network"])
def test_any_role_may_be_killed_and_revived(stack: Stack, role: str) -> None:
    code = shorten(stack)
    stack.kill(role)
    stack.revive(role)
    eventually(lambda: status_of(stack.url, code) == 302, "the link is there")
    stack.set("code_strategy", "pool")
    eventually(lambda: ask(stack.url, "POST", "/api/v1/shorten", LINK)[0] == 201, "the pool is filled again")
    stack.set("code_strategy", "random")


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere every role is started by itself")
def test_a_stack_whose_nursery_is_killed_starts_its_roles_one_by_one(stack: Stack) -> None:
    code = shorten(stack)
    pids = {name: role["pid"] for name, role in stack.status().roles.items()}
    parent = psutil.Process(pids["app-1"]).parent()
    assert parent is not None
    assert "workbench.stack.nursery" in parent.cmdline()
    parent.kill()

    def back() -> bool:
        roles = stack.status().roles
        return all(role["state"] == "up" and role["pid"] != pids[name] for name, role in roles.items())

    def there() -> bool:
        try:
            return status_of(stack.url, code) == 302
        except OSError:  # what was on its way as they died
            return False

    eventually(back, "all roles run again", seconds=60)
    eventually(there, "the link is there")
    assert "workbench.stack.child" in psutil.Process(stack.status().roles["app-1"]["pid"]).cmdline()
