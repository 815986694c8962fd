"""The containers of one stack: all up, one started again as it was, all down and away."""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
from pathlib import Path
from typing import Any

from workbench.stack.assembly import Assembly
from workbench.stack.containers import engine
from workbench.stack.containers.observed import Observed, observed
from workbench.stack.containers.plan import OURS, ComposePlan
from workbench.stack.containers.roles import NginxContainer, ServerContainer, ServiceContainer
from workbench.stack.containers.toxiproxy import Toxiproxy
from workbench.stack.errors import StartFailed
from workbench.stack.guardian import take_down
from workbench.stack.plan import Plan
from workbench.stack.role import Role, RoleError

UP_SECONDS = 150.0
DRAIN_SECONDS = 3


class ComposeAssembly(Assembly):
    plan: ComposePlan

    def planned(self) -> Plan:
        if (reason := engine.missing()) is not None:
            raise ValueError(reason)
        self.engine = engine.Engine()
        self.ups: asyncio.subprocess.Process | None = None
        return ComposePlan.make(self.request, self.data)

    def role(self, name: str, kind: str, logs: Path) -> Role:
        container = self.plan.container(name)
        if kind in OURS:
            return ServerContainer(name, kind, logs, self.engine, container)
        if kind == "network":
            return Toxiproxy(name, kind, logs, self.engine, container, self.plan.ports[name].port)
        of_kind = NginxContainer if kind in ("edge", "balancer") else ServiceContainer
        return of_kind(name, kind, logs, self.engine, container)

    # starting
    async def start(self) -> None:
        """What waits for what is Compose's to know: compose.yaml says it."""
        try:
            await asyncio.to_thread(self.plan.write, self.engine, self.folder)
        except self.engine.errors.DockerException as error:
            raise StartFailed(f"the Docker engine failed: {error}") from None
        self._tell_guardian(f"project {self.plan.project}")
        await self._compose_up()
        self._listen()
        async with asyncio.TaskGroup() as group:
            for role in self.roles.values():
                group.create_task(self._take(role))
        found = await asyncio.to_thread(self._observed)
        self.plan.topology = found.named_like(self.plan.topology)
        async with asyncio.TaskGroup() as group:
            for role in self.roles.values():
                if role.kind == "app":
                    group.create_task(self._serving(role))

    def _observed(self) -> Observed:
        """StartFailed: the network cannot be asked."""
        network = self.roles["network"]
        assert isinstance(network, Toxiproxy)
        try:
            return observed(self.engine, self.plan.project, network.proxies())
        except RoleError as error:
            raise StartFailed(str(error)) from None

    async def _compose_up(self) -> None:
        argv = [*self._compose(), "up", "--wait", "--no-build", "--pull", "never", "--quiet-pull"]
        self.ups = await asyncio.create_subprocess_exec(
            *argv,
            env=os.environ | self.plan.environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            async with asyncio.timeout(UP_SECONDS):
                _, told = await self.ups.communicate()
        except TimeoutError:
            raise StartFailed(f"the containers were not healthy after {UP_SECONDS:.0f} s") from None
        finally:
            if self.ups.returncode is None:
                self.ups.kill()
        if self.ups.returncode:
            raise StartFailed(f"docker compose up failed:\n{told.decode('utf-8', 'replace')[-2000:].strip()}")

    def _compose(self) -> list[str]:
        folder = engine.COMPOSE
        files = ["-f", str(folder / "compose.yaml"), "-f", str(self.plan.file)]
        profiles = [word for name in self.plan.profiles for word in ("--profile", name)]
        return ["docker", "compose", "-p", self.plan.project, *files, *profiles]

    async def _take(self, role: Role) -> None:
        """It runs already: from now on it is watched and told."""
        try:
            await role.spawn()
            await role.configure({})
        except RoleError as error:
            raise StartFailed(f"{error}\n{self._tail(role)}") from None

    def _listen(self) -> None:
        """A thread: which containers end. The engine's word may be late, so each is looked at."""
        loop = asyncio.get_running_loop()
        by_service = {
            role.container.removeprefix(f"{self.plan.project}-")[:-2]: role for role in self._contained()
        }

        def read() -> None:
            with contextlib.suppress(Exception):  # the connection ends with the stack
                for service, status in self.engine.ends(self.plan.project):
                    if service in by_service:
                        asyncio.run_coroutine_threadsafe(self._ended(by_service[service], status), loop)

        threading.Thread(target=read, daemon=True, name="engine").start()

    def _contained(self) -> list[Any]:
        return list(self.roles.values())

    async def _ended(self, role: Any, status: int) -> None:
        if role.process_id is None:
            return
        with contextlib.suppress(self.engine.errors.DockerException):
            if not (await asyncio.to_thread(self.engine.look, role.container))["State"]["Running"]:
                role.ended(status)

    async def start_role(self, role: Role) -> None:
        await role.spawn()
        await role.configure({})
        self.watchdog.expected.discard(role)
        if role.kind == "network":
            await self.orders.restore_network()
        else:
            await self.orders.fittings.restore(role)

    # stopping
    async def stop(self) -> None:
        await self.watchdog.stop()
        self.watchdog.expected.update(self.roles.values())
        await asyncio.to_thread(take_down, self.plan.project, DRAIN_SECONDS)

    def kill_all(self) -> None:
        self.watchdog.stopping = True
        if self.ups is not None:
            if self.ups.returncode is None:
                self.ups.kill()
            take_down(self.plan.project)
        for role in self._contained():
            role.ended(0)
        self.engine.close()
