"""One role of a stack as a process: `python -m workbench.stack.child ROLE KIND PARENT DUMPS`.

Standard input and output carry JSON lines. First comes the configuration; then, from the supervisor, commands
`{"id": 1, "command": "swap", "args": {...}}`; to it go `{"ready": {...}}`, `{"heartbeat": {...}}`,
`{"id": 1, "ok": ...}` or `{"id": 1, "error": {...}}`, and `{"event": {...}}`. The end of the input ends the process.

The heartbeat comes from the event loop, so it stops when code blocks the loop. Then the supervisor asks by SIGUSR1
where the process is, and faulthandler writes the traceback to the file DUMPS: in C, whatever holds the GIL.
"""

from __future__ import annotations

import asyncio
import contextlib
import faulthandler
import importlib
import signal
import sys
import threading
import traceback
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from reference.platform import blame, exits
from reference.platform.event_loop import loop_factory, settle
from workbench.stack import lifeline
from workbench.stack.channel import Channel
from workbench.stack.memory import MB, MemoryWatch

if TYPE_CHECKING:
    from reference.platform.process import EventSink, Runnable

HEARTBEAT = 0.25
BLOCKED = 1.0  # seconds without a heartbeat after which the traceback is written where there is no SIGUSR1
ASKED = hasattr(faulthandler, "register")
"""POSIX. A timer of faulthandler's would do everywhere, but it reads the frames of a thread that may be running: a
process that had been stopped for a second, and went on, crashed in one of 500 times (CPython 3.11)."""


def make(kind: str, config: dict[str, Any], events: EventSink) -> Runnable:
    if kind == "network":
        from workbench.stack.network import Network

        return Network(**config["network"])
    from reference.build import runnable
    from reference.platform.settings import Settings

    return runnable(kind, Settings(**config["settings"]), events)


def prepare(kind: str) -> None:
    """Imports what a process of that kind needs."""
    if kind == "network":
        importlib.import_module("workbench.stack.network")
    else:
        importlib.import_module("reference.build").factory(kind)


class Child:
    """Serves one Runnable to the supervisor."""

    def __init__(self, channel: Channel, dumps: IO[str]) -> None:
        self.channel = channel
        self.dumps = dumps
        self.memory = MemoryWatch()
        self.stopped = asyncio.Event()
        self.tasks: set[asyncio.Task[None]] = set()

    async def serve(self, kind: str, config: dict[str, Any]) -> None:
        loop = asyncio.get_running_loop()
        try:
            runnable = make(kind, config, self.event)
            addresses = await runnable.start()
            settle(kind)
        except Exception as error:
            traceback.print_exc()
            self.channel.send({"failed": f"{type(error).__name__}: {error}"})
            return
        self.channel.send({"ready": addresses})
        threading.Thread(target=self._read, args=(loop, runnable), daemon=True, name="supervisor").start()
        beat = loop.create_task(self._beat(runnable))
        await self.stopped.wait()
        beat.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await beat
        faulthandler.cancel_dump_traceback_later()

    def event(self, event: dict[str, Any]) -> None:
        self.channel.send({"event": event})

    def _read(self, loop: asyncio.AbstractEventLoop, runnable: Runnable) -> None:
        """A thread: commands go to the loop; the end of the input ends the process, whatever the loop does."""
        while (message := self.channel.receive()) is not None:
            loop.call_soon_threadsafe(self._begin, runnable, message)
        exits.leave(0)

    def _begin(self, runnable: Runnable, message: dict[str, Any]) -> None:
        task = asyncio.get_running_loop().create_task(self._command(runnable, message))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def _command(self, runnable: Runnable, message: dict[str, Any]) -> None:
        name, number = message["command"], message["id"]
        try:
            if name == "stop":
                await runnable.stop()
                answer = None
            elif name == "health":
                answer = runnable.health()
            else:
                answer = await runnable.command(name, message.get("args") or {})
        except Exception as error:
            self.channel.send({"id": number, "error": blame.describe(error)})
        else:
            self.channel.send({"id": number, "ok": answer})
        if name in ("swap", "unswap"):
            self.memory.reset()
        if name == "stop":
            self.stopped.set()

    async def _beat(self, runnable: Runnable) -> None:
        while True:
            if not ASKED:
                faulthandler.dump_traceback_later(BLOCKED, exit=False, file=self.dumps)
            if self.dumps.seek(0, 2):  # what a loop that has come back left behind
                self.dumps.truncate(0)
            grown = self.memory.grown()
            self.channel.send({"heartbeat": runnable.health() | {"tracing": self.memory.tracing}})
            if grown:
                self._leaked()
            await asyncio.sleep(HEARTBEAT)

    def _leaked(self) -> None:
        self.event({"kind": "leaking"})  # counting may take longer than a heartbeat: ask for patience
        holder = self.memory.largest_holder()
        if holder:
            place, size = holder
            self.event({"kind": "leaked", "megabytes": round(size / MB), **place.json()})
        else:
            self.event({"kind": "leaked"})
        self.memory.reset()


def run(child: Child, kind: str, config: dict[str, Any]) -> int:
    runner = asyncio.Runner(loop_factory=loop_factory(kind))
    try:
        runner.run(child.serve(kind, config))
    except (SystemExit, KeyboardInterrupt) as end:  # raised in a task or a callback: it stops the loop
        place = blame.in_exception(end)
        what = f"raised {type(end).__name__}"
        child.event({"kind": "exiting", "what": what, **(place.json() if place else {})})
        traceback.print_exc()
        return end.code if isinstance(end, SystemExit) and isinstance(end.code, int) else 1
    runner.close()
    return 0


def main() -> None:
    _role, kind, parent, dumps_path = sys.argv[1:5]  # the role: for whoever reads a list of processes
    serve_role(kind, int(parent), dumps_path)


def serve_role(kind: str, parent: int, dumps_path: str) -> None:
    """From the first line on its standard input to its end; does not return."""
    lifeline.die_with_parent(parent)
    channel = Channel.take_over()
    with Path(dumps_path).open("a", encoding="utf-8") as dumps:
        faulthandler.enable(file=dumps)
        if ASKED:
            faulthandler.register(signal.SIGUSR1, file=dumps, all_threads=True)
        prepare(kind)  # while the services that it needs are starting
        config = channel.receive()
        if config is None:
            exits.leave(0)
        child = Child(channel, dumps)

        def report(what: str, place: blame.Place | None) -> None:
            child.event({"kind": "exiting", "what": what, **(place.json() if place else {})})

        exits.report_exits(report)
        status = run(child, kind, config)
        sys.stdout.flush()
        sys.stderr.flush()
        faulthandler.cancel_dump_traceback_later()
        exits.leave(status)  # whatever threads or exit handlers a component has left


if __name__ == "__main__":
    main()
