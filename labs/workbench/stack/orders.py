"""What a client may ask of a running stack. Each public method is a command of the control API."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from workbench.stack.fittings import Fittings, OrderError
from workbench.stack.memory import MB
from workbench.stack.resharding import SHARD_ROUTER, Resharding
from workbench.stack.role import CommandFailed, Role, RoleError
from workbench.stack.watchdog import Watchdog

if TYPE_CHECKING:
    from workbench.stack.plan import Plan


TRACED = ("edge", "balancer", "app", "consumer")
"""The kinds of role that record the requests which ask for it."""


class Orders:
    def __init__(
        self,
        plan: Plan,
        roles: dict[str, Role],
        watchdog: Watchdog,
        start: Callable[[Role], Awaitable[None]],
        shut: Callable[[], None],
    ) -> None:
        self.plan = plan
        self.roles = roles
        self.watchdog = watchdog
        self._start = start
        self._shut = shut
        self.faults: dict[str, dict[str, Any]] = {}
        self.fittings = Fittings(plan.holders, roles, watchdog)
        self.resharding = Resharding(roles)
        self.began = time.time()

    async def handle(self, command: str, arguments: dict[str, Any]) -> Any:
        """ValueError: no such command, wrong arguments; OrderError, RoleError: it could not be done."""
        order = getattr(self, f"do_{command}", None)
        if order is None:
            raise ValueError(f"no such command: {command!r}")
        try:
            return await order(**arguments)
        except CommandFailed as error:
            raise OrderError(str(error), **error.error) from error

    # roles
    def _role(self, name: str) -> Role:
        if name not in self.roles:
            hint = ""
            if name in self.plan.urls:
                hint = f"; in this profile {name!r} lives in the process 'services' (cut() and hang() take it alone)"
            raise ValueError(f"no role {name!r}; there are {', '.join(self.roles)}{hint}")
        return self.roles[name]

    async def do_kill(self, role: str) -> None:
        one = self._role(role)
        async with self.watchdog.locks[one.name]:
            await self.watchdog.end(one)
            one.state = "down"
            await self.tell_network()

    async def do_pause(self, role: str) -> None:
        one = self._role(role)
        if one.state not in ("up", "paused"):
            raise OrderError(f"{role} is {one.state}: it cannot be paused")
        one.pause()

    async def do_revive(self, role: str) -> None:
        one = self._role(role)
        async with self.watchdog.locks[one.name]:
            if one.state == "paused":
                one.resume()
                await self.fittings.restore(one)
            elif one.state in ("down", "failed"):
                await self._start(one)

    async def do_restart(self, role: str, seconds: float = 5.0) -> None:
        """Lets it finish what it has in hand, ends it, starts it again as it was."""
        one = self._role(role)
        if one.state != "up":
            raise OrderError(f"{role} is {one.state}: only what is up can be restarted; try revive")
        async with self.watchdog.locks[one.name]:
            self.watchdog.expected.add(one)
            await one.stop(seconds)
            await self.tell_network()
            await self._start(one)

    async def do_skew(self, role: str, seconds: float) -> None:
        one = self._role(role)
        if one.kind != "app":
            raise ValueError(f"only an app server's clock can be made wrong, not that of {role}")
        if not -1e8 < seconds < 1e8:
            raise ValueError("a clock can be wrong by three years at most, in seconds")
        await one.command("clock", {"ahead": seconds})

    # faults
    async def do_fault(self, target: str | None, fault: str, seconds: float | None = None) -> list[str]:
        """Returns the edges that the fault is now on."""
        if fault == "slow" and not (isinstance(seconds, int | float) and 0 <= seconds <= 60):
            raise ValueError("slow takes 0 to 60 seconds")
        edges = self.plan.edges_of(target) if target is not None else list(self.plan.edges)
        for edge in edges:
            if fault == "mend":
                self.faults.pop(edge, None)
            elif fault == "slow":
                self.faults.setdefault(edge, {})["slow"] = seconds
            elif fault in ("cut", "hang"):
                kept = {"slow": slow} if (slow := self.faults.get(edge, {}).get("slow")) else {}
                self.faults[edge] = kept | {fault: True}
            else:
                raise ValueError(f"no such fault: {fault!r}")
        await self._network("fault", {"edges": edges, "fault": fault, "seconds": seconds})
        return edges

    async def do_flush(self, service: str) -> None:
        if service == "edge" and (edge := self.roles.get("edge")) is not None:
            await edge.command("purge", {})
            return
        if service != "cache":
            raise ValueError("only the cache can be flushed: the other services hold what nobody else has")
        from redis.asyncio import Redis

        async with Redis.from_url(self.plan.urls["cache"], socket_timeout=5) as client:
            await client.flushall()

    async def _network(self, command: str, args: dict[str, Any]) -> None:
        network = self.roles["network"]
        if network.state == "up":
            await network.command(command, args)

    async def tell_network(self) -> None:
        """Where each service is; the edges to one that is away refuse."""
        up = {}
        for service, port in self.plan.service_ports().items():
            up[service] = port if self._state_of(service) in ("up", "paused") else None
        await self._network("upstream", {"ports": up})

    async def restore_network(self) -> None:
        """After its start: the services, and the faults that it had."""
        await self.tell_network()
        for edge, found in self.faults.items():
            for fault, value in found.items():
                await self._network("fault", {"edges": [edge], "fault": fault, "seconds": value})

    # components and settings
    async def do_swap(self, slot: str, **arguments: Any) -> None:
        if slot == SHARD_ROUTER:
            await self.resharding.swap(**arguments)
        else:
            await self.fittings.swap(slot, **arguments)

    async def do_unswap(self, slot: str, on: str | list[str] | None = None) -> None:
        if slot == SHARD_ROUTER:
            await self.resharding.swap(filling="reference", on=on)
        else:
            await self.fittings.unswap(slot, on)

    async def do_reshard(self, shards: int | list[str]) -> dict[str, Any]:
        return await self.resharding.reshard(shards=shards)

    async def do_set(self, **arguments: Any) -> None:
        await self.fittings.set(**arguments)

    async def do_canary(self, share: float | None) -> str:
        await self.fittings.give(share)
        return self.fittings.canary

    async def do_settings(self) -> Any:
        return await self.fittings.settings()

    # looking
    async def _measure(self) -> None:
        await asyncio.gather(*(role.measure() for role in self.roles.values()))

    async def do_status(self) -> dict[str, Any]:
        await self._measure()
        return {
            "name": self.plan.request.name,
            "case": self.plan.request.case,
            "profile": self.plan.request.profile,
            "url": self.plan.url,
            "began": self.began,
            "roles": {name: self._describe(role) for name, role in self.roles.items()},
            "topology": {
                "roles": [[role.name, role.kind] for role in self.plan.topology.roles],
                "edges": [[edge.source, edge.target, edge.label] for edge in self.plan.topology.edges],
            },
            "services": {service: self._state_of(service) for service in self.plan.urls},
            "faults": self.faults,
            "incidents": len(self.watchdog.incidents),
        }

    def _state_of(self, service: str) -> str:
        return (self.roles.get(service) or self.roles["services"]).state

    def _describe(self, role: Role) -> dict[str, Any]:
        lease = self.plan.ports.get(role.name)
        port = lease.port if lease else None
        described: dict[str, Any] = {
            "kind": role.kind,
            "state": role.state,
            "pid": role.pid,
            "port": port,
            "url": f"http://127.0.0.1:{port}" if port and role.kind not in ("service", "network") else None,
            "restarts": role.restarts,
            "megabytes": round(role.resident() / MB),
        }
        if role.kind in ("edge", "balancer"):
            described["health"] = role.health
        if role.health.get("components"):
            described["components"] = role.health["components"]
        if "fast_path" in role.health:
            described["fast_path"] = role.health["fast_path"]
        return described

    async def do_cpu(self) -> dict[str, float]:
        """Seconds of processor time since its start, of each role that runs."""
        await self._measure()
        found = {name: role.processor_seconds() for name, role in self.roles.items()}
        return {name: seconds for name, seconds in found.items() if seconds is not None}

    async def do_spans(self, request_id: str) -> dict[str, list[dict[str, Any]]]:
        """What each role has recorded of a request; one that does not answer is left out."""

        async def ask(role: Role) -> list[dict[str, Any]]:
            try:
                found: list[dict[str, Any]] = await role.command("trace", {"id": request_id}, timeout=2.0)
            except RoleError:
                return []
            return found

        asked = [
            role
            for role in self.roles.values()
            if role.commanded and role.kind in TRACED and role.state == "up"
        ]
        answers = await asyncio.gather(*(ask(role) for role in asked))
        return {role.name: spans for role, spans in zip(asked, answers, strict=True) if spans}

    async def do_admin_token(self) -> str:
        return self.plan.admin_token

    async def do_service_urls(self) -> dict[str, str]:
        return dict(self.plan.urls)

    async def do_observers(self) -> dict[str, str]:
        return self.plan.observers()

    async def do_incidents(self) -> list[dict[str, Any]]:
        return [incident.json() for incident in self.watchdog.incidents]

    async def do_logs(self, role: str, lines: int = 50) -> str:
        return self._role(role).log_tail(lines)

    async def do_stop(self) -> None:
        self._shut()
