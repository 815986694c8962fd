"""How much processor time another process has used: all its threads, in user code and in the system for it.

psutil says it everywhere, but on Linux in steps of 10 ms, which is what ten redirects cost. POSIX has a clock for each
process, which Linux counts in nanoseconds; where there is one, that is read.
"""

from __future__ import annotations

import ctypes
import sys
import time
from collections.abc import Callable

import psutil


def seconds_of(pid: int, *, family: bool = False) -> float | None:
    """Since its start; None: there is no such process. `family`: its children too, such as those of PostgreSQL."""
    try:
        process = psutil.Process(pid)
        members = [process, *(process.children(recursive=True) if family else [])]
        return sum(_one(member) for member in members)
    except (psutil.Error, OSError):
        return None


def _one(process: psutil.Process) -> float:
    if _clock_of is not None and (clock := _clock_of(process.pid)) is not None:
        return time.clock_gettime(clock)
    times = process.cpu_times()
    return float(times.user + times.system)


def _posix() -> Callable[[int], int | None] | None:
    """clock_getcpuclockid of the C library."""
    if sys.platform != "linux":
        return None
    try:
        function = ctypes.CDLL(None).clock_getcpuclockid
    except (OSError, AttributeError):
        return None

    def clock_of(pid: int) -> int | None:
        clock = ctypes.c_int()
        return clock.value if function(pid, ctypes.byref(clock)) == 0 else None

    return clock_of


_clock_of = _posix()
