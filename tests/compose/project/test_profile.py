"""The profile as it runs: what its containers may do, and that what a learner saw embedded works here too."""

from __future__ import annotations

import json
import subprocess
import time
from typing import Any

import httpx
import pytest

from tests.compose.project.conftest import Running

pytestmark = [pytest.mark.slow, pytest.mark.compose]

ONCE = ("migrate", "certificate")
GIB = 2**30


@pytest.fixture(scope="module")
def containers(running: Running) -> dict[str, Any]:
    """By service: what the engine says of its container."""
    ids = running.project.run("ps", "--all", "--quiet").split()
    told = json.loads(
        subprocess.run(["docker", "inspect", *ids], capture_output=True, check=True, timeout=60).stdout
    )
    return {each["Config"]["Labels"]["com.docker.compose.service"]: each for each in told}


def test_everything_is_healthy_or_has_done_its_work(containers: dict[str, Any], running: Running) -> None:
    states = {
        name: each["State"]["ExitCode"] if name in ONCE else each["State"]["Health"]["Status"]
        for name, each in containers.items()
    }
    assert states == {name: 0 if name in ONCE else "healthy" for name in containers}
    assert set(containers) == set(running.project.run("config", "--services").split())


def test_nothing_listens_beyond_this_machine(containers: dict[str, Any]) -> None:
    published = {
        (name, binding["HostIp"])
        for name, each in containers.items()
        for bindings in each["NetworkSettings"]["Ports"].values()
        for binding in bindings or ()
    }
    assert published == {("edge", "127.0.0.1")}


def test_each_container_is_confined(containers: dict[str, Any]) -> None:
    for name, each in containers.items():
        host = each["HostConfig"]
        assert host["ReadonlyRootfs"], name
        assert host["CapDrop"] == ["ALL"], name
        assert "no-new-privileges:true" in host["SecurityOpt"], name
        assert host["Memory"] > 0, name
    users = {name: each["Config"]["User"] for name, each in containers.items()}
    assert {name for name, user in users.items() if user in ("", "0", "root")} == {"certificate"}


def test_the_profile_fits_in_four_gigabytes(containers: dict[str, Any]) -> None:
    limits = sum(each["HostConfig"]["Memory"] for name, each in containers.items() if name not in ONCE)
    assert limits <= 4 * GIB


def test_no_secret_is_in_an_image_or_in_an_environment(containers: dict[str, Any], running: Running) -> None:
    secret = running.project.secret("workbench_database_password")
    for name, each in containers.items():
        assert secret not in json.dumps(each["Config"]), name
    history = subprocess.run(
        ["docker", "history", "--no-trunc", containers["app-1"]["Image"]],
        capture_output=True,
        check=True,
        timeout=60,
    )
    assert secret.encode() not in history.stdout


def test_a_link_from_its_making_to_its_end(running: Running) -> None:
    with httpx.Client(base_url=running.http, timeout=5) as client:
        made = client.post("/api/v1/shorten", json={"long_url": "https://example.com/here"})
        assert made.status_code == 201, made.text
        link = made.json()
        code = link["short_url"].rpartition("/")[2]
        assert link["short_url"].startswith(running.http)
        for _ in range(7):
            followed = client.get(f"/{code}")
            assert (followed.status_code, followed.headers["location"]) == (302, "https://example.com/here")
        assert clicks(client, code, 7) == 7
        ended = client.delete(
            f"/api/v1/links/{code}", headers={"Authorization": f"Bearer {link['delete_token']}"}
        )
        assert ended.status_code == 204
        assert client.get(f"/{code}").status_code in (404, 410)


def test_the_edge_ends_tls_with_a_certificate_of_this_installation(running: Running) -> None:
    with httpx.Client(base_url=running.https, timeout=5, verify=False) as client:
        answered = client.get("/readyz")
    assert answered.status_code == 200
    assert set(answered.json()["services"].values()) == {"ok"}
    with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
        httpx.get(f"{running.https}/readyz", timeout=5)


def test_the_edge_keeps_what_may_be_kept_and_nobody_counts_it(running: Running) -> None:
    with httpx.Client(base_url=running.http, timeout=5) as client:
        code = made(client, "https://example.com/kept")
        for number in (1, 2, 3):
            running.project.command(f"app-{number}", "set", {"name": "redirect_max_age", "value": 2.0})
        try:
            kept = [client.get(f"/{code}").headers["x-cache-status"] for _ in range(4)]
        finally:
            for number in (1, 2, 3):
                running.project.command(f"app-{number}", "set", {"name": "redirect_max_age", "value": 0.0})
        assert kept == ["MISS", "HIT", "HIT", "HIT"]
        assert clicks(client, code, 1) == 1
        time.sleep(2)  # what was kept is too old by now
        assert client.get(f"/{code}").headers["x-cache-status"] != "HIT"


def test_a_server_drains_when_it_is_told_to_end(running: Running) -> None:
    running.project.run("stop", "app-3")
    told = running.project.log("app-3")
    events = [json.loads(line)["event"] for line in told if line.startswith("{")]
    assert events[-2:] == ["draining", "stopped"]
    running.project.start("app-3")


def made(client: httpx.Client, url: str) -> str:
    answered = client.post("/api/v1/shorten", json={"long_url": url})
    assert answered.status_code == 201, answered.text
    return str(answered.json()["short_url"]).rpartition("/")[2]


def clicks(client: httpx.Client, code: str, expected: int) -> int:
    """How many are counted, once they are as many as expected, or after a while."""
    found = 0
    for _ in range(100):
        found = client.get(f"/api/v1/stats/{code}").json()["clicks"]
        if found >= expected:
            break
        time.sleep(0.1)
    return found
