"""A child never outlives its supervisor."""

from __future__ import annotations

import os
import signal
import sys

from reference.platform.exits import leave

_PR_SET_PDEATHSIG = 1
_PR_SET_NAME = 15


def die_with_parent(parent: int) -> None:
    """Linux: the kernel kills this process when its parent dies, also while it is stopped or loops inside C code.

    Elsewhere the guardian does that. `parent`: the process id that the parent had when it started us.
    """
    if sys.platform != "linux":
        return
    import ctypes

    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:  # it died before the call above
        leave(1)


def call_myself(name: str) -> None:
    """Linux: what a list of processes shows, such as `ps -o comm` or `top`. 15 characters of it."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(_PR_SET_NAME, name.encode()[:15], 0, 0, 0)
