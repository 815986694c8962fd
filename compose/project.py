"""A Compose project: up, asked, broken, and away again with all that it held."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from reference.platform.port_lease import PortLease

COMPOSE = Path(__file__).parent
PROFILE = "url-shortener"
APPS = ("app-1", "app-2", "app-3")
DOWNS = 4
"""Times that a project is told to go."""
ASK_METRICS = (
    "import urllib.request as u; print(u.urlopen('http://127.0.0.1:8000/metrics', timeout=5).read().decode())"
)


class ProjectError(Exception):
    """Docker said no, with what it said."""


class Project:
    """`name`: of the project, and so of its containers, networks and volumes. `environment`: for compose.yaml.
    `profiles`: besides that of the case."""

    def __init__(
        self,
        name: str,
        *,
        subnet: str,
        environment: dict[str, str] | None = None,
        files: Sequence[Path] = (),
        profiles: Sequence[str] = (),
    ) -> None:
        self.name = name
        chosen = [part for path in (COMPOSE / "compose.yaml", *files) for part in ("-f", str(path))]
        self._command = ["docker", "compose", "-p", name, *chosen]
        for profile in (PROFILE, *profiles):
            self._command += ["--profile", profile]
        self.environment = {**os.environ, "SUBNET": subnet, **(environment or {})}

    def run(self, *arguments: str, timeout: float = 180) -> str:
        """`docker compose ...`; what it printed. ProjectError."""
        return _ran([*self._command, *arguments], timeout, self.environment)

    def up(self, *services: str) -> None:
        """Returns once all of them, or these, are healthy."""
        self.run("up", "--wait", "--no-build", "--pull", "never", *services)

    def down(self) -> None:
        """With its volumes."""
        for left in reversed(range(DOWNS)):
            try:
                self.run("down", "--volumes", "--timeout", "1", "--remove-orphans")
                if not (networks := self._networks()):
                    return
                self._empty(networks)
            except ProjectError:  # the engine may still hold what it has just removed
                if not left:
                    raise
                time.sleep(2)
        raise ProjectError(f"{self.name}: there are still the networks {', '.join(networks)}")

    def _networks(self) -> list[str]:
        label = f"label=com.docker.compose.project={self.name}"
        return _ran(["docker", "network", "ls", "-q", "--filter", label], 30).split()

    def _empty(self, networks: list[str]) -> None:
        """An engine may keep, for as long as it lives, the place in a network of a container that it has removed: then
        Compose leaves the network, without an error, and no container of that name finds a place in it again."""
        for network in networks:
            names = "{{range .Containers}}{{.Name}} {{end}}"
            for name in _ran(["docker", "network", "inspect", "-f", names, network], 30).split():
                _ran(["docker", "network", "disconnect", "-f", network, name], 30)

    @contextmanager
    def running(self, *services: str) -> Iterator[None]:
        """All of them, or these, from healthy to away. What an earlier run left under this name goes first."""
        self.down()
        try:
            self.up(*services)
            yield
        finally:
            self.down()

    def start(self, service: str) -> None:
        """What was killed or stopped. Returns once it is healthy."""
        self.run("up", "--wait", "--no-build", "--pull", "never", "--no-deps", service)

    def renew(self, service: str) -> None:
        """A new container in the place of the old one, which drains first. Returns once it is healthy."""
        self.run("up", "--wait", "--no-build", "--pull", "never", "--no-deps", "--force-recreate", service)

    def kill(self, service: str) -> None:
        self.call("kill", service)

    def call(self, what: str, service: str) -> None:
        """What the engine itself does with a container (kill, pause, unpause), in a hundredth of Compose's time."""
        _ran(["docker", what, self.container(service)], 30)

    def container(self, service: str) -> str:
        return f"{self.name}-{service}-1"

    def log(self, service: str) -> list[str]:
        """The lines that its container has written, to either stream."""
        argv = ["docker", "logs", self.container(service)]
        told = subprocess.run(argv, capture_output=True, text=True, check=True, timeout=30)
        return (told.stdout + told.stderr).splitlines()

    def command(self, service: str, name: str, args: dict[str, Any]) -> Any:
        """Has the process in a container of ours carry out a command; its answer. ProjectError: it could not."""
        argv = ["docker", "exec", self.container(service), "python", "-m", "reference.serve"]
        return json.loads(_ran([*argv, "command", name, json.dumps(args)], 30))["ok"]

    def set(self, name: str, value: Any) -> None:
        """A live setting, on every app server."""
        for app in APPS:
            self.command(app, "set", {"name": name, "value": value})

    def metrics(self, services: Sequence[str] = APPS) -> dict[str, float]:
        """The figures of these processes, each `service name{label="value",...}`. Of one that is away: nothing."""
        found: dict[str, float] = {}
        for service in services:
            try:
                text = _ran(["docker", "exec", self.container(service), "python", "-c", ASK_METRICS], 15)
            except ProjectError:
                continue
            for family in text_string_to_metric_families(text):
                for sample in family.samples:
                    labels = ",".join(f'{name}="{value}"' for name, value in sorted(sample.labels.items()))
                    found[f"{service} {sample.name}{{{labels}}}"] = sample.value
        return found

    def secret(self, name: str) -> str:
        return (COMPOSE / "secrets" / name).read_text("utf-8")


def free_ports(names: Iterable[str]) -> dict[str, str]:
    """A port that nobody has for each variable of compose.yaml: free now, and to be taken soon."""
    leases = {name: PortLease() for name in names}
    ports = {name: str(lease.port) for name, lease in leases.items()}
    for lease in leases.values():
        lease.release()
    return ports


@contextmanager
def stack(name: str, subnet: str, profiles: Sequence[str] = ()) -> Iterator[tuple[Project, str]]:
    """A project of that name on free ports, and its URL; away at the end."""
    environment = free_ports(("HTTP_PORT", "HTTPS_PORT", "PROMETHEUS_PORT", "ALERTMANAGER_PORT"))
    base = f"http://127.0.0.1:{environment['HTTP_PORT']}"
    project = Project(name, subnet=subnet, environment=environment | {"PUBLIC_URL": base}, profiles=profiles)
    with project.running():
        yield project, base


def _ran(argv: list[str], timeout: float, environment: dict[str, str] | None = None) -> str:
    try:
        done = subprocess.run(
            argv, env=environment, capture_output=True, text=True, timeout=timeout, check=False
        )
    except subprocess.TimeoutExpired as late:
        raise ProjectError(f"{' '.join(argv[:8])} ... did not end within {timeout:g} s") from late
    if done.returncode:
        raise ProjectError(f"{' '.join(argv)}: {done.stderr[-3000:].strip()}")
    return done.stdout
