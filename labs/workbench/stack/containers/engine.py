"""What is asked of a container engine, and why nothing can be."""

from __future__ import annotations

import io
import os
import socket
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

COMPOSE = Path(__file__).parents[4] / "compose"
API = "1.41"
"""Of the engine: Docker 20.10 has it, and so has everything since."""

STILL = "The profiles embedded and local need none: Stack() works."
INSTALL = "https://docs.docker.com/engine/install (Debian: apt install docker.io)"


def missing() -> str | None:
    """Why nothing can run in containers here, what still works, and what to do about it; None: it can."""
    if not (COMPOSE / "compose.yaml").is_file():
        return f"There is no folder compose/ beside this installation. {STILL}"
    if (reason := Engine.absent()) is not None:
        return f"{reason} {STILL} To install it: {INSTALL}"
    if not has_compose():
        return f"Docker has no Compose v2 (`docker compose version` fails). {STILL} To install it: https://docs.docker.com/compose/install"
    if not (COMPOSE / ".env").exists():
        return f"There are no images yet: run `make images` once. {STILL}"
    return None


@cache
def has_compose() -> bool:
    try:
        asked = subprocess.run(["docker", "compose", "version"], capture_output=True, check=False, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return asked.returncode == 0


class Engine:
    """The engine that DOCKER_HOST names, else the one of this machine. Its errors are docker.errors.DockerException."""

    def __init__(self) -> None:
        import docker

        self.errors = docker.errors
        self.api = docker.APIClient(address(), version=API, timeout=60)

    @staticmethod
    def absent() -> str | None:
        """Why no engine answers."""
        where = address()
        # Asked first without the SDK: it leaves a socket open where an engine was and left its file behind.
        if where.startswith("unix://") and not listens(urlsplit(where).path):
            return f"There is no Docker engine: nothing listens at {where}."
        import docker

        client = docker.APIClient(where, version=API, timeout=3)
        try:
            client.version(api_version=False)
        except Exception as error:
            return f"The Docker engine at {where} does not answer ({type(error).__name__})."
        finally:
            client.close()
        return None

    @property
    def is_here(self) -> bool:
        """Whether its processes may be processes of this machine, which can be looked at without it."""
        return sys.platform == "linux" and address().startswith("unix://")

    def version(self) -> str:
        return str(self.api.version(api_version=False)["Version"])

    def close(self) -> None:
        self.api.close()

    # containers
    def start(self, container: str) -> None:
        """Does nothing if it runs."""
        self.api.start(container)

    def stop(self, container: str, seconds: float) -> None:
        self.api.stop(container, timeout=max(1, round(seconds)))

    def kill(self, container: str) -> None:
        """Does nothing if it does not run."""
        try:
            self.api.kill(container)
        except self.errors.APIError as error:
            if error.status_code not in (404, 409):
                raise

    def pause(self, container: str) -> None:
        self.api.pause(container)

    def unpause(self, container: str) -> None:
        self.api.unpause(container)

    def look(self, container: str) -> dict[str, Any]:
        """As `docker inspect` shows it."""
        found: dict[str, Any] = self.api.inspect_container(container)
        return found

    def log(self, container: str, lines: int) -> str:
        """The last lines that it wrote, to either stream."""
        return bytes(self.api.logs(container, tail=lines)).decode("utf-8", "replace")

    def used(self, container: str) -> tuple[int, float]:
        """Bytes that its processes hold, without what the kernel could drop, and seconds of processor time. The
        engine takes a second to say so."""
        found = self.api.stats(container, stream=False, one_shot=True)
        memory = found.get("memory_stats", {})
        held = memory.get("usage", 0) - memory.get("stats", {}).get("inactive_file", 0)
        return held, found.get("cpu_stats", {}).get("cpu_usage", {}).get("total_usage", 0) / 1e9

    def read(self, container: str, path: str) -> str:
        """A file in the container, which need not run."""
        chunks, _ = self.api.get_archive(container, path)
        with tarfile.open(fileobj=io.BytesIO(b"".join(chunks))) as archive:
            file = archive.extractfile(archive.next() or "")
            return "" if file is None else file.read().decode("utf-8")

    def run_in(self, container: str, argv: list[str]) -> str:
        """Runs a program there; what it wrote. RuntimeError: it failed."""
        begun = self.api.exec_create(container, argv)
        told = bytes(self.api.exec_start(begun["Id"])).decode("utf-8", "replace")
        while (ended := self.api.exec_inspect(begun["Id"]))["Running"]:  # what it says may end before it does
            time.sleep(0.02)
        if status := ended["ExitCode"]:
            raise RuntimeError(f"{argv[0]} in {container} ended with {status}: {told.strip()[-500:]}")
        return told

    def of_project(self, project: str) -> list[dict[str, Any]]:
        """Its containers, those that have ended too."""
        label = f"com.docker.compose.project={project}"
        found = self.api.containers(all=True, filters={"label": label})
        return [self.look(each["Id"]) for each in found]

    def ends(self, project: str) -> Iterator[tuple[str, int]]:
        """The service and the exit status of each container that ends from now on. Blocks; ends with the connection."""
        filters = {"type": "container", "event": "die", "label": f"com.docker.compose.project={project}"}
        for event in self.api.events(decode=True, filters=filters):
            told = event["Actor"]["Attributes"]
            yield told["com.docker.compose.service"], int(told.get("exitCode", 0))

    def subnets(self) -> set[str]:
        """Of the networks that there are: `10.213.240.0/24`."""
        return {
            config.get("Subnet", "")
            for network in self.api.networks()
            for config in (network["IPAM"]["Config"] or ())
        }


def listens(path: str) -> bool:
    """Whether somebody takes connections there. True too where this user may not ask."""
    with socket.socket(socket.AF_UNIX) as asked:
        asked.settimeout(3)
        try:
            asked.connect(path)
        except (FileNotFoundError, ConnectionRefusedError, NotADirectoryError):
            return False
        except OSError:
            return True
    return True


def address() -> str:
    return os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock")
