"""A project goes, whatever still holds its networks."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator

import pytest
from workbench.stack.containers.engine import missing

from compose.project import Project
from tests import worker

pytestmark = [pytest.mark.slow, pytest.mark.compose]


@pytest.fixture
def project() -> Iterator[Project]:
    if (reason := missing()) is not None:
        pytest.skip(reason)
    project = Project(f"workbench-going-{worker.number()}", subnet=f"10.213.{216 + worker.number()}")
    yield project
    project.down()


def docker(*arguments: str) -> str:
    return subprocess.run(
        ["docker", *arguments], capture_output=True, text=True, check=True, timeout=60
    ).stdout.strip()


def test_a_network_that_somebody_else_is_in_goes_too(project: Project) -> None:
    project.up("pool")
    pool = project.container("pool")
    image = docker("inspect", "-f", "{{.Config.Image}}", pool)
    network = docker(
        "inspect", "-f", "{{range $name, $_ := .NetworkSettings.Networks}}{{$name}}{{end}}", pool
    )
    stranger = docker("run", "-d", "--network", network, image, "sleep", "60")
    try:
        project.down()
        assert docker("network", "ls", "-q", "--filter", f"name={network}") == ""
    finally:
        docker("rm", "-f", stranger)
