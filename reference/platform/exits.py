"""No process ends without a word about the line that ended it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any, NoReturn

from reference.platform.blame import Place, in_frame

leave = os._exit
"""The real one; `report_exits` puts another in its place."""


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
