"""The services of the local profile: real Redis and PostgreSQL servers, one for each service."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.stack import launch
from workbench.stack.role import START_TIMEOUT, Process, Role, RoleError, RoleGone

if TYPE_CHECKING:
    from reference.platform.local_service import ServiceSpec


class ServiceRole(Role):
    """A program of somebody else's. It sends no heartbeats; its end is noticed, and it is started on its old data."""

    supervised = False

    spec: ServiceSpec
    """What to run; known after `lay_out`, before the first `spawn`."""

    def __init__(self, name: str, folder: Path) -> None:
        super().__init__(name, "service", folder)

    async def spawn(self) -> None:
        spec = self.spec
        argv = [sys.executable, "-S", "-E", launch.__file__, str(os.getpid()), spec.user or "-", *spec.argv]
        process = await self._launch(argv, pipes=False, env=spec.env, cwd=spec.cwd)
        self._background(self._watch(process))

    async def _watch(self, process: Process) -> None:
        status = await self._ended(process)
        self.on_exit(self, status)

    async def configure(self, config: dict[str, Any]) -> dict[str, Any]:
        """Waits until it answers. There is nothing to configure: its arguments say all."""
        deadline = asyncio.get_running_loop().time() + START_TIMEOUT
        while not await asyncio.to_thread(self.spec.ready):
            if self.pid is None:
                raise RoleGone(f"{self.name} ended while it was starting")
            if asyncio.get_running_loop().time() > deadline:
                self.kill()
                raise RoleError(f"{self.name} was not ready after {START_TIMEOUT:.0f} s")
            await asyncio.sleep(0.05)
        self.state = "up"
        return {}

    async def stop(self, seconds: float) -> None:
        if self.state == "paused" or self.pid is None:
            self.kill()
        else:
            assert self.process is not None
            with contextlib.suppress(ProcessLookupError):
                # To PostgreSQL SIGINT is "end the sessions and stop"; SIGTERM would wait for clients to go.
                self.process.send_signal(signal.SIGINT if os.name == "posix" else signal.SIGTERM)
            try:
                async with asyncio.timeout(seconds):
                    await self.process.wait()
            except TimeoutError:
                self.kill()
        await self.wait()
        self.state = "down"


def lay_out(data: Path, shards: list[str]) -> list[ServiceSpec]:
    """Makes the services' folders and databases. RuntimeError names what to install if something is missing."""
    from reference.platform.local import local_services

    return local_services(data, shards)
