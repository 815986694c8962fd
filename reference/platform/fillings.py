"""A component in a slot: how it comes into service, and how it leaves."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from reference.platform.contained import PATIENCE, Slot
from reference.platform.modules import (
    being_cancelled,
    check_method,
    forget_module,
    rejecting,
)
from reference.platform.process import ComponentFactory


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


async def begin(
    slot: Slot, equipment: Equipment, name: str, make: ComponentFactory, module: str | None
) -> Filling:
    """Constructs and starts a component. ComponentRejected: it cannot be; what it was equipped with is closed."""
    try:
        with rejecting(slot.name, f"{slot.class_name} cannot be constructed"):
            component = make(**equipment.keywords)
        for method in slot.methods:
            check_method(component, slot.class_name, method, pure=method in slot.pure)
        if hasattr(component, "start"):
            with rejecting(slot.name, f"{slot.class_name}.start failed"):
                async with asyncio.timeout(PATIENCE):
                    await component.start()
    except BaseException:
        await equipment.close()
        raise
    return Filling(name, make, component, equipment.close, module)


async def retire(old: Filling) -> list[str]:
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
