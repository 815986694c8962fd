"""The processes of one stack: starts them in their order, starts one again as it was, stops them, clears up."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from workbench.stack import guardian
from workbench.stack.errors import StartFailed
from workbench.stack.fittings import OrderError
from workbench.stack.forked import Nursery
from workbench.stack.orders import Orders
from workbench.stack.plan import Plan
from workbench.stack.python_role import PythonRole
from workbench.stack.request import Request
from workbench.stack.role import Role, RoleError
from workbench.stack.services import ServiceRole, lay_out
from workbench.stack.watchdog import Watchdog

STOP_SECONDS = 3.0
READY_SECONDS = 20.0
BEHIND = ("network", "services", "service")
"""Kinds of role that the others call."""
STOPPING = (
    ("edge",),
    ("balancer",),
    ("app",),
    ("consumer", "keeper"),
    ("network",),
    ("service", "services"),
)
"""Kinds of role, in the order in which they are stopped."""


class Assembly:
    """`nursery`: what forks the roles, where there is one."""

    def __init__(self, request: Request, folder: Path, data: Path, nursery: Nursery | None) -> None:
        self.request = request
        self.folder = folder
        self.data = data
        self.plan = self.planned()
        self.nursery = nursery
        logs = folder / "logs"
        logs.mkdir(exist_ok=True)
        self.roles = {name: self.role(name, kind, logs) for name, kind in self.plan.kinds.items()}
        self.ending = asyncio.Event()
        self.watchdog = Watchdog(self.roles, self.start_role)
        self.orders = Orders(self.plan, self.roles, self.watchdog, self.start_role, self.ending.set)
        self._guardian = subprocess.Popen(
            [sys.executable, "-S", "-E", guardian.__file__, str(folder), str(data)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        for role in self.roles.values():
            role.on_group = self._tell_guardian

    def planned(self) -> Plan:
        """ValueError: it cannot be as it was asked for."""
        return Plan.make(self.request, self.data)

    def role(self, name: str, kind: str, logs: Path) -> Role:
        return ServiceRole(name, logs) if kind == "service" else PythonRole(name, kind, logs, self.nursery)

    def _tell_guardian(self, line: str) -> None:
        assert self._guardian.stdin is not None
        with contextlib.suppress(OSError):
            self._guardian.stdin.write(line.encode() + b"\n")
            self._guardian.stdin.flush()

    # starting
    async def start(self) -> None:
        """All processes at once: most of a start is Python importing modules. Services are configured before their
        clients, and so they are born first."""
        behind = [role for role in self.roles.values() if role.kind in BEHIND]
        before = [role for role in self.roles.values() if role.kind not in BEHIND]
        async with asyncio.TaskGroup() as group:
            births: dict[Role, asyncio.Task[None]] = {
                role: group.create_task(self._spawn(role))
                for role in (*behind, *before)
                if isinstance(role, PythonRole)
            }
            group.create_task(self._bring_up(behind, before, births))
        async with asyncio.TaskGroup() as group:
            for role in before:
                if role.kind == "app":
                    group.create_task(self._serving(role))

    async def _bring_up(
        self, behind: list[Role], before: list[Role], births: Mapping[Role, asyncio.Task[None]]
    ) -> None:
        await self._real_services()
        for wave in (behind, before):
            async with asyncio.TaskGroup() as group:
                for role in wave:
                    group.create_task(self._configure(role, births.get(role)))
            await self.orders.tell_network()

    async def _real_services(self) -> None:
        """Those of the local profile: what each is to be can only be said once its data are laid out, which is slow."""
        roles = [role for role in self.roles.values() if isinstance(role, ServiceRole)]
        if not roles:
            return
        try:
            specs = {
                spec.name: spec for spec in await asyncio.to_thread(lay_out, self.data, self.plan.shards)
            }
        except (RuntimeError, OSError, subprocess.SubprocessError) as error:
            raise StartFailed(str(error)) from None
        for role in roles:
            role.spec = specs[role.name]
            self.plan.take(role.name, role.spec.url, role.spec.lease)
        await asyncio.gather(*(self._spawn(role) for role in roles))

    async def _spawn(self, role: Role) -> None:
        try:
            await role.spawn()
        except OSError as error:
            raise StartFailed(f"{role.name}: {error}") from None

    async def _serving(self, role: Role) -> None:
        """Returns when the role says that it can serve requests: it may have to make its tables first."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + READY_SECONDS
        port = self.plan.ports[role.name].port
        while (answer := await ready(port)) is not None:
            if loop.time() > deadline or role.pid is None:
                raise StartFailed(f"{role.name} is not ready: {answer}\n{self._tail(role)}")
            await asyncio.sleep(0.03)
        if isinstance(role, PythonRole):  # what it has found out since its first heartbeat
            role.health = await role.command("health") | {"tracing": False}

    async def _configure(self, role: Role, birth: asyncio.Task[None] | None) -> None:
        if birth is not None:
            await birth
        try:
            await role.configure(self.plan.config(role.name))
        except RoleError as error:
            raise StartFailed(f"{error}\n{self._tail(role)}") from None

    def _tail(self, role: Role) -> str:
        return f"--- the end of {role.name}.log ---\n{role.log_tail(25)}"

    async def start_role(self, role: Role) -> None:
        """Starts a role that is not running, as it was: same ports, its faults, its settings, its components."""
        await role.spawn()
        await role.configure(self.plan.config(role.name))
        self.watchdog.expected.discard(role)
        if role.kind == "network":
            await self.orders.restore_network()
        elif role.kind in ("service", "services"):
            await self.orders.tell_network()
        else:
            await self.orders.fittings.restore(role)

    # stopping
    async def stop(self) -> None:
        """In the order of the requests' way, so that what is under way can still be finished."""
        await self.watchdog.stop()
        self.watchdog.expected.update(self.roles.values())
        loop = asyncio.get_running_loop()
        deadline = loop.time() + STOP_SECONDS
        for kinds in STOPPING:
            wave = [role for role in self.roles.values() if role.kind in kinds]
            left = max(deadline - loop.time(), 0.1)
            await asyncio.gather(*(role.stop(left) for role in wave))

    def kill_all(self) -> None:
        self.watchdog.stopping = True
        for role in self.roles.values():
            role.kill()

    def leave(self) -> None:
        """Nothing runs any more: nothing is left on disk either."""
        self.plan.release()
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 2)  # Windows does not remove a log that is open
        os.close(null)
        shutil.rmtree(self.data, ignore_errors=True)
        shutil.rmtree(self.folder, ignore_errors=True)
        self._tell_guardian("done")
        assert self._guardian.stdin is not None
        self._guardian.stdin.close()
        self._guardian.wait()

    def describe(self, error: Exception) -> dict[str, Any]:
        details = error.details if isinstance(error, OrderError) else {}
        kind = "ValueError" if isinstance(error, ValueError | TypeError) else "StackError"
        return {"type": kind, **details, "message": str(error)}


async def ready(port: int) -> str | None:
    """None if `GET /readyz` says that every service can be used, else what it says."""
    try:
        async with asyncio.timeout(2):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            try:
                writer.write(b"GET /readyz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
                answer = (await reader.read()).decode("utf-8", "replace")
            finally:
                writer.close()
    except (OSError, TimeoutError) as error:
        return f"{type(error).__name__}: {error}"
    status, body = answer.split(" ", 2)[1:2], answer.partition("\r\n\r\n")[2]
    if status != ["200"] or any(state != "ok" for state in json.loads(body)["services"].values()):
        return answer
    return None
