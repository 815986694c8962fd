"""A Compose project of a test's own: up, asked, broken, and away again with all that it held."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

COMPOSE = Path(__file__).parents[2] / "compose"
PROFILE = "url-shortener"


@cache
def missing() -> str | None:
    """Why nothing here can run, or None."""
    try:
        asked = subprocess.run(["docker", "compose", "version"], capture_output=True, check=False, timeout=30)
        engine = subprocess.run(["docker", "version"], capture_output=True, check=False, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return "there is no docker on PATH"
    if engine.returncode:
        return "no Docker engine answers"
    if asked.returncode:
        return "docker has no Compose v2"
    if not (COMPOSE / ".env").exists():
        return "there are no images yet: make images"
    return None


class Project:
    """`name`: of the project, and so of its containers, networks and volumes. `environment`: for compose.yaml."""

    def __init__(
        self, name: str, *, subnet: str, environment: dict[str, str] | None = None, files: Sequence[Path] = ()
    ):
        self.name = name
        chosen = [part for path in (COMPOSE / "compose.yaml", *files) for part in ("-f", str(path))]
        self._command = ["docker", "compose", "-p", name, *chosen, "--profile", PROFILE]
        self._environment = {**os.environ, "SUBNET": subnet, **(environment or {})}

    def run(self, *arguments: str, timeout: float = 180) -> str:
        """What it printed. AssertionError, with what it said, if it failed."""
        done = subprocess.run(
            [*self._command, *arguments],
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        assert done.returncode == 0, f"docker compose {' '.join(arguments)}: {done.stderr[-3000:]}"
        return done.stdout

    def up(self, *services: str) -> None:
        """Returns once all of them, or these, are healthy."""
        self.run("up", "--wait", "--no-build", "--pull", "never", *services)

    def down(self) -> None:
        self.run("down", "--volumes", "--timeout", "1", "--remove-orphans")

    def call(self, what: str, service: str) -> None:
        """What the engine itself does with a container: kill, pause, unpause. In a hundredth of Compose's time."""
        name = f"{self.name}-{service}-1"
        subprocess.run(["docker", what, name], capture_output=True, check=True, timeout=30)

    def kill(self, service: str) -> None:
        self.call("kill", service)

    def start(self, service: str) -> None:
        """Returns once it is healthy."""
        self.up(service)

    def log(self, service: str) -> list[str]:
        """The lines that its container has written, to either stream."""
        name = f"{self.name}-{service}-1"
        told = subprocess.run(
            ["docker", "logs", name], capture_output=True, text=True, check=True, timeout=30
        )
        return (told.stdout + told.stderr).splitlines()

    def command(self, service: str, name: str, args: dict[str, Any]) -> Any:
        """Has the process in a container of ours carry out a command; its answer. AssertionError: it could not."""
        told = json.dumps(args)
        printed = self.run("exec", "-T", service, "python", "-m", "reference.serve", "command", name, told)
        return json.loads(printed)["ok"]

    def secret(self, name: str) -> str:
        return (COMPOSE / "secrets" / name).read_text("utf-8")
