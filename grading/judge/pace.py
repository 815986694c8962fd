"""What keeps a judgement quick without changing a byte of it: one core for two processes, no collections amid a run."""

from __future__ import annotations

import contextlib
import gc
import os
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def one_core(core: int | None = None) -> Iterator[int | None]:
    """Within, this thread stays on `core`, or the one on which it is running now. The host is told it, and joins it.

    Judge and host take strict turns, so a second core brings nothing, and waking it up takes ten times as long as
    changing over on the same one. None where threads cannot be bound (macOS, Windows), or there is but one core.
    """
    allowed = allowed_cores()
    core = _running_on() if core is None else core
    if len(allowed) < 2 or core not in allowed or not bind({core}):
        yield None
        return
    try:
        yield core
    finally:
        bind(allowed)


def two_cores() -> tuple[int | None, int | None]:
    """For two pairs of judge and host: the one of this thread, and another; None where there is no choice."""
    here = _running_on()
    others = sorted(allowed_cores() - {here})
    return (here, others[0]) if others and here in allowed_cores() else (None, None)


@contextlib.contextmanager
def no_collections() -> Iterator[None]:
    """Within, the garbage collector waits: what it would walk over is a record that is still needed."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def allowed_cores() -> set[int]:
    """Empty where the system does not say."""
    try:
        return set(os.sched_getaffinity(0))
    except (AttributeError, OSError):
        return set()


def bind(cores: set[int], process: int = 0) -> bool:
    """Whether it could be done. `process`: its id; 0: this thread."""
    try:
        os.sched_setaffinity(process, cores)
    except (AttributeError, OSError):
        return False
    return True


def _running_on() -> int:
    """The core that the system has put this thread on, which then was idle; -1 if it does not say."""
    try:
        return int(Path("/proc/thread-self/stat").read_text("utf-8").rpartition(")")[2].split()[36])
    except (OSError, ValueError, IndexError):
        return -1
