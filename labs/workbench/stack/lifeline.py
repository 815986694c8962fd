"""A child never outlives its supervisor, and never leaves without a word about the line that made it leave."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from typing import Any, NoReturn

from workbench.stack.blame import Place, in_frame

_PR_SET_PDEATHSIG = 1
_PR_SET_NAME = 15

leave = os._exit
"""The real one; `report_exits` puts another in its place."""


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


def report_exits(report: Callable[[str, Place | None], None]) -> None:
    """Calls `report(what, place)` just before code of this process ends it by `os._exit`, `os.kill` and their like."""
    me = os.getpid()

    def exiting(status: int = 0) -> NoReturn:
        if os.getpid() == me:  # not in a forked child
            report(f"called os._exit({status})", in_frame(sys._getframe(1)))
        leave(status)

    os._exit = exiting

    def hook(event: str, args: tuple[Any, ...]) -> None:
        if event == "os.kill" and args[0] in (me, 0, -1) and os.getpid() == me and args[1]:
            report(f"sent itself signal {args[1]}", in_frame(sys._getframe(1)))
        elif event == "os.killpg" and args[0] in (me, 0) and os.getpid() == me and args[1]:
            report(f"sent its process group signal {args[1]}", in_frame(sys._getframe(1)))
        elif event == "os.exec" and os.getpid() == me:
            report(f"replaced itself by {args[0]!r}", in_frame(sys._getframe(1)))

    sys.addaudithook(hook)
