"""The whole profile as a project of its own, started once for all tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from compose.chaos.__main__ import stack
from compose.chaos.project import Project, missing


class Running:
    """`http`, `https`: base URLs of the edge."""

    def __init__(self, project: Project, http: str) -> None:
        self.project, self.http = project, http
        self.https = f"https://127.0.0.1:{project.environment['HTTPS_PORT']}"


@pytest.fixture(scope="session")
def running() -> Iterator[Running]:
    if (reason := missing()) is not None:
        pytest.skip(reason)
    with stack("workbench-test", "172.31.242") as (project, base):
        yield Running(project, base)
