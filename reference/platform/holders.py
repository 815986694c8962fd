"""The slots that one process has, together: their components, and the commands that swap them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from reference.platform.process import ComponentFactory
from reference.platform.slots import SlotHolder


class Holders:
    """`replace`: by slot, what fills it instead of the reference from the start."""

    def __init__(
        self, holders: Iterable[SlotHolder], replace: Mapping[str, ComponentFactory] | None = None
    ) -> None:
        self._holders = {holder.slot.name: holder for holder in holders}
        self._replace = replace or {}

    def at(self, slot: Any) -> SlotHolder:
        """ValueError: this process has no such slot."""
        if slot not in self._holders:
            raise ValueError(f"no slot {slot!r}; there is: {', '.join(self._holders)}")
        return self._holders[slot]

    def names(self) -> dict[str, str]:
        """Of each slot, what fills it."""
        return {slot: holder.filling for slot, holder in self._holders.items()}

    async def start(self) -> None:
        """In the order given: a component may call those of the slots before its own while it starts."""
        for slot, holder in self._holders.items():
            if slot in self._replace:
                await holder.put("replaced", self._replace[slot])
            else:
                await holder.fill("reference")

    async def stop(self) -> None:
        for holder in reversed(self._holders.values()):
            await holder.stop()

    async def command(self, name: str, args: dict[str, Any]) -> dict[str, Any]:
        """The commands `swap` and `unswap`. ValueError: no such command, slot or filling, or an unfit component."""
        match name, args:
            case "swap", {"slot": slot, "source": str() as source, **rest}:
                return await self.at(slot).put_source(source, str(rest.get("label") or "yours"))
            case "swap", {"slot": slot, "filling": str() as filling}:
                return await self.at(slot).fill(filling)
            case "unswap", {"slot": slot}:
                return await self.at(slot).fill("reference")
        raise ValueError(f"no command {name!r} with {', '.join(args) or 'no arguments'}")
