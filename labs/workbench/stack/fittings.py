"""What the servers of a running stack are fitted with: components in their slots, and live settings."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
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


class Fittings:
    """`apps`: the names of the servers. `role(name)`: the role, or ValueError."""

    def __init__(self, apps: list[str], role: Callable[[str], Role], watchdog: Watchdog) -> None:
        self.apps = apps
        self.role = role
        self.watchdog = watchdog
        self.live: dict[str, Any] = {}

    def _apps(self, on: str | list[str] | None) -> list[PythonRole]:
        names = self.apps if on is None else [on] if isinstance(on, str) else list(on)
        found: list[PythonRole] = []
        for name in names:
            role = self.role(name)
            if not isinstance(role, PythonRole) or role.kind != "app":
                raise ValueError(f"{name} holds no components; {', '.join(self.apps)} do")
            found.append(role)
        if not found:
            raise ValueError("no server is named")
        return found

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
        apps = self._apps(on)
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
            raise OrderError(str(error), **_with_line(error.error, wanted)) from error
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
        for app in self._apps(on):
            app.fillings.pop(slot, None)
            await self._refill(app, slot)

    async def set(self, name: str, value: Any) -> None:
        apps = [app for app in self._apps(None) if app.state == "up"]
        if not apps:
            raise OrderError("no server is up")
        for app in apps:
            await app.command("set", {"name": name, "value": value})
        self.live[name] = value

    async def settings(self) -> Any:
        for app in self._apps(None):
            if app.state == "up":
                return await app.command("settings")
        raise OrderError("no server is up")

    async def restore(self, role: Role) -> None:
        """After a server's start or resumption: the settings and the components that it is to have."""
        if not isinstance(role, PythonRole) or role.kind != "app":
            return
        for name, value in self.live.items():
            await role.command("set", {"name": name, "value": value})
        has = role.health.get("components", {})
        for slot in {*role.fillings, *has}:
            if slot in role.fillings or has.get(slot, "reference") != "reference":
                await self._refill(role, slot)


def _put_back(app: Role, slot: str, before: dict[str, Any] | None) -> None:
    if before is None:
        app.fillings.pop(slot, None)
    else:
        app.fillings[slot] = before


def _with_line(error: dict[str, Any], wanted: dict[str, Any]) -> dict[str, Any]:
    """The error, with the text of the line that it names."""
    lines = (wanted.get("source") or "").splitlines()
    line = error.get("line")
    text = lines[line - 1] if isinstance(line, int) and 0 < line <= len(lines) else None
    return error | {"type": "ComponentError", "component": wanted["slot"], "source_line": text}
