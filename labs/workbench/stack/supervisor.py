"""The process that holds a stack together: `python -m workbench.stack.supervisor`. It never loads learner code.

The first line on its standard input is a `request.Request`; the answer on its standard output is one line,
`{"ready": {...}}` or `{"failed": "..."}`. An owned stack ends when that input ends, at once and without farewell:
its owner, such as a notebook's kernel, is gone. Another one ends on SIGTERM or by the control API.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import secrets
import shutil
import signal
import sys
import tempfile
import threading
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

from workbench.stack import state
from workbench.stack.control import ControlServer
from workbench.stack.errors import StartFailed
from workbench.stack.forked import Nursery
from workbench.stack.request import Request

if TYPE_CHECKING:
    from workbench.stack.assembly import Assembly


def say(message: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


def watch_owner(loop: asyncio.AbstractEventLoop, gone: asyncio.Event) -> None:
    """A thread: reads to the end of the input, where the owner is no more."""

    def read() -> None:
        while os.read(0, 1024):
            pass
        with contextlib.suppress(RuntimeError):  # the loop has closed
            loop.call_soon_threadsafe(gone.set)

    threading.Thread(target=read, daemon=True, name="owner").start()


async def supervise(request: Request, folder: Path, data: Path, nursery: Nursery | None) -> int:
    loop = asyncio.get_running_loop()
    gone = asyncio.Event()
    stack = assembly(request.profile)(request, folder, data, nursery)
    if request.owned:
        watch_owner(loop, gone)
    if os.name == "posix":
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            loop.add_signal_handler(number, stack.ending.set)
    token = secrets.token_urlsafe(32)
    control = ControlServer(token, stack.orders.handle, stack.describe)
    started = asyncio.ensure_future(stack.start())
    ending = asyncio.ensure_future(_first(gone, stack.ending))
    try:
        await asyncio.wait({started, ending}, return_when=asyncio.FIRST_COMPLETED)
        if not started.done():  # told to end while starting
            started.cancel()
            await asyncio.gather(started, return_exceptions=True)  # it must not start anything after the end
            return 1
        if (failure := started.exception()) is not None:
            say({"failed": _reason(failure)})
            return 1
        watch = loop.create_task(stack.watchdog.run())
        me = psutil.Process()
        found = state.StackState(
            name=request.name,
            case=request.case,
            profile=request.profile,
            pid=me.pid,
            created=me.create_time(),
            control=await control.start(),
            token=token,
            url=stack.plan.url,
            data=str(data),
        )
        state.write(found)
        say({"ready": asdict(found)})
        await ending
        watch.cancel()
        if not gone.is_set():
            await stack.stop()
        return 0
    finally:
        stack.kill_all()
        await asyncio.gather(*(role.wait() for role in stack.roles.values()), return_exceptions=True)
        stack.leave()
        await control.stop()


def assembly(profile: str) -> type[Assembly]:
    """What holds the processes of that profile. Imported now: that is slow, but the nursery is importing too."""
    if profile == "compose":
        from workbench.stack.containers.assembly import ComposeAssembly

        return ComposeAssembly
    from workbench.stack.assembly import Assembly

    return Assembly


async def _first(*events: asyncio.Event) -> None:
    tasks = [asyncio.ensure_future(event.wait()) for event in events]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()


def _reason(failure: BaseException) -> str:
    while isinstance(failure, BaseExceptionGroup):
        failure = failure.exceptions[0]
    return str(failure) if isinstance(failure, StartFailed) else f"{type(failure).__name__}: {failure}"


def _first_line() -> bytes:
    """Byte by byte: what comes after it is `watch_owner`'s to read."""
    line = b""
    while not line.endswith(b"\n") and (byte := os.read(0, 1)):
        line += byte
    return line


def main() -> int:
    try:
        request = Request(**json.loads(_first_line()))
        folder = state.claim(request.name)
    except (ValueError, TypeError, FileExistsError) as error:
        say({"failed": str(error)})
        return 1
    with (folder / "supervisor.log").open("ab") as log:
        os.dup2(log.fileno(), 2)
    data = Path(tempfile.mkdtemp(prefix=f"workbench-{request.name}-"))
    if request.profile == "local":
        data.chmod(0o711)  # a service that runs as another user must be able to reach its own folder in it
    forks = sys.platform == "linux" and request.profile != "compose"
    nursery = Nursery(folder / "nursery.log") if forks else None
    try:
        return asyncio.run(supervise(request, folder, data, nursery))
    except ValueError as error:  # what was asked for cannot be
        say({"failed": str(error)})
        raise
    except Exception as error:
        say({"failed": f"{type(error).__name__}: {error}"})
        raise
    finally:
        if nursery is not None:
            nursery.end()
        shutil.rmtree(data, ignore_errors=True)
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
