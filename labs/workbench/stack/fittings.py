"""What the servers of a running stack are fitted with: components in their slots, and live settings."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from workbench.stack.incident import Incident
from workbench.stack.python_role import PythonRole
from workbench.stack.role import CommandFailed, Role, RoleError, RoleGone
from workbench.stack.watchdog import Watchdog

SWAP_TIMEOUT = 25.0  # seconds: 5 for each step of a component's lifecycle


class OrderError(Exception):
    """An order could not be carried out; `details` go to the client beside the message."""

    def __init__(self, message: str, /, **details: Any) -> None:
        super().__init__(message)
        self.details = details


SETTABLE = ("edge", "balancer", "app", "consumer", "keeper")
"""The kinds of role that take live settings, each what concerns it."""


ROUTED = "url-shortener/shard-router"
"""The slot that is filled by the routing of the links: a server that starts reads it there."""


class Fittings:
    """`holders`: the roles that hold components, each with its slots. `roles`: all of the stack."""

    def __init__(
        self, holders: dict[str, tuple[str, ...]], roles: dict[str, Role], watchdog: Watchdog
    ) -> None:
        self.holders = holders
        self.roles = roles
        self.watchdog = watchdog
        self.live: dict[str, Any] = {}

    def _holders(self, slot: str, on: str | list[str] | None) -> list[PythonRole]:
        """The roles to fit: those named, else all that hold the slot. ValueError: one that does not hold it."""
        holding = [name for name, slots in self.holders.items() if slot in slots]
        if not holding:
            known = sorted({slot for slots in self.holders.values() for slot in slots})
            raise ValueError(f"no slot {slot!r}; there are: {', '.join(known)}")
        names = holding if on is None else [on] if isinstance(on, str) else list(on)
        for name in names:
            if name not in holding:
                raise ValueError(f"{name} does not hold {slot}; {', '.join(holding)} do")
        if not names:
            raise ValueError("no server is named")
        return [role for name in names if isinstance(role := self.roles[name], PythonRole)]

    def _settable(self) -> list[Role]:
        up = [
            role
            for role in self.roles.values()
            if role.commanded and role.kind in SETTABLE and role.state == "up"
        ]
        if not any(role.kind == "app" for role in up):
            raise OrderError("no server is up")
        return up

    async def swap(
        self,
        slot: str,
        source: str | None = None,
        filling: str | None = None,
        label: str | None = None,
        on: str | list[str] | None = None,
    ) -> None:
        """On all of the named servers or on none. One that is down or paused gets it when it is revived."""
        if source is None and filling in (None, "reference"):
            return await self.unswap(slot, on)
        apps = self._holders(slot, on)
        wanted: dict[str, Any] = {"slot": slot, "label": label or filling or "yours"}
        wanted |= {"source": source} if source is not None else {"filling": filling}
        before = {app: dict(app.fillings) for app in apps}
        done: list[PythonRole] = []
        try:
            for app in (one for one in apps if one.state == "up"):
                await self._swap(app, wanted)  # one after the other: a broken component meets one server only
                done.append(app)
        except (OrderError, RoleError):
            for app in done:
                app.fillings = before[app]
                await self._refill(app, slot)
            raise
        for app in apps:
            if app not in done:
                app.fillings[slot] = wanted

    async def _swap(self, app: PythonRole, wanted: dict[str, Any]) -> None:
        slot = wanted["slot"]
        before = app.fillings.get(slot)
        told = len(self.watchdog.incidents)
        app.fillings[slot] = wanted  # what a watchdog will blame while the component is being made
        try:
            left = await app.command("swap", wanted, SWAP_TIMEOUT)
            self._note(app, slot, left)
        except CommandFailed as error:
            _put_back(app, slot, before)
            if error.error.get("type") == "ValueError":  # no such slot, no such filling
                raise
            raise OrderError(str(error), **with_line(error.error, wanted)) from error
        except RoleGone:
            await asyncio.sleep(0)
            await self.watchdog.quiet(app)
            last = next((i for i in self.watchdog.incidents[told:] if i.role == app.name), None)
            if last is None:
                raise
            details = {"component": last.component, "line": last.line, "source_line": last.source_line}
            raise OrderError(last.message, type="ComponentError", **details) from None

    async def _refill(self, app: PythonRole, slot: str) -> None:
        wanted = app.fillings.get(slot)
        if app.state != "up":
            return
        if wanted:
            left = await app.command("swap", wanted, SWAP_TIMEOUT)
        else:
            left = await app.command("unswap", {"slot": slot}, SWAP_TIMEOUT)
        self._note(app, slot, left)

    def _note(self, app: Role, slot: str, left: dict[str, Any]) -> None:
        """What a swap has left: what is in the slot now, before a heartbeat says so, and what did not leave it well."""
        app.health.setdefault("components", {})[slot] = left["filling"]
        for problem in left["problems"]:
            what = f"{app.name}: the component that was swapped out of {slot} left badly: {problem}"
            self.watchdog.incidents.append(Incident(time.time(), app.name, "unclean", what, slot))

    async def unswap(self, slot: str, on: str | list[str] | None = None) -> None:
        """Back to the reference."""
        for app in self._holders(slot, on):
            app.fillings.pop(slot, None)
            await self._refill(app, slot)

    async def set(self, name: str, value: Any) -> None:
        """Servers first: they refuse a value that cannot be, before anybody has taken it."""
        for role in sorted(self._settable(), key=lambda role: role.kind != "app"):
            await role.command("set", {"name": name, "value": value})
        self.live[name] = value

    async def settings(self) -> Any:
        return await next(role for role in self._settable() if role.kind == "app").command("settings")

    async def restore(self, role: Role) -> None:
        """After a server's start or resumption: the settings and the components that it is to have."""
        if not role.commanded or role.kind not in SETTABLE:
            return
        for name, value in self.live.items():
            await role.command("set", {"name": name, "value": value})
        if not isinstance(role, PythonRole):
            return
        has = role.health.get("components", {})
        for slot in {*role.fillings, *has} & set(self.holders.get(role.name, ())) - {ROUTED}:
            if slot in role.fillings or has.get(slot, "reference") != "reference":
                await self._refill(role, slot)


def _put_back(app: Role, slot: str, before: dict[str, Any] | None) -> None:
    if before is None:
        app.fillings.pop(slot, None)
    else:
        app.fillings[slot] = before


def with_line(error: dict[str, Any], wanted: dict[str, Any]) -> dict[str, Any]:
    """The error, with the text of the line that it names."""
    lines = (wanted.get("source") or "").splitlines()
    line = error.get("line")
    text = lines[line - 1] if isinstance(line, int) and 0 < line <= len(lines) else None
    return error | {"type": "ComponentError", "component": wanted["slot"], "source_line": text}
