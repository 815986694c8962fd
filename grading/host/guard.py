"""Limits of the host process, so that a component ends with a clear line instead of hanging the judge.

This is not the sandbox (that is `grading.judge.sandbox`): it names the line. What it refuses, it refuses by an audit
hook, which Python code cannot take away again.
"""

from __future__ import annotations

import _thread
import faulthandler
import os
import signal
import sys
import threading
from collections.abc import Callable
from typing import Any

CPU_SECONDS_AT_ONCE = 2.0
"""Of processor time between two idle moments. A right component needs some thousandth of it."""

WALL_SECONDS_AT_ONCE = 15.0
"""The last resort, for what waits without using the processor: a lock that nobody frees, a blocking read."""

ADDRESS_SPACE = 512_000_000
"""Bytes. Python with redis-py takes a fifth."""

REFUSED = {
    "subprocess.Popen": "starting a process",
    "os.fork": "starting a process",
    "os.forkpty": "starting a process",
    "os.posix_spawn": "starting a process",
    "os.spawn": "starting a process",
    "os.startfile": "starting a process",
    "os.system": "starting a process",
    "os.exec": "becoming another program",
    "os.kill": "sending a signal",
    "os.killpg": "sending a signal",
    "signal.pthread_kill": "sending a signal",
    "_thread.start_new_thread": "starting a thread",
    "socket.connect": "opening a connection of its own",
    "socket.bind": "listening on a port",
    "socket.getaddrinfo": "looking up a host",
    "ctypes.dlopen": "calling C",
}


ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", "..")) + os.sep
HOST = os.path.join("grading", "host", "")
"""Tracebacks quote these files."""
OURS = ("reference", "grading", "workbench", "labs", "tests")
CONTRACTS = "reference.shortener.components"
ALLOWED = (
    "reference",
    "reference.platform",
    "reference.platform.errors",
    "reference.shortener",
    CONTRACTS,
    "reference.shortener.permutation",
)
"""What a component may import of this project: contracts. All else is how we would do it."""


class Refused(RuntimeError):
    """A component asked the operating system for something that no component needs."""


def install(on_refusal: Callable[[str], None], on_exit: Callable[[str], None]) -> None:
    """From now on what is in `REFUSED` raises `Refused`, and leaving the process is told first."""

    def hook(event: str, args: tuple[Any, ...]) -> None:
        if event == "import":
            what = not_for_components(args[0])
        elif event == "open":
            what = not_for_components(module_of(args[0]))
        else:
            what = REFUSED.get(event)
        if what is not None:
            on_refusal(what)
            raise Refused(f"{what} is not available under the judge ({event})")

    def no_thread(*args: Any, **kwargs: Any) -> Any:
        sys.audit("_thread.start_new_thread")  # before Python 3.12 starting one is not audited
        raise Refused("starting a thread is not available under the judge")

    real_exit = os._exit

    def tell_and_exit(status: int = 0) -> Any:
        on_exit(f"os._exit({status!r})")
        real_exit(status)

    os._exit = tell_and_exit
    os.abort = lambda: tell_and_exit(134)
    threading.Thread.start = no_thread  # type: ignore[method-assign]
    for name in ("start_new_thread", "start_new", "start_joinable_thread"):
        if hasattr(_thread, name):
            setattr(_thread, name, no_thread)
    sys.addaudithook(hook)


def module_of(path: object) -> str:
    """The module of ours that lies in the file `path`, as text or bytecode, by its dotted name; empty: none does."""
    if not isinstance(path, str):
        return ""
    inside = os.path.abspath(path).removeprefix(ROOT)
    first, _, rest = inside.partition(os.sep)
    if inside == path or first not in OURS or inside.startswith(HOST):
        return ""
    folder, _, name = rest.rpartition(os.sep)
    parts = [first, *folder.split(os.sep), name.partition(".")[0]]
    return ".".join(part for part in parts if part not in ("", "__pycache__", "__init__"))


def not_for_components(module: str) -> str | None:
    """What is refused where a component asks for a module that was not there yet; None: nothing is."""
    if module.partition(".")[0] not in OURS or module in ALLOWED or module.startswith(f"{CONTRACTS}."):
        return None
    return f"using {module}"


def limit_resources(cpu_seconds: int) -> None:
    """Where the system can. Asking for too much memory then raises MemoryError, on the line that asked.

    `cpu_seconds`: of processor time in all; when they are spent the process dies, and says where it was.
    """
    try:
        import resource
    except ImportError:  # Windows
        return
    if sys.platform.startswith("linux"):
        resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))  # no component writes files
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds + 5))


def share_core(core: int | None) -> None:
    """Run where the judge runs: the two take turns. None: anywhere."""
    if core is None:
        return
    try:
        os.sched_setaffinity(0, {core})
    except (AttributeError, OSError):
        pass  # slower, and nothing else


if sys.platform == "win32":

    def install_cpu_limit() -> None:
        """Windows has no timer of processor time."""

    def arm() -> None:
        """(Re)start the budget of one step."""
        faulthandler.dump_traceback_later(WALL_SECONDS_AT_ONCE, exit=True)

    def rest() -> None:
        """It is the judge's turn: nothing is counted."""
        faulthandler.cancel_dump_traceback_later()

else:

    def install_cpu_limit() -> None:
        """When a budget is spent: print where Python is (from C, also in the midst of C) and die."""
        faulthandler.enable(file=sys.stderr, all_threads=False)
        for number in (signal.SIGPROF, signal.SIGALRM, signal.SIGXCPU):
            signal.signal(number, signal.SIG_DFL)
            faulthandler.register(number, file=sys.stderr, all_threads=False, chain=True)
        arm()

    def arm() -> None:
        """(Re)start the budget of one step."""
        signal.setitimer(signal.ITIMER_PROF, CPU_SECONDS_AT_ONCE)
        signal.setitimer(signal.ITIMER_REAL, WALL_SECONDS_AT_ONCE)

    def rest() -> None:
        """It is the judge's turn: nothing is counted. (Who waits uses no processor.)"""
        signal.setitimer(signal.ITIMER_REAL, 0)
