"""What is asked of the engine: which containers a project has, and what runs in them."""

from __future__ import annotations

import json
import re
import subprocess
import time
from collections.abc import Iterable

from compose.backup.errors import BackupError

SHARD = re.compile(r"shard-\d+")
"""The names of services that hold links; not those of their exporters."""
HEALTHY_WITHIN = 120.0
"""Seconds for servers that are started again."""


def docker(*arguments: str, timeout: float = 120) -> str:
    """What it printed. BackupError, with what it complained of."""
    try:
        done = subprocess.run(
            ["docker", *arguments], capture_output=True, text=True, timeout=timeout, check=False
        )
    except OSError as error:
        raise BackupError(f"there is no docker: {error}") from error
    except subprocess.TimeoutExpired as error:
        raise BackupError(f"docker {' '.join(arguments[:3])} ... did not end within {timeout:g} s") from error
    if done.returncode:
        raise BackupError(f"docker {' '.join(arguments[:3])} ...: {done.stderr.strip()[-2000:]}")
    return done.stdout


def services(project: str) -> dict[str, str]:
    """By service the container of it that runs."""
    told = docker(
        "ps",
        *("--filter", f"label=com.docker.compose.project={project}"),
        *("--filter", "label=com.docker.compose.oneoff=False"),
        *("--format", '{{.Label "com.docker.compose.service"}} {{.Names}}'),
    )
    found = dict(line.split() for line in sorted(told.splitlines()))
    if not found:
        raise BackupError(f"nothing of a project {project!r} runs here")
    return found


def databases(running: dict[str, str]) -> dict[str, str]:
    """Those of the services that hold a database; the store first."""
    names = sorted(name for name in running if SHARD.fullmatch(name))
    if "store" not in running or not names:
        raise BackupError("neither store nor shards may be away")
    return {name: running[name] for name in ("store", *names)}


def servers(running: dict[str, str]) -> list[str]:
    """The containers that use the databases: app servers, consumers, keepers."""
    told = json.loads(docker("inspect", *running.values()))
    return [
        each["Name"].strip("/")
        for each in told
        if any(variable.startswith("WORKBENCH_STORE_URL=") for variable in each["Config"]["Env"])
    ]


def stop(containers: Iterable[str]) -> None:
    if containers := list(containers):
        docker("stop", "--time", "15", *containers)


def start(containers: Iterable[str]) -> None:
    """Returns once they are healthy. BackupError: they do not become so."""
    if not (containers := list(containers)):
        return
    docker("start", *containers)
    deadline = time.monotonic() + HEALTHY_WITHIN
    while unwell := [name for name in containers if state(name) != "healthy"]:
        if time.monotonic() > deadline:
            raise BackupError(f"not healthy within {HEALTHY_WITHIN:g} s: {', '.join(unwell)}")
        time.sleep(0.5)


def state(container: str) -> str:
    return docker("inspect", "--format", "{{.State.Health.Status}}", container).strip()
