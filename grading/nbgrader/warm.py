"""A judge that stays: a process that judges one component after the other, each in a fork of itself.

What a fresh judge needs a third of a second for (imports, its checks, the sandbox's probe) this one did once. Nothing
else is different: the same command line, the same verdict, the same limit on wall time, after which all of it is ended.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Sequence
from dataclasses import dataclass
from queue import Empty, SimpleQueue

from grading.judge import pace

POSSIBLE = hasattr(os, "fork")


class NoAnswer(Exception):
    """It ended, or took too long. It is of no use any more; the message says which."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the command would have come to: its exit status, and what it would have printed."""

    status: int
    out: str
    err: str


class WarmJudge:
    """Of one thread. `command`: how the judge is called, without arguments. `core`: the one that it and its components
    stay on; None: where the system puts them. Ended by `close`, or with the last reference to it."""

    def __init__(self, command: Sequence[str], core: int | None = None) -> None:
        self._process = subprocess.Popen(
            [*command, "--serve"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            start_new_session=True,
        )
        self.close = weakref.finalize(self, _end, self._process)
        if core is not None:
            pace.bind({core}, self._process.pid)

    def ask(self, argv: Sequence[str], source: str, wall_limit: float) -> Answer:
        """NoAnswer."""
        assert self._process.stdin is not None
        request = json.dumps({"argv": list(argv), "source": source}).encode() + b"\n"
        until = time.monotonic() + wall_limit
        try:
            self._process.stdin.write(request)
            return Answer(**json.loads(self._line(until, wall_limit)))
        except (OSError, ValueError, TypeError) as error:
            self.close()
            raise NoAnswer(f"the judge ended: {error}") from None
        except BaseException:
            self.close()
            raise

    def _line(self, until: float, wall_limit: float) -> bytes:
        assert self._process.stdout is not None
        out, parts = self._process.stdout.fileno(), [b""]
        while not parts[-1].endswith(b"\n"):
            if not select.select([out], [], [], max(0.0, until - time.monotonic()))[0]:
                raise NoAnswer(f"no verdict within {wall_limit:g} s")
            parts.append(os.read(out, 1 << 20))
            if not parts[-1]:
                raise OSError("it said nothing more")
        return b"".join(parts)


def _end(process: subprocess.Popen[bytes]) -> None:
    """With whatever it is judging."""
    kill(process)
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()
    process.wait()


def kill(process: subprocess.Popen[bytes]) -> None:
    """Ends a judge and, where the system has process groups, whatever it started."""
    try:
        if sys.platform != "win32":
            os.killpg(process.pid, signal.SIGKILL)
            return
    except (ProcessLookupError, PermissionError):  # macOS: of a group that has ended
        pass
    process.kill()


_here = threading.local()


def cores_for(workers: int) -> SimpleQueue[int]:
    """A core for each of so many threads, if all cores are theirs: else two may judge on one while another rests."""
    cores: SimpleQueue[int] = SimpleQueue()
    allowed = sorted(pace.allowed_cores())
    if len(allowed) <= workers:
        for core in allowed:
            cores.put(core)
    return cores


def take_core(cores: SimpleQueue[int]) -> None:
    """For the judge of this thread."""
    with contextlib.suppress(Empty):
        _here.core = cores.get_nowait()


def of_this_thread(command: Sequence[str]) -> WarmJudge:
    """The judge of this thread, which ends with it. One that could not answer is replaced."""
    judge: WarmJudge | None = getattr(_here, "judge", None)
    if judge is None or not judge.close.alive:
        judge = _here.judge = WarmJudge(command, getattr(_here, "core", None))
    return judge
