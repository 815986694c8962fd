"""The roles of a stack as containers: they take the orders that a process takes, and an engine carries them out."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import time
from pathlib import Path
from typing import Any

from reference.platform.tracing import clock
from workbench.stack.containers import cgroup, nginx_log
from workbench.stack.containers.engine import Engine
from workbench.stack.python_role import PythonRole
from workbench.stack.role import START_TIMEOUT, Process, Role, RoleError, RoleGone

RELAY = ["python", "-S", "-E", "-P", "/app/reference/relay.py"]
POLL = 0.1
RELOADING = 100
"""Looks at nginx while it goes over to another configuration."""

LOTS = 20
"""Of the balancer's file: each request draws one."""

TRACED = 1000
"""Lines of nginx's log that are searched for a request."""

PURGE = "rm -rf /var/cache/nginx/redirects/*"
ENDING = 20
"""Looks at a container that is just ending."""


class Contained(Role):
    """What all containers have in common. `container`: its name."""

    def __init__(self, name: str, kind: str, folder: Path, engine: Engine, container: str) -> None:
        super().__init__(name, kind, folder)
        self.engine = engine
        self.container = container
        self.process_id: int | None = None
        self.held, self.cpu = 0, 0.0
        """Bytes and seconds of processor time, as of the last `measure`."""
        self._gone = asyncio.Event()

    @property
    def pid(self) -> int | None:
        """Of its first process, as the engine's machine counts."""
        return self.process_id

    async def begin(self) -> None:
        """Starts the container, if it does not run."""
        self._begin()
        try:
            await asyncio.to_thread(self.engine.start, self.container)
            state = (await asyncio.to_thread(self.engine.look, self.container))["State"]
        except self.engine.errors.DockerException as error:
            raise RoleError(f"{self.name} cannot be started: {error}") from error
        self.process_id = state["Pid"] or None
        self._gone.clear()

    def ended(self, status: int) -> None:
        """The engine says that it has."""
        if self.process_id is not None:
            self.process_id = None
            self._gone.set()

    def kill(self) -> None:
        """SIGKILL to all that is in it; it reaches a paused one too. Short, but blocks."""
        self.engine.kill(self.container)

    async def wait(self) -> None:
        """Until nothing of it runs: the engine is asked, should its word of the end be late."""
        while self.process_id is not None and not self._gone.is_set():
            state = (await asyncio.to_thread(self.engine.look, self.container))["State"]
            if not state["Running"]:
                self.ended(state["ExitCode"])
                return
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._gone.wait(), POLL)

    def pause(self) -> None:
        self.engine.pause(self.container)
        self.state = "paused"

    def resume(self) -> None:
        self.engine.unpause(self.container)
        self.silence = 0.0
        self.state = "up"

    async def stop(self, seconds: float) -> None:
        """SIGTERM; what has not ended after `seconds` is killed."""
        if self.state == "paused":
            self.kill()
        else:
            await asyncio.to_thread(self.engine.stop, self.container, seconds)
        await self.wait()
        self.state = "down"

    async def measure(self) -> None:
        """What it uses now, for `resident` and for `cpu`."""
        if self.process_id is None:
            return
        if self.engine.is_here and (counted := cgroup.used(self.process_id)) is not None:
            self.held, self.cpu = counted
            return
        with contextlib.suppress(self.engine.errors.DockerException):
            self.held, self.cpu = await asyncio.to_thread(self.engine.used, self.container)

    def resident(self) -> int:
        return self.held if self.process_id is not None else 0

    def processor_seconds(self) -> float | None:
        return self.cpu if self.process_id is not None else None

    def log_tail(self, lines: int = 50) -> str:
        with contextlib.suppress(self.engine.errors.DockerException):
            return self.engine.log(self.container, lines)
        return ""


class ServiceContainer(Contained):
    """A program of somebody else's. It sends no heartbeats; its health check says when it can be used."""

    supervised = False

    async def spawn(self) -> None:
        await self.begin()

    async def configure(self, config: dict[str, Any]) -> dict[str, Any]:
        """Waits until it is healthy. RoleError: it is not."""
        deadline = asyncio.get_running_loop().time() + START_TIMEOUT
        while not await self.healthy():
            if asyncio.get_running_loop().time() > deadline:
                raise RoleError(f"{self.name} was not healthy after {START_TIMEOUT:.0f} s")
            await asyncio.sleep(POLL)
        self.state = "up"
        return {}

    async def healthy(self) -> bool:
        """As its own health check says, asked now: the engine asks every few seconds. RoleGone: it has ended."""
        found = await asyncio.to_thread(self.engine.look, self.container)
        if not found["State"]["Running"]:
            raise RoleGone(f"{self.name} ended while it was starting")
        if found["State"]["Health"]["Status"] == "healthy":
            return True
        check = found["Config"]["Healthcheck"]
        try:
            async with asyncio.timeout(check["Timeout"] / 1e9):
                await self.run(*checking(check["Test"]))
        except (RoleError, TimeoutError):
            return False
        return True

    def ended(self, status: int) -> None:
        known = self.process_id is not None
        super().ended(status)
        if known:
            self.on_exit(self, as_signal(status))

    async def run(self, *argv: str) -> str:
        """A program in the container. RoleError: it failed."""
        try:
            return await asyncio.to_thread(self.engine.run_in, self.container, list(argv))
        except (RuntimeError, self.engine.errors.DockerException) as error:
            raise RoleError(str(error)) from error


def checking(test: list[str]) -> list[str]:
    """The command of a health check: `[CMD, redis-cli, ping]`, or `[CMD-SHELL, redis-cli ping]`."""
    kind, *argv = test
    return argv if kind == "CMD" else ["sh", "-c", *argv]


class ServerContainer(Contained, PythonRole):
    """A process of ours. A relay in its container (reference/relay.py) carries commands, answers and heartbeats."""

    async def spawn(self) -> None:
        self.dumped = ""
        await self.begin()
        process = await self._launch(["docker", "exec", "-i", self.container, *RELAY], pipes=True)
        self._ready = asyncio.get_running_loop().create_future()
        self._background(self._read(process, self._ready))

    async def configure(self, config: dict[str, Any]) -> dict[str, Any]:
        """Its environment has said all: waits until it serves."""
        found = await PythonRole.configure(self, {})
        self.health = await self.command("health")
        return found

    async def stop(self, seconds: float) -> None:
        await Contained.stop(self, seconds)

    async def wait(self) -> None:
        await Contained.wait(self)
        await Role.wait(self)  # the relay

    async def _ended(self, process: Process) -> int:
        """The relay has ended, and so has the container; what it last said goes with it."""
        await process.wait()
        with contextlib.suppress(self.engine.errors.DockerException):
            state = (await asyncio.to_thread(self.engine.look, self.container))["State"]
            for _ in range(ENDING):
                if not state["Running"]:
                    break
                await asyncio.sleep(POLL)
                state = (await asyncio.to_thread(self.engine.look, self.container))["State"]
            else:  # only the relay was killed: nobody can steer what is left
                await asyncio.to_thread(self.engine.kill, self.container)
            self.events += await asyncio.to_thread(self.last_words)
            self.dumped = "" if self.events else await asyncio.to_thread(self.log_tail, 60)
            if state["OOMKilled"]:
                limit = (await asyncio.to_thread(self.engine.look, self.container))["HostConfig"]["Memory"]
                what = f"took more than its {limit >> 20} MB of memory, and was killed"
                self.events.append({"kind": "exiting", "what": what})
            self.ended(state["ExitCode"])
            return as_signal(state["ExitCode"])
        self.ended(1)
        return 1

    def last_words(self) -> list[dict[str, Any]]:
        """A component that ends the process cannot be kept from it, but the process says which line it is first."""
        found = []
        for line in self.log_tail(20).splitlines():
            with contextlib.suppress(ValueError):
                told = json.loads(line)
                if isinstance(told, dict) and told.get("kind") == "exiting" and told["time"] >= self.started:
                    found.append(told)
        return found

    def ask_where(self) -> None:
        self._write({"where": True})

    async def measure(self) -> None:
        """Its heartbeats say it."""
        self.held, self.cpu = self.health.get("resident", self.held), self.health.get("cpu", self.cpu)

    def dump(self) -> str:
        return self.dumped

    def resident(self) -> int:
        return int(self.health.get("resident", 0)) if self.process_id is not None else 0


class NginxContainer(ServiceContainer):
    """The edge or the balancer. It is told by files that are there or not."""

    commanded = True
    BALANCING = ("least-outstanding", "round-robin", "by-key")

    async def command(self, name: str, args: dict[str, Any] | None = None, timeout: float = 10.0) -> Any:
        args = args or {}
        match self.kind, name:
            case "edge", "purge":
                await self.run("sh", "-c", PURGE)
            case "edge", "set" if args["name"] == "edge_ttl":
                await self.keep(float(args["value"]))
            case "balancer", "set" if args["name"] == "balancing":
                await self.choose(str(args["value"]))
            case "balancer", "canary":
                await self.share(args["share"])
            case _, "trace":
                return await asyncio.to_thread(self.traced, args["id"])
            case _, "set":
                pass  # none of its business
            case _:
                raise ValueError(f"{self.name} has no command {name!r}")
        return None

    def traced(self, request_id: str) -> list[nginx_log.Record]:
        hosts = self.engine.look(self.container)["HostConfig"]["ExtraHosts"] or []
        names = {address: name for name, _, address in (host.partition(":") for host in hosts)}
        offset = clock() - time.time()
        return nginx_log.spans(self.log_tail(TRACED), request_id, names, "balancer", offset)

    async def keep(self, seconds: float) -> None:
        """Redirects for so long, whatever they say; 0: as they say. What is kept by the rule before goes."""
        told = f"proxy_ignore_headers Cache-Control Expires;\nproxy_cache_valid 301 302 {seconds:.0f}s;\n"
        write = f"printf '{told}' >/tmp/kept.conf" if seconds >= 1 else "rm -f /tmp/kept.conf"
        before = await self.workers()
        await self.run("sh", "-c", f"{write} && nginx -s reload")
        for _ in range(RELOADING):
            if (now := await self.workers()) and not now & before:
                break
            await asyncio.sleep(POLL)
        else:
            raise RoleError(f"{self.name} has not taken up its configuration")
        await self.run("sh", "-c", PURGE)

    async def workers(self) -> set[str]:
        """Those that take connections: after a reload others do, in a moment."""
        told = await self.run("sh", "-c", "grep -ac 'worker process.*shutting' /proc/[0-9]*/cmdline; true")
        ending = {line.partition(":")[0] for line in told.splitlines() if line.endswith(":1")}
        told = await self.run("sh", "-c", "grep -al 'nginx: worker' /proc/[0-9]*/cmdline; true")
        return set(told.split()) - ending

    async def choose(self, balancing: str) -> None:
        files = " ".join(f"/tmp/balancing/{each}" for each in self.BALANCING)
        await self.run(
            "sh", "-c", f"mkdir -p /tmp/balancing && rm -f {files} && touch /tmp/balancing/{balancing}"
        )

    async def share(self, share: float | None) -> None:
        """Of the requests, in twentieths, to the canary, which is app-3; None: there is none."""
        if share is None:
            await self.run("sh", "-c", "rm -rf /tmp/canary")
            return
        files = " ".join(f"/tmp/next/{lot}" for lot in range(1, round(share * LOTS) + 1))
        touch = f" && touch {files}" if files else ""
        change = "rm -rf /tmp/canary && mv /tmp/next /tmp/canary"
        await self.run("sh", "-c", f"rm -rf /tmp/next && mkdir /tmp/next{touch} && {change}")


def as_signal(status: int) -> int:
    """An exit status as Python has it: -9 where a shell says 137."""
    number = status - 128
    return -number if 0 < number < signal.NSIG else status
