"""The profile in containers, without an engine: what Compose and Toxiproxy are told, and what the kernel is asked."""

import gc
import json
import socket
import time
from pathlib import Path
from typing import Any, cast

import pytest
import yaml
from workbench.stack.containers import cgroup, engine, plan
from workbench.stack.containers.engine import Engine
from workbench.stack.containers.plan import ComposePlan, project_name
from workbench.stack.containers.roles import ServiceContainer
from workbench.stack.containers.toxiproxy import requests
from workbench.stack.request import Request
from workbench.stack.role import RoleGone

from compose.network import port, proxies
from compose.network.__main__ import EDGES, text

COMPOSE = EDGES.parents[1]


@pytest.fixture(autouse=True)
def secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of an installation that has none yet."""
    monkeypatch.setattr(plan, "secret", lambda name: f"the {name}")


def wanted(**more: Any) -> ComposePlan:
    asked = {
        "name": "My stack.1",
        "case": "url-shortener",
        "profile": "compose",
        "servers": 3,
        "settings": {},
    }
    found = ComposePlan.make(Request(**asked | more, owned=True), Path("/nowhere"))
    found.release()
    return found


def test_the_proxies_on_file_are_those_of_the_topology() -> None:
    assert EDGES.read_text("utf-8") == text()
    listens = [each["listen"] for each in proxies()]
    assert len(set(listens)) == len(listens)


def test_every_url_of_compose_yaml_leads_through_the_callers_own_proxy() -> None:
    told = yaml.safe_load((COMPOSE / "compose.yaml").read_text("utf-8"))
    upstreams = {f"network:{each['listen'].rpartition(':')[2]}": each for each in proxies()}
    met = set()
    for role in ("app-1", "app-2", "app-3", "consumer", "keeper-1"):
        own = told["services"][role]["environment"]
        for name, value in own.items():
            if name.endswith(("_URL", "_URLS")) and "network:" in value:
                for address in upstreams:
                    if address in value:
                        assert upstreams[address]["name"].startswith(f"{role}->"), (role, name)
                        met.add(upstreams[address]["name"])
    through = {each["name"] for each in proxies() if not each["name"].startswith("door->")}
    assert met == {name for name in through if not name.endswith(("->shard-4", "->redis-log"))}


def test_kafka_tells_each_client_its_own_proxy() -> None:
    told = yaml.safe_load((COMPOSE / "compose.yaml").read_text("utf-8"))["services"]["kafka"]["environment"]
    listens = dict(each.split("://:") for each in told["KAFKA_LISTENERS"].split(","))
    tells = dict(each.split("://") for each in told["KAFKA_ADVERTISED_LISTENERS"].split(","))
    by_name = {each["name"]: each for each in proxies()}
    for listener, role in (("APP1", "app-1"), ("APP2", "app-2"), ("APP3", "app-3"), ("CONSUMER", "consumer")):
        assert tells[listener] == f"network:{port(role, 8)}"
        assert by_name[f"{role}->log"]["upstream"] == f"kafka:{listens[listener]}"


def test_a_stack_gets_ports_and_doors_of_its_own() -> None:
    made = wanted()
    services = made.added("10.213.100")["services"]
    assert made.container("log") == "workbench-my-stack-1-kafka-1"
    assert project_name("My stack.1") == "workbench-my-stack-1"
    assert {told["restart"] for name, told in services.items() if name != "migrate"} == {"no"}
    published = services["network"]["ports"]
    assert all(each.startswith("127.0.0.1:") for each in published)
    assert (
        len(published) == len(made.doors()) == 13
    )  # each role and service but the edge, and the network's own
    assert made.urls["log"].startswith("kafka://127.0.0.1:")
    assert "shard-4" not in services


def test_settings_become_the_environment_of_each_process() -> None:
    made = wanted(settings={"click_buffer": 7, "spare_shards": 1, "live": {"cache_ttl": 5}})
    added = made.added("10.213.100")
    told = added["services"]["app-2"]["environment"]
    assert told["WORKBENCH_CLICK_BUFFER"] == "7"
    assert json.loads(told["WORKBENCH_LIVE"]) == {"balancing": "least-outstanding", "cache_ttl": 5}
    assert json.loads(told["WORKBENCH_SHARD_URLS"])["shard-4"] == (
        "postgresql://workbench@network:10209/workbench"
    )
    assert "shard-4:5432" in added["services"]["migrate"]["environment"]["WORKBENCH_SHARD_URLS"]
    assert added["services"]["shard-4"]["networks"]["back"]["ipv4_address"] == "10.213.100.34"


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"servers": 4}, "has 3 servers, not 4"),
        ({"settings": {"keepers": 2}}, "keepers = 1, not 2"),
        ({"settings": {"spare_shards": 2}}, "spare_shards = 0 or 1, not 2"),
        ({"settings": {"edge": False}}, "edge = True, not False"),
    ],
)
def test_what_cannot_be_is_said(more: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        wanted(**more)


def test_without_an_engine_there_is_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/docker.sock")
    said = engine.missing()
    assert said is not None
    assert "\n" not in said
    assert "embedded and local need none" in said
    assert "docs.docker.com" in said


def test_an_engine_that_left_its_socket_behind_is_no_engine(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with socket.socket(socket.AF_UNIX) as gone:
        gone.bind(f"{tmp_path}/docker.sock")
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/docker.sock")
    said = engine.missing()
    gc.collect()  # what the question left open is told here, not in some later test
    assert said is not None
    assert "nothing listens" in said


OPEN: dict[str, Any] = {"enabled": True, "toxics": []}
SLOW: dict[str, Any] = {"enabled": True, "toxics": [{"name": "slow-upstream"}, {"name": "slow-downstream"}]}
HUNG: dict[str, Any] = {"enabled": True, "toxics": [{"name": "hang-upstream"}, {"name": "hang-downstream"}]}
CUT: dict[str, Any] = {"enabled": False, "toxics": []}


def methods(now: dict[str, Any], fault: str) -> list[str]:
    return [method for method, _, _ in requests("app-1->cache", now, fault, 0.05)]


def test_a_slow_edge_is_slow_each_way_and_slower_replaces_slow() -> None:
    assert methods(OPEN, "slow") == ["POST", "POST"]
    assert methods(SLOW, "slow") == ["DELETE", "DELETE", "POST", "POST"]
    bodies = [body for _, _, body in requests("app-1->cache", OPEN, "slow", 0.05)]
    assert [body["attributes"] for body in bodies if body] == [{"latency": 50}, {"latency": 50}]
    assert {path for _, path, _ in requests("app-1->cache", OPEN, "slow", 0.05)} == {
        "/proxies/app-1-%3Ecache/toxics"
    }


def test_mending_leaves_alone_what_is_well() -> None:
    assert methods(OPEN, "mend") == []
    assert methods(SLOW, "mend") == ["DELETE", "DELETE"], "connections go on"
    assert requests("x->y", CUT, "mend", None) == [("POST", "/proxies/x-%3Ey", {"enabled": True})]
    assert methods(HUNG, "mend") == ["POST", "DELETE", "DELETE", "POST"], "what hung is closed first"
    with pytest.raises(ValueError, match="no such fault"):
        requests("x->y", OPEN, "tickle", None)


class Starting:
    """An engine over one container that starts: it has not looked yet. The container's own check hangs, then fails."""

    class errors:
        class DockerException(Exception): ...

    def __init__(self, test: list[str], fails: int, running: bool = True) -> None:
        self.test, self.fails, self.running = test, fails, running
        self.asked: list[list[str]] = []

    def look(self, container: str) -> dict[str, Any]:
        state = {"Running": self.running, "Health": {"Status": "starting"}}
        return {"State": state, "Config": {"Healthcheck": {"Test": self.test, "Timeout": 5_000_000}}}

    def run_in(self, container: str, argv: list[str]) -> str:
        self.asked.append(argv)
        if len(self.asked) == 1:
            time.sleep(0.1)
        if len(self.asked) <= 1 + self.fails:
            raise RuntimeError("refused")
        return ""


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("test", "argv"),
    [
        (["CMD", "redis-cli", "ping"], ["redis-cli", "ping"]),
        (["CMD-SHELL", "redis-cli ping"], ["sh", "-c", "redis-cli ping"]),
    ],
)
async def test_a_service_is_up_once_its_own_check_says_so(
    test: list[str], argv: list[str], tmp_path: Path
) -> None:
    engine = Starting(test, fails=2)
    service = ServiceContainer("cache", "cache", tmp_path, cast(Engine, engine), "a-cache-1")
    await service.configure({})
    assert engine.asked == [argv] * 4
    assert service.state == "up"


@pytest.mark.anyio
async def test_a_service_that_ended_is_not_waited_for(tmp_path: Path) -> None:
    engine = Starting(["CMD", "true"], fails=0, running=False)
    service = ServiceContainer("cache", "cache", tmp_path, cast(Engine, engine), "a-cache-1")
    with pytest.raises(RoleGone, match="cache ended while it was starting"):
        await service.configure({})
    assert engine.asked == []


def test_both_versions_of_control_groups_are_read(tmp_path: Path) -> None:
    (tmp_path / "proc/7").mkdir(parents=True)
    first, second = tmp_path / "v1", tmp_path / "v2/docker/abc"
    for folder in (first / "memory/docker/abc", first / "cpuacct/docker/abc", second):
        folder.mkdir(parents=True)
    (first / "memory/docker/abc/memory.usage_in_bytes").write_text("5000\n")
    (first / "memory/docker/abc/memory.stat").write_text("cache 1\ntotal_inactive_file 1000\n")
    (first / "cpuacct/docker/abc/cpuacct.usage").write_text("2500000000\n")
    (tmp_path / "proc/7/cgroup").write_text("9:memory:/docker/abc\n5:cpu,cpuacct:/docker/abc\n")
    assert cgroup.used(7, tmp_path / "proc", first) == (4000, 2.5)
    (second / "memory.current").write_text("5000\n")
    (second / "memory.stat").write_text("anon 1\ninactive_file 500\n")
    (second / "cpu.stat").write_text("usage_usec 1500000\nuser_usec 1\n")
    (tmp_path / "proc/7/cgroup").write_text("0::/docker/abc\n")
    assert cgroup.used(7, tmp_path / "proc", tmp_path / "v2") == (4500, 1.5)
    assert cgroup.used(8, tmp_path / "proc", tmp_path / "v2") is None
