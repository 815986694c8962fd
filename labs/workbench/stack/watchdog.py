"""Keeps a stack running: notices roles that are silent, gone or growing, says why, and starts them again.

A server that is started again for a fault of its own comes back on the reference, whatever was swapped into it.
"""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from reference.platform import blame
from workbench.stack.incident import Incident
from workbench.stack.memory import MB
from workbench.stack.python_role import PythonRole
from workbench.stack.role import Role, RoleError

TICK = 0.1
ASK = 1.0  # seconds without a heartbeat after which a role is asked where it is, and again, until it says it
SILENCE = 2.0  # seconds without a heartbeat after which a role counts as blocked
SILENCE_TRACING = 8.0  # while its memory is traced, which slows it several times
COUNTING = 15.0  # seconds that a role may need to find out which line leaks
MEMORY_CAP = 1024 * MB
TO_SAY = 1.0  # seconds that the answer may take: milliseconds, but the machine may be busy
ATTEMPTS = 6
LOG_CAP = 32 * MB
HOLDERS = ("app", "consumer", "keeper")
"""The kinds of role that hold components."""


class Watchdog:
    """`start(role)` starts a role that is not running, with all that belongs to it (RoleError if it cannot)."""

    def __init__(self, roles: dict[str, Role], start: Callable[[Role], Awaitable[None]]) -> None:
        self.roles = roles
        self.start = start
        self.incidents: list[Incident] = []
        self.expected: set[Role] = set()  # their end is our own doing
        self.locks: dict[str, asyncio.Lock] = {name: asyncio.Lock() for name in roles}
        self.stopping = False
        self._tasks: set[asyncio.Task[None]] = set()
        for role in roles.values():
            role.on_event = self._event
            role.on_exit = self._exit

    # noticing
    async def run(self) -> None:
        """Until cancelled. Counts silence in ticks of its own, so that a machine that stood still accuses nobody."""
        loop = asyncio.get_running_loop()
        last = loop.time()
        while True:
            await asyncio.sleep(TICK)
            now = loop.time()
            passed, last = min(now - last, 3 * TICK), now
            for role in self.roles.values():
                if role.state == "up" and role not in self.expected:
                    self._look(role, passed)

    def _look(self, role: Role, passed: float) -> None:
        if role.supervised:
            before, role.silence = role.silence, role.silence + passed
            a_second_more = before // ASK < role.silence // ASK > 0
            if a_second_more and isinstance(role, PythonRole) and role.blamed() is None:
                role.ask_where()
            if self._stands_still(role):
                self._begin(self._blocked(role))
            elif role.kind in HOLDERS and role.resident() > MEMORY_CAP:
                self._begin(self._too_large(role))
        try:
            if role.log_path.stat().st_size > LOG_CAP:
                with role.log_path.open("r+b") as log:
                    log.truncate(0)
        except OSError:
            pass

    def _stands_still(self, role: Role) -> bool:
        """Silence with no component on the stack may only be want of processor time: it is borne for longer."""
        limit = SILENCE_TRACING if role.health.get("tracing") else SILENCE
        if role.silence <= limit:
            return False
        return role.silence > 3 * limit or (isinstance(role, PythonRole) and role.blamed() is not None)

    def _event(self, role: Role, event: dict[str, Any]) -> None:
        kind = event.get("kind")
        if kind == "leaking":
            role.silence = -COUNTING
        elif kind == "exited":
            self._tell(role, "exited", event, "the server was kept running")
        elif kind == "raised":
            self._tell(role, "raised", event, "the call failed; told once")
        elif kind == "leaked" and role not in self.expected:
            size = f": {event['megabytes']} MB are held by what it allocated" if "megabytes" in event else ""
            place = blame.Place(event["component"], event["line"]) if "line" in event else None
            self.expected.add(role)
            self._begin(
                self._recover(role, self._incident(role, "leaked", f"memory grows without end{size}", place))
            )

    def _tell(self, role: Role, kind: str, event: dict[str, Any], so: str) -> None:
        """What a component raised, and its server caught and tells once a line, as it may do so in each call."""
        place = blame.Place(event["component"], event["line"]) if event.get("line") else None
        incident = self._incident(role, kind, str(event.get("what", "tried to end the process")), place)
        message = f"{incident.message.partition('; it was started again')[0]}; {so}"
        self.incidents.append(replace(incident, message=message))

    def _exit(self, role: Role, status: int) -> None:
        if role in self.expected or self.stopping or role.state in ("starting", "down"):
            return
        self.expected.add(role)
        self._begin(self._recover(role, self._explain(role, status)))

    def _begin(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # saying why
    def _incident(self, role: Role, kind: str, what: str, place: blame.Place | None) -> Incident:
        """`place` names the line; without one, the only component swapped into the role is under suspicion."""
        slots = list(role.fillings)
        slot = place.component if place else (slots[0] if len(slots) == 1 else None)
        back = "; it was started again"
        if role.kind in HOLDERS:
            back += " on the reference"
        if place:
            what = f"{what}, at line {place.line} of {place.component}"
        source = role.fillings.get(slot or "", {}).get("source") or ""
        lines = source.splitlines()
        text = lines[place.line - 1] if place and 0 < place.line <= len(lines) else None
        return Incident(
            time.time(),
            role.name,
            kind,
            f"{role.name}: {what}{back}",
            slot,
            place.line if place else None,
            text,
        )

    def _explain(self, role: Role, status: int) -> Incident:
        """Why a process ended: what it said itself, else what faulthandler saw, else its status."""
        said = next((event for event in reversed(role.events) if event.get("kind") == "exiting"), None)
        if said is not None:
            place = blame.Place(said["component"], said["line"]) if "line" in said else None
            return self._incident(role, "exited", f"the process {said['what']}", place)
        what = f"the process exited with status {status}"
        if status < 0:
            try:
                what = f"the process was ended by {signal.Signals(-status).name}"
            except ValueError:
                what = f"the process was ended by signal {-status}"
        dump = role.dump() if isinstance(role, PythonRole) else ""
        return self._incident(role, "exited", what, blame.in_dump(dump) if "Fatal" in dump else None)

    async def _blocked(self, role: Role) -> None:
        assert isinstance(role, PythonRole)
        if role in self.expected:
            return
        self.expected.add(role)
        place = role.blamed() or await self._asked(role)
        where = "" if place else f" (it stood at {blame.top_of_dump(role.dump()) or 'an unknown line'})"
        incident = self._incident(
            role, "blocked", f"its event loop stood still for {role.silence:.0f} s{where}", place
        )
        await self._recover(role, incident)

    async def _too_large(self, role: Role) -> None:
        assert isinstance(role, PythonRole)
        if role in self.expected:
            return
        self.expected.add(role)
        place = await self._asked(role)
        what = f"it took more than {MEMORY_CAP // MB} MB of memory"
        await self._recover(role, self._incident(role, "leaked", what, place))

    async def _asked(self, role: PythonRole) -> blame.Place | None:
        """Where it is now, if in a component."""
        role.ask_where()
        for _ in range(round(TO_SAY / TICK)):
            await asyncio.sleep(TICK)
            if place := role.blamed():
                return place
        return None

    # putting it right
    async def _recover(self, role: Role, incident: Incident) -> None:
        role.state = "restarting"
        self.incidents.append(incident)
        async with self.locks[role.name]:
            role.fillings.clear()
            if str(role.state) == "down":  # killed on purpose meanwhile
                return
            await self.end(role)
            for attempt in range(ATTEMPTS):
                if self.stopping:
                    return
                try:
                    await self.start(role)
                except RoleError as error:
                    reason = str(error)
                    await self.end(role)
                    role.state = "restarting"
                    await asyncio.sleep(min(0.2 * 2**attempt, 5.0))
                else:
                    role.restarts += 1
                    return
            role.state = "failed"
            what = f"{role.name} could not be started again: {reason}"
            self.incidents.append(Incident(time.time(), role.name, "failed", what))

    async def end(self, role: Role) -> None:
        """Kills a role on purpose, and returns when nothing is left of it."""
        self.expected.add(role)
        role.kill()
        await role.wait()

    async def quiet(self, role: Role) -> None:
        """Returns when nobody is putting the role right any more."""
        async with self.locks[role.name]:
            return

    async def stop(self) -> None:
        self.stopping = True
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
