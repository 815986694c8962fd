"""The whole profile as a project of its own, started once for all tests of this folder, and away after them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from workbench.stack.containers.engine import missing

from compose.project import Project
from compose.project import stack as project_stack
from tests import worker


class Running:
    """`http`, `https`: base URLs of the edge."""

    def __init__(self, project: Project, http: str) -> None:
        self.project, self.http = project, http
        self.https = f"https://127.0.0.1:{project.environment['HTTPS_PORT']}"


@pytest.fixture(scope="package")
def running() -> Iterator[Running]:
    if (reason := missing()) is not None:
        pytest.skip(reason)
    with project_stack(f"workbench-test-{worker.number()}", f"10.213.{224 + worker.number()}") as (
        project,
        base,
    ):
        yield Running(project, base)
