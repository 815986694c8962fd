"""`workbench doctor`: what of this machine the workbench can use, and what does not work without the rest."""

from __future__ import annotations

import argparse
import importlib.metadata
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Finding:
    """`needed`: without it nothing works. `without`: what does not work when it is absent."""

    what: str
    ok: bool
    detail: str
    without: str = ""
    needed: bool = False

    def __str__(self) -> str:
        line = f"{'ok    ' if self.ok else 'absent'}  {self.what}: {self.detail}"
        return line if self.ok or not self.without else f"{line}\n        {self.without}"


def add_parser(subparsers: argparse._SubParsersAction[Any]) -> None:
    text = "what of this machine can be used, and what does not work without the rest"
    parser = subparsers.add_parser("doctor", help=text, description=text)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """0 if all that the embedded profile needs is there."""
    found = list(examine())
    for finding in found:
        print(finding)
    return 0 if all(finding.ok for finding in found if finding.needed) else 1


def examine() -> Iterator[Finding]:
    for check in CHECKS:
        try:
            yield check()
        except Exception as error:  # one check that breaks must not hide the others
            yield Finding(check.__name__.replace("_", " "), False, f"{type(error).__name__}: {error}")


def python() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    ok = (3, 11) <= sys.version_info < (3, 14)
    return Finding("Python", ok, f"{version} on {sys.platform}", "it takes 3.11, 3.12 or 3.13", needed=True)


def packages() -> Finding:
    """Compares what is installed with the lock, where there is one."""
    from packaging.requirements import Requirement

    lock = ROOT / "requirements.lock"
    if not lock.is_file():
        return Finding("packages", True, "installed without the project's lock, so not compared")
    differ: list[str] = []
    count = 0
    for line in lock.read_text("utf-8").splitlines():
        if not line or line[0] in " #-":
            continue
        wanted = Requirement(line.rstrip(" \\"))
        if wanted.marker is not None and not wanted.marker.evaluate():
            continue
        count += 1
        try:
            version = importlib.metadata.version(wanted.name)
        except importlib.metadata.PackageNotFoundError:
            differ.append(f"{wanted.name} is missing")
        else:
            if not wanted.specifier.contains(version, prereleases=True):
                differ.append(f"{wanted.name} is {version}, not {wanted.specifier}")
    detail = f"{count} as in the lock" if not differ else "; ".join(differ[:5])
    return Finding(
        "packages", not differ, detail, "install the lock anew: rm .venv/.ready; make lab", needed=True
    )


def loopback() -> Finding:
    with socket.socket() as server, socket.socket() as client:
        server.bind(("127.0.0.1", 0))
        server.listen()
        client.settimeout(2)
        client.connect(server.getsockname())
    return Finding("loopback", True, "ports of 127.0.0.1 can be served and reached", needed=True)


def sandbox() -> Finding:
    without = "a check runs your component as an ordinary process, and its report says so"
    program = shutil.which("bwrap")
    if program is None:
        return Finding("sandbox", False, "no bubblewrap (Debian: apt install bubblewrap)", without)
    argv = [program, "--unshare-all", "--die-with-parent", "--ro-bind", "/", "/", "true"]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=10, check=False)
    if done.returncode:
        return Finding(
            "sandbox", False, f"bubblewrap does not work here: {done.stderr.strip()[:200]}", without
        )
    return Finding("sandbox", True, f"bubblewrap, {program}")


def services() -> Finding:
    from reference.platform.local import available

    missing = available()
    without = "the profile `local` does not start; `embedded` needs neither"
    detail = missing or "a Redis and a PostgreSQL to start"
    return Finding("real services", missing is None, detail, without)


def browser() -> Finding:
    names = ("chromium", "chromium-browser", "google-chrome")
    program = next((found for name in names if (found := shutil.which(name))), None)
    without = "the project's own browser tests skip; any browser will do for the notebooks"
    return Finding("Chromium", program is not None, program or "not on PATH", without)


def docker_engine() -> Finding:
    from workbench.stack.containers.engine import Engine, missing

    without = "the profile `compose` does not start; embedded and local need none"
    if (reason := missing()) is not None:
        return Finding("Docker engine", False, reason.partition(" The profiles")[0], without)
    engine = Engine()
    try:
        return Finding("Docker engine", True, f"version {engine.version()}, Compose v2, images")
    finally:
        engine.close()


def home() -> Finding:
    from workbench.stack import state

    folder = state.home()
    nearest = next(path for path in (folder, *folder.parents) if path.exists())
    ok = os.access(nearest, os.W_OK)
    return Finding("home", ok, str(folder) if ok else f"{nearest} cannot be written to", needed=True)


def stacks() -> Finding:
    from workbench.stack import state

    found = state.all_states()
    dead = [one.name for one in found if not one.alive()]
    running = ", ".join(one.name for one in found if one.alive()) or "none"
    if dead:
        return Finding("stacks", False, f"left behind: {', '.join(dead)}", "clear them: workbench down --all")
    return Finding("stacks", True, f"running: {running}")


CHECKS: tuple[Callable[[], Finding], ...] = (
    python,
    packages,
    loopback,
    home,
    sandbox,
    services,
    browser,
    docker_engine,
    stacks,
)
