"""The whole profile as a project of its own, started once for all tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from reference.platform.port_lease import PortLease
from tests.compose.project import Project, missing


class Running:
    """`http`, `https`: base URLs of the edge."""

    def __init__(self, project: Project, http: str, https: str) -> None:
        self.project, self.http, self.https = project, http, https


@pytest.fixture(scope="session")
def running() -> Iterator[Running]:
    if (reason := missing()) is not None:
        pytest.skip(reason)
    leases = [PortLease(), PortLease()]
    ports = [lease.port for lease in leases]
    for lease in leases:
        lease.release()
    http, https = f"http://127.0.0.1:{ports[0]}", f"https://127.0.0.1:{ports[1]}"
    environment = {"HTTP_PORT": str(ports[0]), "HTTPS_PORT": str(ports[1]), "PUBLIC_URL": http}
    project = Project("workbench-test", subnet="172.31.242", environment=environment)
    project.down()
    try:
        project.up()
        yield Running(project, http, https)
    finally:
        project.down()
