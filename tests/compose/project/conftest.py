"""The whole profile as a project of its own, started once for all tests of this folder, and away after them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from workbench.stack.containers.engine import missing

from compose.project import Project
from compose.project import stack as project_stack
from tests import worker
from tests.folder import SharedInFolder


class Running:
    """`http`, `https`: base URLs of the edge."""

    def __init__(self, project: Project, http: str) -> None:
        self.project, self.http = project, http
        self.https = f"https://127.0.0.1:{project.environment['HTTPS_PORT']}"


@contextmanager
def start() -> Iterator[Running]:
    name, subnet = f"workbench-test-{worker.number()}", f"10.213.{224 + worker.number()}"
    with project_stack(name, subnet) as (project, base):
        yield Running(project, base)


SHARED = SharedInFolder(Path(__file__).parent, start)


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(nextitem: pytest.Item | None) -> None:
    SHARED.leave_before(nextitem)


@pytest.fixture(scope="session")
def running() -> Running:
    if (reason := missing()) is not None:
        pytest.skip(reason)
    return SHARED.get()
