"""One instance of the component: a server's, with ports of its own, and an end that leaves nothing of it behind."""

from __future__ import annotations

import asyncio
import functools
import random
import weakref
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from grading.host import wires
from grading.host.component import constructor_arguments, port
from grading.host.determinism import Virtual
from grading.host.values import named

if TYPE_CHECKING:
    from grading.host.run import Run

current: ContextVar[Instance | None] = ContextVar("instance", default=None)
"""Whose code is running: tasks inherit it from those that start them."""


class Clock:
    """The port `clock`: as its server's clock has it, which may be wrong."""

    def __init__(self, virtual: Virtual, instance: Instance) -> None:
        self._virtual = virtual
        self._instance = instance

    def now(self) -> float:
        return self._virtual.true_wall() + self._instance.skew()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class Instance:
    """`number`: of its server. `life`: how many the server had before it."""

    def __init__(self, run: Run, number: int, life: int) -> None:
        self.run = run
        self.number = number
        self.life = life
        self.alive = True
        self.tasks: weakref.WeakSet[asyncio.Task[Any]] = weakref.WeakSet()
        self.links = wires.Links(self._tell_of_wire, lambda: next(run.numbers))
        self.made: Any = None

    def skew(self) -> float:
        return self.run.skews.get(self.number, 0.0)

    def construct(self, seed: int, values: dict[str, Any]) -> None:
        """Raises what the component's constructor raises."""
        schema = self.run.component.schema
        told = schema.get("values", {})
        wanted = set(schema["construct"].values())
        chance = f"{seed} {self.number}" + (f" {self.life}" if self.life else "")
        resources = {
            **{
                name: self.run.component.values.decode(each, told.get(name, "any"))
                for name, each in values.items()
                if name in wanted
            },
            **{n: port(n, spec, self.ask) for n, spec in schema.get("ports", {}).items() if n in wanted},
            **{name: named(path)() for name, path in schema.get("uses", {}).items() if name in wanted},
            "redis": self._redis() if "redis" in wanted else None,
            "clock": Clock(self.run.virtual, self),
            "random": random.Random(chance),
        }
        self.made = self.run.component.fresh_class()(**constructor_arguments(schema, resources))

    def _redis(self) -> Any:
        from grading.host.redis_client import client  # loaded by now: see `grading.host.__main__`

        return client(self.links)

    def arguments(self, call: int, method: str, args: list[Any]) -> list[Any]:
        """Of one call, decoded. A port among them knows whose call it is for. Optional ones may be missing."""
        schema = self.run.component.schema
        kinds = schema["methods"].get(method, {}).get("args", [])
        given = list(args)
        found = []
        for kind in kinds:
            if kind in schema.get("ports", {}):
                found.append(port(kind, schema["ports"][kind], functools.partial(self.ask, call=call)))
            elif given:
                found.append(self.run.component.values.decode(given.pop(0), kind))
        return found

    async def ask(self, name: str, method: str, args: list[Any], call: int = -1) -> Any:
        """Relays a call of a port. Its arguments are checked here, so that a mistake shows on the line that made it."""
        spec = self.run.component.schema["ports"][name][method]
        kinds = spec["args"]
        if len(args) != len(kinds):
            raise TypeError(f"{name}.{method} takes {len(kinds)} arguments, and was given {len(args)}")
        encode = self.run.component.values.encode
        told = [encode(value, kind) for value, kind in zip(args, kinds, strict=True)]
        if not self.alive:
            await self.run.loop.create_future()  # for ever
        return await self.run.ask(self, name, method, told, spec["returns"], call)

    def _tell_of_wire(self, kind: str, connection: int, data: str) -> None:
        if self.alive:
            self.run.tell(kind, self.number, connection, data)
            if self.run.events[-1][-1] is None:
                self.run.events[-1][-1] = self.links.line

    def crash(self) -> None:
        """As `kill -9`: from now on nothing that it does reaches anybody. Its tasks are cancelled so that they end."""
        self.alive = False
        for task in list(self.tasks):
            task.cancel()


def note_task(loop: asyncio.AbstractEventLoop, coro: Any, **more: Any) -> asyncio.Task[Any]:
    """A task factory: an instance knows the tasks that it started."""
    task: asyncio.Task[Any] = asyncio.Task(coro, loop=loop, **more)
    instance = current.get()
    if instance is not None:
        instance.tasks.add(task)
    return task
