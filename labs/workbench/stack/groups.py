"""Ending and pausing a process together with all that it has started."""

from __future__ import annotations

import contextlib
import os
import signal

import psutil


def kill_group(pid: int) -> None:
    """Kills a role's process group (POSIX), or the process and its descendants (elsewhere)."""
    if os.name == "posix":
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGKILL)
        return
    with contextlib.suppress(psutil.Error):
        process = psutil.Process(pid)
        for one in [*process.children(recursive=True), process]:
            with contextlib.suppress(psutil.Error):
                one.kill()


def suspend(pid: int, stop: bool) -> None:
    if os.name == "posix":
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGSTOP if stop else signal.SIGCONT)
    else:
        with contextlib.suppress(psutil.Error):
            (psutil.Process(pid).suspend if stop else psutil.Process(pid).resume)()
