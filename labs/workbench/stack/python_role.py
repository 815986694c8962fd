"""A role that is a child of ours, `python -m workbench.stack.child`: the supervisor's end of its channel."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

from reference.platform import blame
from workbench.stack.forked import Nursery
from workbench.stack.groups import kill_group
from workbench.stack.role import (
    LINE_LIMIT,
    START_TIMEOUT,
    CommandFailed,
    Process,
    Role,
    RoleError,
    RoleGone,
)


class PythonRole(Role):
    """A child of ours: `python -m workbench.stack.child`, with its channel. `nursery`: what forks it, where there is
    one; it starts in a tenth of the time."""

    commanded = True
    dumped = ""
    """Where it stood when it was asked, if it says so by its channel."""

    def __init__(self, name: str, kind: str, folder: Path, nursery: Nursery | None = None) -> None:
        super().__init__(name, kind, folder)
        self._nursery = nursery
        self.dump_path = folder / f"{name}.traceback"
        self._ready: asyncio.Future[dict[str, Any]] | None = None
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._ids = itertools.count(1)

    async def spawn(self) -> None:
        self.dump_path.write_bytes(b"")
        process = await self._fork() or await self._execute()
        self._ready = asyncio.get_running_loop().create_future()
        self._background(self._read(process, self._ready))

    async def _fork(self) -> Process | None:
        if self._nursery is None:
            return None
        self._begin()
        arguments = [self.name, self.kind, str(self.dump_path)]
        try:
            with self.log_path.open("ab") as log:
                process = await self._nursery.spawn(arguments, self.folder, log, LINE_LIMIT)
        except OSError:  # it was killed, and its children with it: from now on each starts alone
            self._nursery = None
            return None
        return self._launched(process)

    async def _execute(self) -> Process:
        arguments = [self.name, self.kind, str(os.getpid()), str(self.dump_path)]
        argv = [sys.executable, "-P", "-m", "workbench.stack.child", *arguments]
        return await self._launch(argv, pipes=True, cwd=self.folder)

    async def configure(self, config: dict[str, Any]) -> dict[str, Any]:
        """Sends the configuration; returns the addresses once the role serves. RoleError says why it does not."""
        assert self._ready is not None
        ready = self._ready
        self._write(config)
        try:
            async with asyncio.timeout(START_TIMEOUT):
                self.addresses = await ready
        except TimeoutError:
            self.kill()
            raise RoleError(f"{self.name} was not ready after {START_TIMEOUT:.0f} s") from None
        self.state = "up"
        self.silence = 0.0
        return self.addresses

    def _write(self, message: dict[str, Any]) -> None:
        if self.process is not None and self.process.stdin is not None:
            with contextlib.suppress(OSError, RuntimeError):
                self.process.stdin.write(json.dumps(message).encode() + b"\n")

    async def command(self, name: str, args: dict[str, Any] | None = None, timeout: float = 10.0) -> Any:
        """Asks and waits. Raises CommandFailed (it said no), RoleGone (it ended), RoleError (no answer in time)."""
        if self.pid is None:
            raise RoleGone(f"{self.name} is not running")
        number = next(self._ids)
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting[number] = answer
        self._write({"id": number, "command": name, "args": args or {}})
        try:
            async with asyncio.timeout(timeout):
                return await answer
        except TimeoutError:
            raise RoleError(f"{self.name} did not answer {name!r} within {timeout:.0f} s") from None
        finally:
            self._waiting.pop(number, None)

    async def stop(self, seconds: float) -> None:
        """Drains and ends; what has not ended after `seconds` is killed."""
        if self.state == "paused" or self.pid is None:
            self.kill()
        else:
            try:
                await self.command("stop", timeout=seconds)
                async with asyncio.timeout(0.5):
                    if self.process is not None:
                        await self.process.wait()
            except (RoleError, TimeoutError):
                self.kill()
        await self.wait()
        self.state = "down"

    async def _read(self, process: Process, ready: asyncio.Future[dict[str, Any]]) -> None:
        assert process.stdout is not None
        assert process.stdin is not None
        reason = f"{self.name} ended"
        with contextlib.suppress(ValueError, OSError):
            while line := await process.stdout.readline():
                message = json.loads(line)
                if "dump" in message:  # from beside the process: no sign that it lives
                    self.dumped = message["dump"]
                    continue
                self.silence = min(self.silence, 0.0) if "heartbeat" not in message else 0.0
                if "heartbeat" in message:
                    self.health, self.dumped = message["heartbeat"], ""
                elif "ready" in message:
                    _settle(ready, message["ready"])
                elif "failed" in message:
                    reason = f"{self.name}: {message['failed']}"
                elif "event" in message:
                    self.events.append(message["event"])
                    self.on_event(self, message["event"])
                elif "ok" in message:
                    _settle(self._waiting.get(message["id"]), message["ok"])
                else:
                    _fail(self._waiting.get(message["id"]), CommandFailed(message["error"]))
        if process.returncode is None and process.stdout.at_eof():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(0.5):
                    await process.wait()
        if process.returncode is None:  # it closed its channel, or wrote what is none of the protocol
            kill_group(process.pid)
        status = await self._ended(process)
        process.stdin.close()
        _fail(ready, RoleGone(reason))
        for answer in list(self._waiting.values()):
            _fail(answer, RoleGone(reason))
        self.on_exit(self, status)

    def ask_where(self) -> None:
        """POSIX: has the process write its traceback, even if it loops inside C code. See `dump`."""
        if os.name == "posix" and (pid := self.pid) is not None:
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGUSR1)

    def dump(self) -> str:
        """What faulthandler wrote since the last heartbeat."""
        try:
            return self.dump_path.read_text("utf-8", "replace")
        except OSError:
            return ""

    def blamed(self) -> blame.Place | None:
        return blame.in_dump(self.dump())


def _settle(future: asyncio.Future[Any] | None, value: Any) -> None:
    if future is not None and not future.done():
        future.set_result(value)


def _fail(future: asyncio.Future[Any] | None, error: Exception) -> None:
    if future is not None and not future.done():
        future.set_exception(error)
        future.exception()  # nobody may be waiting any more
