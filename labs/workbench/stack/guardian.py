"""Outlives the supervisor by a moment, to clear up after one that was killed. Standard library only.

Run as `python guardian.py DIRECTORY...`; reads lines from its standard input, which the supervisor holds:
`+PID` a process group began, `-PID` it ended, `project NAME` there are containers of that Compose project, `done` the
supervisor stopped as it should. When the input ends without `done`, every group that has not ended is killed, and the
containers and the directories are removed. The kernel's own way (Linux,
PR_SET_PDEATHSIG) is quicker, but it does not know other systems, nor what a child itself has started.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time


def kill(pid: int) -> None:
    with contextlib.suppress(OSError):
        if os.name == "posix":
            os.killpg(pid, signal.SIGKILL)
        else:
            os.kill(pid, signal.SIGTERM)  # Windows: TerminateProcess


def remove(directories: list[str]) -> None:
    """Several times over: a process that is just dying may still write."""
    for _ in range(20):
        for directory in directories:
            shutil.rmtree(directory, ignore_errors=True)
        if not any(os.path.lexists(directory) for directory in directories):
            return
        time.sleep(0.1)


def take_down(project: str, seconds: int = 0) -> None:
    """Its containers, which have so many seconds to drain, networks and volumes."""
    argv = [
        "docker",
        "compose",
        "-p",
        project,
        "down",
        "--volumes",
        "--timeout",
        str(seconds),
        "--remove-orphans",
    ]
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        subprocess.run(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=60, check=False)


def main(directories: list[str]) -> int:
    groups: set[int] = set()
    projects: list[str] = []
    for line in sys.stdin:
        word = line.strip()
        if word == "done":
            return 0
        if word.startswith("+"):
            groups.add(int(word[1:]))
        elif word.startswith("-"):
            groups.discard(int(word[1:]))
        elif word.startswith("project "):
            projects.append(word.removeprefix("project "))
    for pid in groups:
        kill(pid)
    for project in projects:
        take_down(project)
    remove(directories)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
