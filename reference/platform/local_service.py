"""A server on this machine that belongs to one stack: how to start it, and what it needs for that."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from reference.platform.port_lease import PortLease

HOST = "127.0.0.1"
ENVIRONMENT = {"LC_ALL": "C", "TZ": "UTC"}


@dataclass(frozen=True, slots=True)
class ServiceSpec:
    """A server to start. `user`: the user to run it as, None for our own. `ready`: asks it, briefly, whether it
    serves; to be called from a thread. The folder and the port are its own for good: it may be killed and
    started again with the same spec. `lease`: what keeps its port from everybody else."""

    name: str
    argv: tuple[str, ...]
    cwd: Path
    url: str
    ready: Callable[[], bool]
    lease: PortLease
    user: str | None = None
    env: dict[str, str] = field(default_factory=lambda: dict(ENVIRONMENT))


def in_package(package: str, path: str) -> Path | None:
    """A file in an installed package, which is not imported for it."""
    spec = importlib.util.find_spec(package)
    for folder in (spec.submodule_search_locations or []) if spec else []:
        if (Path(folder) / path).exists():
            return Path(folder) / path
    return None


def write_secret(file: Path, text: str) -> Path:
    """A file that only its owner reads, from the first byte on."""
    file.touch(mode=0o600)
    file.write_text(text, "utf-8")
    return file
