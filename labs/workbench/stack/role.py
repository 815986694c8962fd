"""One process of a stack, seen from the supervisor: starts it, speaks with it, notices when it ends."""

from __future__ import annotations

import asyncio
import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import psutil

from workbench.stack.forked import Forked
from workbench.stack.groups import kill_group, suspend
from workbench.stack.processor import seconds_of

Process = asyncio.subprocess.Process | Forked
State = Literal["new", "starting", "up", "paused", "down", "restarting", "failed"]
LINE_LIMIT = 16 << 20
START_TIMEOUT = 40.0


class RoleError(Exception):
    """A role did not do as told: `str(error)` names the role."""


class RoleGone(RoleError):
    """The process ended, or was ended, before it answered."""


class CommandFailed(RoleError):
    """The process answered with an error: `error` has `type`, `message` and perhaps `component` and `line`."""

    def __init__(self, error: dict[str, Any]) -> None:
        super().__init__(error.get("message", ""))
        self.error = error


class Role:
    """What all processes have in common. States: new → starting → up ⇄ paused; down on request; restarting, failed."""

    supervised = True  # sends heartbeats
    commanded = False  # takes commands

    def __init__(self, name: str, kind: str, folder: Path) -> None:
        self.name = name
        self.kind = kind
        self.state: State = "new"
        self.folder = folder
        self.log_path = folder / f"{name}.log"
        self.process: Process | None = None
        self.addresses: dict[str, Any] = {}
        self.started = 0.0
        self.restarts = 0
        self.health: dict[str, Any] = {}
        self.silence = 0.0  # seconds without a heartbeat, as the supervisor's ticker counts them
        self.fillings: dict[str, dict[str, Any]] = {}  # slot -> arguments of the last swap
        self.events: list[dict[str, Any]] = []  # of this process
        self.on_event: Callable[[Role, dict[str, Any]], None] = lambda role, event: None
        self.on_exit: Callable[[Role, int], None] = lambda role, status: None
        self.on_group: Callable[[str], None] = lambda line: None
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def pid(self) -> int | None:
        return self.process.pid if self.process is not None and self.process.returncode is None else None

    # starting
    async def spawn(self) -> None:
        raise NotImplementedError

    async def configure(self, config: dict[str, Any]) -> dict[str, Any]:
        raise NotImplementedError

    async def stop(self, seconds: float) -> None:
        raise NotImplementedError

    async def command(self, name: str, args: dict[str, Any] | None = None, timeout: float = 10.0) -> Any:
        """Of those that are `commanded`: does as it is told, and answers."""
        raise NotImplementedError

    def _begin(self) -> None:
        self.state = "starting"
        self.health, self.events, self.silence = {}, [], 0.0

    async def _launch(self, argv: list[str], *, pipes: bool, **options: Any) -> Process:
        self._begin()
        if os.name == "posix":
            options["start_new_session"] = (
                True  # its own group: a Ctrl-C, or a kill of the group, stays there
            )
        else:
            options["creationflags"] = getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)
        with self.log_path.open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                *argv,
                stdin=asyncio.subprocess.PIPE if pipes else asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE if pipes else log,
                stderr=log,
                limit=LINE_LIMIT,
                **options,
            )
        return self._launched(process)

    def _launched(self, process: Process) -> Process:
        self.process = process
        self.started = time.time()
        self.on_group(f"+{process.pid}")
        return process

    def _background(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _ended(self, process: Process) -> int:
        """Waits for the end, takes down whatever the process had started, and tells."""
        status = await process.wait()
        kill_group(process.pid)
        self.on_group(f"-{process.pid}")
        return status

    # ending and pausing
    def kill(self) -> None:
        """SIGKILL to the process and to all that it started; it reaches a paused one too."""
        if (pid := self.pid) is not None:
            kill_group(pid)

    async def wait(self) -> None:
        if self.process is not None:
            await self.process.wait()
        if self._tasks:
            await asyncio.gather(*list(self._tasks), return_exceptions=True)

    def pause(self) -> None:
        if (pid := self.pid) is not None:
            suspend(pid, True)
            self.state = "paused"

    def resume(self) -> None:
        if (pid := self.pid) is not None:
            suspend(pid, False)
            self.silence = 0.0
            self.state = "up"

    # looking at it
    async def measure(self) -> None:
        """Before `resident` and `processor_seconds` are asked, where that takes time."""

    def processor_seconds(self) -> float | None:
        """Since its start; None: it does not run."""
        return seconds_of(self.pid, family=self.kind == "service") if self.pid else None

    def resident(self) -> int:
        """Bytes in memory; 0 if it is gone."""
        try:
            return int(psutil.Process(self.pid).memory_info().rss) if self.pid else 0
        except psutil.Error:
            return 0

    def log_tail(self, lines: int = 50) -> str:
        try:
            with self.log_path.open("rb") as log:
                log.seek(0, os.SEEK_END)
                log.seek(max(0, log.tell() - 400 * max(lines, 1)))
                text = log.read().decode("utf-8", "replace")
        except OSError:
            return ""
        return "\n".join(text.splitlines()[-lines:])
