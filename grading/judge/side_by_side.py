"""Every other requirement in a second process: a learner who waits for `check` waits half as long.

Marks are not given this way: there whole submissions are judged side by side, which costs nothing in starts. Which
requirement is judged where is fixed, so that the verdict does not depend on which process is quicker.
"""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Sequence
from multiprocessing.connection import Connection

from grading.judge import pace
from grading.judge.engine import Part, judge_part
from grading.judge.protocol import HostUnusable
from grading.judge.requirement import Requirement, Suite
from grading.judge.sandbox import Isolation


def judge_halves(
    suite: Suite, source: str, seeds: Sequence[int], requirements: Sequence[Requirement], isolation: Isolation
) -> list[Part]:
    """The parts, of every other requirement each. Without `fork` (Windows) one after the other. HostUnusable."""
    here, there = pace.two_cores()
    first, second = requirements[::2], requirements[1::2]
    if (
        not hasattr(os, "fork") or threading.active_count() > 1
    ):  # a fork takes no other thread along, but their locks
        return [judge_part(suite, source, seeds, half, isolation=isolation) for half in (first, second)]
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe()

    def other_half() -> None:
        ours.close()
        threading.Thread(target=_leave_with, args=(theirs,), daemon=True).start()
        try:
            theirs.send(judge_part(suite, source, seeds, second, isolation=isolation, core=there))
        except HostUnusable as error:
            theirs.send(error)

    child = context.Process(target=other_half, name="the other half", daemon=True)
    child.start()
    theirs.close()
    try:
        part = judge_part(suite, source, seeds, first, isolation=isolation, core=here)
        other = ours.recv()
    except EOFError:
        raise HostUnusable(f"the judge's second process ended early (status {child.exitcode})") from None
    finally:
        ours.close()
        child.join()
    if isinstance(other, HostUnusable):
        raise other
    return [part, other]


def _leave_with(theirs: Connection) -> None:
    """The first process may be killed, as by a notebook's stop button: then nobody waits for this one."""
    try:
        theirs.recv()
    except (EOFError, OSError):
        os._exit(1)
