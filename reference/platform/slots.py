"""A slot: the place in a running server where one component can take another's.

A swap has the lifecycle of a deployment in small: make the new component, start it, send it every new call, wait
until the old one has no call in hand, drain it, stop it. If the new one cannot be made, the old one stays.
"""

from __future__ import annotations

import asyncio
import importlib
import inspect
from collections.abc import Callable
from typing import Any

from reference.platform.contained import Contained, Slot
from reference.platform.fillings import Equipment, Filling, begin, retire
from reference.platform.modules import (
    ComponentRejected,
    compile_module,
    forget_module,
    rejecting,
)
from reference.platform.process import ComponentFactory, EventSink


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
            new = await begin(self.slot, self._equip(), name, make, module)
            old, self._current = self._current, new
            self._told.clear()
            self.on_change()
            problems = await retire(old) if old else []
            return {"slot": self.slot.name, "filling": name, "problems": problems}

    async def again(self) -> dict[str, Any]:
        """Swaps the component for a new instance of itself, for one that is told something else when it begins."""
        async with self._swapping:
            old = self._current
            assert old is not None, "the slot has not been filled"
            self._current = await begin(self.slot, self._equip(), old.name, old.make, old.module)
            old.module = None  # the new instance keeps it
            problems = await retire(old)
            return {"slot": self.slot.name, "filling": old.name, "problems": problems}

    async def stop(self) -> None:
        """Takes the component out of service for good."""
        async with self._swapping:
            if self._current:
                await retire(self._current)
                self._current = None
