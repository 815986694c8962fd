"""A class behind JupyterHub: two learners at a time, in a browser, neither of whom reaches anything of the other's."""

from __future__ import annotations

import errno
import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from grading.hub.accounts import password
from reference.platform.port_lease import PortLease
from tests.browser.driver import Visit, browsing, chromium, visitor

pytestmark = [pytest.mark.slow, pytest.mark.compose, pytest.mark.browser]

HUB = Path(__file__).parents[2] / "grading/hub"
NAME = "workbench-hub-test"
PREFIX = "/a-class/of-two/"
LEARNERS = ("ada", "grace")
SECRET = b"the secret of this test"
MEMORY = 1536 * 2**20
NO_WAY = (errno.EAGAIN, errno.ENETUNREACH, errno.EHOSTUNREACH)
"""What connecting to nowhere ends with: nothing came back in time, or there is no route. Were somebody there and only
the port closed, it would be ECONNREFUSED."""
NETWORK_CHANGED = "net::ERR_NETWORK_CHANGED"
"""This browser runs where the engine does, and starts anew when an interface for a container appears. A learner's does
not."""
IMAGES = ("workbench/hub:dev", "workbench/hub-learner:dev")


@cache
def missing() -> str | None:
    """Why this cannot run here, or None."""
    if chromium() is None:
        return "no Chromium on PATH"
    asked = (
        (("version",), "no Docker engine answers"),
        (("compose", "version"), "docker has no Compose v2"),
        (("image", "inspect", *IMAGES), "there are no images of the hub yet: grading/hub/images"),
    )
    for arguments, reason in asked:
        try:
            done = subprocess.run(["docker", *arguments], capture_output=True, check=False, timeout=30)
        except (OSError, subprocess.TimeoutExpired):
            return "there is no docker on PATH"
        if done.returncode:
            return reason
    return None


def ran(*argv: str, environment: dict[str, str] | None = None) -> str:
    """What it printed."""
    done = subprocess.run(
        argv,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env={**os.environ, **(environment or {})},
    )
    assert done.returncode == 0, f"{' '.join(argv)}: {done.stderr[-2000:]}"
    return done.stdout


def inside(learner: str, *argv: str) -> str:
    """What a command in this learner's container prints."""
    return ran("docker", "exec", f"{NAME}-{learner}", *argv)


@dataclass(frozen=True, slots=True)
class Hub:
    """`url`: with the prefix. `environment`: for compose.yaml and the scripts beside it."""

    url: str
    environment: dict[str, str]


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    if (reason := missing()) is not None:
        pytest.skip(reason)
    folder = tmp_path_factory.mktemp("hub")
    (folder / "learners.txt").write_text("\n".join(LEARNERS) + "\n")
    (folder / "secret").write_bytes(SECRET)
    lease = PortLease()
    environment = {
        "COMPOSE_PROJECT_NAME": NAME,
        "HUB_PORT": str(lease.port),
        "HUB_BASE_URL": PREFIX,
        "HUB_LEARNERS": str(folder / "learners.txt"),
        "HUB_SECRET": str(folder / "secret"),
    }
    lease.release()
    away(environment)
    try:
        compose_up(environment)
        yield Hub(f"http://127.0.0.1:{environment['HUB_PORT']}{PREFIX}", environment)
    finally:
        away(environment)


def compose_up(environment: dict[str, str], *options: str) -> None:
    argv = (
        "docker",
        "compose",
        "-f",
        str(HUB / "compose.yaml"),
        "up",
        "--wait",
        "--no-build",
        "--pull",
        "never",
    )
    ran(*argv, *options, environment=environment)


def away(environment: dict[str, str]) -> None:
    ran(str(HUB / "down"), environment=environment)
    volumes = [f"{NAME}_state", *(f"{NAME}-{learner}" for learner in LEARNERS)]
    ran("docker", "volume", "rm", "--force", *volumes)


@dataclass(slots=True)
class Learner:
    """`asked`: paths of this machine that their browser asked for."""

    visit: Visit
    asked: set[str]


@pytest.fixture(scope="module")
def learners(hub: Hub, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Learner]]:
    """Both logged in, each before the welcome notebook, which nothing but the login has led them to."""
    with ExitStack() as stack:
        browser = stack.enter_context(browsing())
        found: dict[str, Learner] = {}
        for name in LEARNERS:
            visit = visitor(browser, tmp_path_factory.mktemp(name), height=2400)
            found[name] = Learner(visit, set())
            visit.page.on(
                "request", lambda request, name=name: found[name].asked.add(urlsplit(request.url).path)
            )
            visit.page.goto(hub.url)
            visit.page.fill("input[name=username]", name)
            visit.page.fill("input[name=password]", password(SECRET, name))
            visit.shot("login")
            visit.page.click("#login_submit")
        for name, learner in found.items():
            learner.visit.page.wait_for_url(f"{hub.url}user/{name}/lab**", timeout=120_000)
        for learner in found.values():
            learner.visit.page.goto(hub.url)  # now that both containers are there: see NETWORK_CHANGED
            learner.visit.page.wait_for_selector(".jp-KernelName:has-text('Python 3')", timeout=120_000)
            learner.visit.wait_until_idle(90)
            learner.visit.shot("opened")
        yield found


def test_two_learners_run_the_welcome_notebook_at_the_same_time(
    hub: Hub, learners: dict[str, Learner]
) -> None:
    for learner in learners.values():
        learner.visit.menu("Run", "Run All Cells")
    stacks = {}
    for name, learner in learners.items():
        first = (
            "() => /\\[1\\]/.test(document.querySelector('.jp-CodeCell .jp-InputArea-prompt').textContent)"
        )
        learner.visit.page.wait_for_function(first, timeout=90_000)
        stacks[name] = inside(name, "workbench", "status")  # while the load goes on
    assert all("app-1" in told and "http://127.0.0.1:" in told for told in stacks.values())
    assert len({state_of(name)["Id"] for name in LEARNERS}) == 2

    for name, learner in learners.items():
        visit = learner.visit
        visit.page.wait_for_function(
            "() => [...document.querySelectorAll('.jp-CodeCell .jp-InputArea-prompt')]"
            ".every(prompt => /\\[\\d+\\]/.test(prompt.textContent))",
            timeout=120_000,
        )
        visit.wait_until_idle(60)
        visit.shot("ran")
        visit.page.keyboard.press("Control+s")
        visit.page.wait_for_selector(".jp-NotebookPanel .jp-Toolbar", timeout=5_000)
        visit.page.wait_for_timeout(1_500)
        code = [cell for cell in notebook(name)["cells"] if cell["cell_type"] == "code"]
        outputs = [out for cell in code for out in cell["outputs"]]
        assert [out for out in outputs if out["output_type"] == "error" or out.get("name") == "stderr"] == []
        assert all(cell["execution_count"] for cell in code)
        text = json.dumps(outputs)
        assert "clicks failed" in text
        assert "6 of 20 points" in text  # the judge's word, in a container that may make no sandbox
        assert inside(name, "ls", "/tmp") == ""  # the stack was stopped, and left nothing

    for name, learner in learners.items():
        assert learner.visit.page.url.startswith(f"{hub.url}user/{name}/lab/tree/welcome.ipynb")
        assert [path for path in learner.asked if not path.startswith(PREFIX) and path.startswith("/")] == []
        assert learner.visit.outside == []
        assert [error for error in learner.visit.errors if NETWORK_CHANGED not in error] == []


def test_learners_see_nothing_for_instructors(learners: dict[str, Learner]) -> None:
    for name, learner in learners.items():
        menus = learner.visit.page.locator(".lm-MenuBar-itemLabel").all_inner_texts()
        assert "Run" in menus
        assert "Nbgrader" not in menus
        assert "course" not in inside(name, "workbench", "--help")
        assert (
            inside(
                name, "sh", "-c", "ls -d /opt/workbench/grading/source /opt/workbench/grading/mutants || true"
            )
            == ""
        )


def test_a_container_may_do_little_and_is_reached_through_the_hub_alone(learners: dict[str, Learner]) -> None:
    for name in learners:
        told = state_of(name)
        host = told["HostConfig"]
        assert host["Memory"] == MEMORY
        assert host["NanoCpus"] or host["CpuQuota"] == 2 * host["CpuPeriod"]
        assert host["PidsLimit"] == 512
        assert host["CapDrop"] == ["ALL"]
        assert host["SecurityOpt"] == ["no-new-privileges:true"]
        assert host["ReadonlyRootfs"]
        assert not host["Privileged"]
        assert told["Config"]["User"] not in ("", "root", "0")
        assert not any(told["NetworkSettings"]["Ports"].values())  # none published
        assert list(told["NetworkSettings"]["Networks"]) == [f"{NAME}-learners"]
        # An address that nobody has (RFC 5737), and this machine's own: there is no way to either.
        for address in ("192.0.2.1", gateway()):
            connect = (
                f"import socket as s; c = s.socket(); c.settimeout(2); print(c.connect_ex(('{address}', 22)))"
            )
            assert int(inside(name, "python", "-c", connect)) in NO_WAY
    assert published() == ["127.0.0.1"]


def test_too_much_memory_ends_a_process_of_ones_own(learners: dict[str, Learner]) -> None:
    greedy = "held = bytearray(3 * 2**30); held[::4096] = b'x' * len(held[::4096])"
    argv = ["docker", "exec", f"{NAME}-ada", "python", "-c", greedy]
    assert subprocess.run(argv, capture_output=True, check=False, timeout=60).returncode == 137
    for name in learners:
        assert state_of(name)["State"]["Running"]


def test_a_learner_reaches_no_file_of_another(hub: Hub, learners: dict[str, Learner]) -> None:
    inside("grace", "sh", "-c", "echo mine > /home/learner/work/private.txt")
    mounted = [(each["Type"], each["Name"]) for each in state_of("ada")["Mounts"] if each["Type"] != "tmpfs"]
    assert mounted == [("volume", f"{NAME}-ada")]
    find = ("sh", "-c", "find / -name private.txt 2>/dev/null || true")
    assert {name: inside(name, *find).strip() for name in learners} == {
        "ada": "",
        "grace": "/home/learner/work/private.txt",
    }
    # Through the proxy, logged in as oneself; and past it, from the common network.
    answers = {
        name: learner.visit.page.request.get(f"{hub.url}user/grace/files/private.txt")
        for name, learner in learners.items()
    }
    assert {name: answer.status for name, answer in answers.items()} == {"ada": 403, "grace": 200}
    assert {name for name, answer in answers.items() if "mine" in answer.text()} == {"grace"}
    past = (
        "import urllib.request as u, urllib.error as e\n"
        f"try: print(u.urlopen('http://{NAME}-grace:8888{PREFIX}user/grace/api/contents/private.txt').status)\n"
        "except e.HTTPError as no: print(no.code)\n"
    )
    assert inside("ada", "python", "-c", past).strip() == "403"


@pytest.mark.parametrize(
    ("name", "given"),
    [("ada", "a guess"), ("ada", ""), ("eve", password(SECRET, "eve")), ("grace", password(SECRET, "ada"))],
    ids=["wrong", "none", "not in the class", "another's"],
)
def test_a_wrong_password_and_a_strange_name_stay_out(hub: Hub, name: str, given: str) -> None:
    with httpx.Client(follow_redirects=True) as client:
        client.get(f"{hub.url}hub/login")
        form = {"username": name, "password": given, "_xsrf": client.cookies["_xsrf"]}
        answer = client.post(f"{hub.url}hub/login", data=form)
        assert answer.status_code in (401, 403)
        assert client.get(f"{hub.url}hub/api/user").status_code == 403


def test_what_learners_have_is_collected(hub: Hub, learners: dict[str, Learner], tmp_path: Path) -> None:
    inside("grace", "ln", "-s", "/etc/passwd", "/home/learner/work/url-shortener/06-a-link.ipynb")
    told = ran(
        str(HUB / "collect"), hub.environment["HUB_LEARNERS"], str(tmp_path), environment=hub.environment
    )
    assert told.splitlines() == ["ada: 5 notebooks", "grace: 5 notebooks"]
    none = str(tmp_path / "none")
    told = ran(
        str(HUB / "collect"), hub.environment["HUB_LEARNERS"], none, "chat", environment=hub.environment
    )
    assert told.splitlines() == ["ada: 0 notebooks", "grace: 0 notebooks"]
    assert list((tmp_path / "none").iterdir()) == []
    for name in learners:
        got = json.loads((tmp_path / name / "04-detailed-design.ipynb").read_text("utf-8"))
        assert got["nbformat"] == 4


def test_a_new_hub_ends_nobodys_work(hub: Hub, learners: dict[str, Learner]) -> None:
    before = {name: state_of(name)["State"]["StartedAt"] for name in learners}
    compose_up(hub.environment, "--force-recreate")
    for name, learner in learners.items():
        assert state_of(name)["State"]["StartedAt"] == before[name]
        answer = learner.visit.page.request.get(f"{hub.url}user/{name}/api/status")  # still logged in, too
        assert answer.json()["kernels"] >= 1


def notebook(learner: str) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(inside(learner, "cat", "/home/learner/work/welcome.ipynb"))
    return told


def state_of(learner: str) -> dict[str, Any]:
    """What the engine says of this learner's container."""
    told: list[dict[str, Any]] = json.loads(ran("docker", "inspect", f"{NAME}-{learner}"))
    return told[0]


def gateway() -> str:
    """The address on the learners' network that would be this machine's."""
    told = json.loads(ran("docker", "network", "inspect", f"{NAME}-learners"))
    return str(told[0]["IPAM"]["Config"][0]["Gateway"])


def published() -> list[str]:
    """Addresses of this machine on which the hub is reached."""
    ports = json.loads(ran("docker", "inspect", f"{NAME}-hub-1"))[0]["NetworkSettings"]["Ports"]
    return [each["HostIp"] for bound in ports.values() for each in bound or ()]
