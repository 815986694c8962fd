"""A slot: the place in a running server where one component can take another's.

A swap has the lifecycle of a deployment in small: make the new component, start it, send it every new call, wait
until the old one has no call in hand, drain it, stop it. If the new one cannot be made, the old one stays.
"""

from __future__ import annotations

import asyncio
import importlib
import inspect
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from reference.platform.contained import PATIENCE, Contained, Slot
from reference.platform.modules import (
    ComponentRejected,
    being_cancelled,
    check_method,
    compile_module,
    forget_module,
    rejecting,
)
from reference.platform.process import ComponentFactory, EventSink


@dataclass(slots=True)
class Filling:
    """A component in service, or about to leave it."""

    name: str
    make: ComponentFactory
    component: Any
    close: Callable[[], Awaitable[None]]
    """Closes what was opened for this component."""
    module: str | None = None
    in_flight: int = 0
    idle: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(frozen=True, slots=True)
class Equipment:
    """What a component is constructed with, and how to close it afterwards."""

    keywords: dict[str, Any]
    close: Callable[[], Awaitable[None]]


class SlotHolder(Contained):
    """One slot of one server. `equip` makes the ports of a new component; `count` is told of each error's name."""

    def __init__(
        self,
        slot: Slot,
        equip: Callable[[], Equipment],
        events: EventSink,
        count: Callable[[str], None] = lambda error: None,
    ) -> None:
        super().__init__(slot, events, count)
        self._equip = equip
        self._current: Filling | None = None
        self.on_change: Callable[[], None] = lambda: None
        """Called at the moment at which another component gets the calls."""
        self._swapping = asyncio.Lock()

    @property
    def filling(self) -> str:
        """The name of what fills the slot: "reference", "plain", or a label."""
        return self._current.name if self._current else "nothing"

    async def call(self, method: str, *args: Any) -> Any:
        """Calls the component in service. Raises what the contract allows, or ComponentError."""
        filling = self._current
        assert filling is not None, "the slot has not been filled"
        filling.in_flight += 1
        try:
            return await self.guarded(method, getattr(filling.component, method), *args)
        finally:
            filling.in_flight -= 1
            if not filling.in_flight:
                filling.idle.set()

    def call_pure(self, method: str, *args: Any) -> Any:
        """Calls a pure method of the component in service. Raises what the contract allows, or ComponentError."""
        assert self._current is not None, "the slot has not been filled"
        return self.guarded_pure(method, getattr(self._current.component, method), *args)

    # --- swaps

    async def fill(self, name: str) -> dict[str, Any]:
        """Swaps in one of our own fillings: "plain" or "reference"."""
        if name not in self.slot.fillings:
            raise ValueError(f"no filling {name!r}; there are: {', '.join(self.slot.fillings)}")
        module = importlib.import_module(self.slot.fillings[name])
        return await self.put(name, getattr(module, self.slot.class_name))

    async def put_source(self, source: str, label: str) -> dict[str, Any]:
        """Swaps in the component that the text `source` of a module defines."""
        with rejecting(self.slot.name, "the module cannot be loaded"):
            module = compile_module(self.slot.name, source)
        try:
            make = getattr(module, self.slot.class_name, None)
            if not inspect.isclass(make):
                raise ComponentRejected(f"the module defines no class {self.slot.class_name}")
            return await self.put(label, make, module.__name__)
        except ComponentRejected:
            forget_module(module.__name__)
            raise

    async def put(self, name: str, make: ComponentFactory, module: str | None = None) -> dict[str, Any]:
        """Swaps in what `make` constructs. Returns how the old one left: `{"filling": ..., "problems": [...]}`.

        `module`: to be forgotten when the component leaves.
        ComponentRejected: it could not be constructed or started, and the old one is still in service.
        """
        async with self._swapping:
            new = await self._begin(name, make, module)
            old, self._current = self._current, new
            self._told.clear()
            self.on_change()
            problems = await self._retire(old) if old else []
            return {"slot": self.slot.name, "filling": name, "problems": problems}

    async def again(self) -> dict[str, Any]:
        """Swaps the component for a new instance of itself, for one that is told something else when it begins."""
        async with self._swapping:
            old = self._current
            assert old is not None, "the slot has not been filled"
            self._current = await self._begin(old.name, old.make, old.module)
            old.module = None  # the new instance keeps it
            problems = await self._retire(old)
            return {"slot": self.slot.name, "filling": old.name, "problems": problems}

    async def stop(self) -> None:
        """Takes the component out of service for good."""
        async with self._swapping:
            if self._current:
                await self._retire(self._current)
                self._current = None

    async def _begin(self, name: str, make: ComponentFactory, module: str | None) -> Filling:
        equipment = self._equip()
        try:
            with rejecting(self.slot.name, f"{self.slot.class_name} cannot be constructed"):
                component = make(**equipment.keywords)
            for method in self.slot.methods:
                check_method(component, self.slot.class_name, method, pure=method in self.slot.pure)
            if hasattr(component, "start"):
                with rejecting(self.slot.name, f"{self.slot.class_name}.start failed"):
                    async with asyncio.timeout(PATIENCE):
                        await component.start()
        except BaseException:
            await equipment.close()
            raise
        return Filling(name, make, component, equipment.close, module)

    async def _retire(self, old: Filling) -> list[str]:
        """Lets the old component finish. Returns what went wrong; it goes in any case."""
        problems: list[str] = []
        old.idle.clear()
        if old.in_flight:
            with suppress(TimeoutError):
                await asyncio.wait_for(old.idle.wait(), PATIENCE)
            if old.in_flight:
                problems.append(f"{old.in_flight} calls had not ended after {PATIENCE:.0f} s")
        for step in ("drain", "stop"):
            if hasattr(old.component, step):
                try:
                    async with asyncio.timeout(PATIENCE):
                        await getattr(old.component, step)()
                except BaseException as error:
                    if isinstance(error, asyncio.CancelledError) and being_cancelled():
                        raise
                    problems.append(f"{step} raised {type(error).__name__}: {error}")
        await old.close()
        if old.module:
            forget_module(old.module)
        return problems
