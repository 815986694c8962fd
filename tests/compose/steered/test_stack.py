"""`Stack(profile="compose")`: what a notebook does to a stack of processes, it does to one of containers."""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
import subprocess
import time
from pathlib import Path

import httpx
import nbformat
import pytest
from nbclient import NotebookClient
from workbench import trace, trace_of
from workbench.stack import ComponentError, Stack, StackError
from workbench.stack.containers.plan import project_name

from reference.build import build
from reference.platform.settings import Settings
from tests.stack.clients import (
    COMPONENT,
    LINE,
    SLOT,
    ask,
    clicks,
    eventually,
    following,
    new_incident,
    shorten,
    status_of,
)

pytestmark = [pytest.mark.slow, pytest.mark.compose]


def containers(name: str) -> list[str]:
    label = f"label=com.docker.compose.project={project_name(name)}"
    argv = ["docker", "ps", "--all", "--quiet", "--filter", label]
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout.split()


def test_the_picture_is_read_from_what_runs_and_is_the_codes_own(stack: Stack) -> None:
    planned = build("url-shortener", Settings(edge=True, spare_shards=1))
    found = stack.topology()
    assert [(role.name, role.kind) for role in found.roles] == [(r.name, r.kind) for r in planned.roles]
    assert found.edges == list(planned.edges)
    assert set(stack.status().roles) == {role.name for role in planned.roles} | {"network"}


def test_the_settings_of_the_start_arrive(stack: Stack) -> None:
    code = shorten(stack)
    assert status_of(stack.url, code) == 302
    assert stack.settings()["balancing"] == "least-outstanding"
    told = subprocess.run(
        ["docker", "exec", f"{project_name(stack.name)}-app-1-1", "printenv", "WORKBENCH_CLICK_BUFFER"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout.strip() == "500"


def test_every_role_says_what_it_uses_at_once(stack: Stack) -> None:
    began = time.monotonic()
    roles, cpu = stack.status().roles, stack.cpu()
    assert time.monotonic() - began < 5  # the engine alone would take a second for each container
    assert all(role["megabytes"] > 0 and role["pid"] for role in roles.values()), roles
    assert all(seconds > 0 for seconds in cpu.values())
    assert set(cpu) == set(roles)


def test_a_killed_server_stays_down_and_nobody_notices(stack: Stack) -> None:
    code = shorten(stack)
    before = len(stack.incidents())
    stack.swap(SLOT, "plain", on="app-2")
    with following(stack, code) as followers:
        stack.kill("app-2")
        time.sleep(1.0)
        assert stack.status().roles["app-2"]["state"] == "down"
        stack.revive("app-2")
        assert status_of(stack.server_url("app-2"), code) == 302
    assert followers.failures == []
    assert set(followers.statuses) == {302}
    assert stack.status().roles["app-2"]["components"][SLOT] == "plain", "it has what it had"
    assert len(stack.incidents()) == before


def test_a_slow_redirect_is_followed_from_the_edge_to_its_database(stack: Stack) -> None:
    asyncio.run(trace(stack, "GET", f"/{shorten(stack)}"))  # connections are made
    stack.slow("shards", 0.1)
    slow = asyncio.run(trace(stack, "GET", f"/{shorten(stack)}", wait=10.0))
    stack.mend()
    assert (slow.status, slow.how) == (302, "miss")
    waited = [span for span in slow.spans if span.waited]
    assert [span.where for span in waited[:4]] == [
        "client → edge",
        "edge → balancer",
        f"balancer → {slow.server}",
        slow.server,
    ]
    assert [span.depth for span in waited[:4]] == [0, 1, 2, 3]
    longest = max(slow.calls, key=lambda span: span.ms or 0.0)
    assert (longest.kind, longest.depth) == ("store", 4)
    assert longest.ms is not None
    assert slow.ms > longest.ms > 190, "there and back"
    assert slow.counted is not None, "through Kafka, by the consumer"
    for outer, inner in itertools.pairwise(waited[:4]):
        assert outer.at <= inner.at
        assert inner.end <= outer.end + 0.1
    told = [line for line in stack.logs(slow.server, 200).splitlines() if slow.trace_id in line]
    assert len(told) == 1


def test_whoever_only_asks_for_a_link_is_not_written_down(stack: Stack) -> None:
    code = shorten(stack)
    before = stack.logs("edge", 1000)
    for headers in ({}, {"X-Request-Id": "mine"}, {"traceparent": f"00-{'a' * 32}-{'b' * 16}-00"}):
        assert httpx.get(f"{stack.url}/{code}", headers=headers).status_code == 302
    assert stack.logs("edge", 1000) == before
    sampled = {"traceparent": f"00-{'c' * 32}-{'b' * 16}-01"}
    assert httpx.get(f"{stack.url}/{code}", headers=sampled).headers["x-request-id"] == f"trace-{'c' * 32}"
    eventually(lambda: len(trace_of(stack, f"trace-{'c' * 32}").spans) >= 3, "nginx has written it")


def test_a_server_that_is_deployed_anew_hands_over_its_clicks(stack: Stack) -> None:
    code = shorten(stack)
    with following(stack, code) as followers:
        for server in stack.servers:
            stack.restart(server)
    assert followers.failures == []
    assert set(followers.statuses) == {302}
    eventually(lambda: clicks(stack, code) == len(followers.statuses), "each click is counted, once")


def test_a_crash_is_an_incident_and_mends_itself(stack: Stack) -> None:
    code = shorten(stack)
    for role in ("app-1", "cache"):
        before = len(stack.incidents())
        os.kill(stack.status().roles[role]["pid"], signal.SIGKILL)
        incident = new_incident(stack, before)
        assert (incident.role, incident.kind, incident.component) == (role, "exited", None)
        assert "SIGKILL" in incident.message
        eventually(lambda: stack.status().roles[role]["state"] == "up", f"{role} is up again")  # noqa: B023
    assert status_of(stack.server_url("app-1"), code) == 302


@pytest.mark.parametrize(
    ("kind", "body", "line"),
    [
        ("blocked", "while True: pass", LINE),
        pytest.param(
            "blocked", "import re; re.match('(a+)+$', 'a' * 50 + 'b')", LINE, marks=pytest.mark.soak
        ),
        ("exited", "import os; os._exit(3)", LINE),
        pytest.param("exited", "import ctypes; ctypes.string_at(0)", LINE, marks=pytest.mark.soak),
        ("exited", "self.kept += [bytearray(b'x') * 10_000_000 for _ in range(100)]", None),
    ],
    ids=["loop", "loop-in-C", "_exit", "segfault", "too-much-memory"],
)
def test_a_harmful_component_is_named_and_the_stack_serves_on(
    stack: Stack, kind: str, body: str, line: int | None
) -> None:
    code = shorten(stack)
    before = len(stack.incidents())
    stack.swap(SLOT, COMPONENT.format(body=body), on="app-2")
    with following(stack, code) as followers:
        incident = new_incident(stack, before)
        eventually(lambda: stack.status().roles["app-2"]["state"] == "up", "app-2 is up again")
        assert status_of(stack.server_url("app-2"), code) == 302
    assert (incident.role, incident.kind, incident.component) == ("app-2", kind, SLOT), incident
    assert incident.line == line, incident
    assert followers.failures == []
    assert set(followers.statuses) == {302}
    assert set(stack.status().roles["app-2"]["components"].values()) == {"reference"}


def test_a_broken_module_is_refused_with_its_line(stack: Stack) -> None:
    stack.swap(SLOT, "plain")
    with pytest.raises(ComponentError, match="nothing_like_it") as caught:
        stack.swap(SLOT, "import nothing_like_it\n")
    assert (caught.value.line, caught.value.source_line) == (1, "import nothing_like_it")
    assert {stack.status().roles[app]["components"][SLOT] for app in stack.servers} == {"plain"}


@pytest.mark.parametrize("fault", ["cut", "hang", "slow"])
def test_a_fault_of_the_network_meets_the_work_and_ends(stack: Stack, fault: str) -> None:
    """The plain component asks the store each time: whether the fault is met can be counted and timed."""
    stack.swap(SLOT, "plain")
    code = shorten(stack)
    # The one that is asked later: the first time on its connection a statement would cost two round trips.
    assert status_of(stack.server_url("app-1"), code) == 302
    stack.slow("shards", 0.2) if fault == "slow" else getattr(stack, fault)("shards")
    callers = [*stack.servers, "keeper-1"]
    assert set(stack.status().faults) == {f"{role}->shard-{n}" for role in callers for n in (1, 2, 3, 4)}
    began = time.monotonic()
    answered = status_of(stack.server_url("app-1"), code)
    took = time.monotonic() - began
    stack.mend()
    if fault == "slow":
        assert answered == 302
        assert took >= 0.4  # there and back
    else:
        assert answered == 503
        assert (took >= 0.9) == (fault == "hang"), took
    eventually(lambda: status_of(stack.server_url("app-1"), code) == 302, "it is over")
    assert stack.status().faults == {}


def test_a_network_that_was_killed_has_its_faults_again(stack: Stack) -> None:
    stack.swap(SLOT, "plain")
    code = shorten(stack)
    stack.cut("app-1->shards")
    stack.kill("network")
    stack.revive("network")
    eventually(lambda: status_of(stack.server_url("app-2"), code) == 302, "the others go on")
    assert status_of(stack.server_url("app-1"), code) == 503


def test_the_edge_keeps_for_as_long_as_it_is_told(stack: Stack) -> None:
    code = shorten(stack)

    def kept() -> str:
        return str(ask(stack.url, "GET", f"/{code}")[1]["x-cache-status"])

    stack.set("edge_ttl", 60)
    try:
        assert [kept() for _ in range(3)] == ["MISS", "HIT", "HIT"]
        stack.flush("edge")
        assert kept() == "MISS"
    finally:
        stack.set("edge_ttl", 0)
    assert [kept() for _ in range(2)] == ["MISS", "MISS"]


def test_links_move_to_a_fourth_shard(stack: Stack) -> None:
    codes = [shorten(stack) for _ in range(40)]
    moved = stack.reshard(4)
    try:
        assert moved["moved"] > 0
        assert {status_of(stack.url, code) for code in codes} == {302}
    finally:
        stack.reshard(3)
    assert {status_of(stack.url, code) for code in codes} == {302}


def test_what_this_profile_cannot_be_is_said() -> None:
    for wanted, words in (
        ({"servers": 5}, "3 servers, not 5"),
        ({"settings": {"shards": 2}}, "shards = 3, not 2"),
        ({"settings": {"edge": False}}, "edge = True"),
        ({"settings": {"colour": 1}}, "colour"),
    ):
        with pytest.raises(StackError, match=words):
            Stack(profile="compose", **wanted).start()  # type: ignore[arg-type]


def test_without_an_engine_one_line_says_what_still_works(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")
    with pytest.raises(
        StackError, match=r"no Docker engine.*embedded and local need none.*install"
    ) as caught:
        Stack(profile="compose").start()
    assert "\n" not in str(caught.value)


def test_a_supervisor_that_is_killed_leaves_no_container(running: Stack) -> None:
    """The last one that this stack is for."""
    name = running.name
    assert len(containers(name)) > 15
    os.kill(running._running().pid, signal.SIGKILL)
    eventually(lambda: not containers(name), "all containers are gone", seconds=60)
    argv = ["docker", "volume", "ls", "--quiet", "--filter", f"name={project_name(name)}_"]
    eventually(
        lambda: not subprocess.run(argv, capture_output=True, check=True).stdout,
        "and all volumes",
        seconds=30,
    )


def test_the_welcome_notebook_runs_unchanged(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The profile is named by the environment, as somebody does who runs all notebooks on it."""
    notebook = nbformat.read(Path(__file__).parents[3] / "labs/welcome.ipynb", as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.source = cell.source.replace("guess = None", "guess = 0.5")
    monkeypatch.setenv("WORKBENCH_PROFILE", "compose")
    client = NotebookClient(
        notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}
    )
    client.execute()
    shown = "\n".join(str(cell.get("outputs")) for cell in notebook.cells)
    assert "keeper-1 -> pool" in shown
    assert "clicks failed" in shown
    assert "Judged url-shortener/redirect-cache" in shown
