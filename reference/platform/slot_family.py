"""A slot that holds not one component but one for each piece of work, such as a partition of the log.

Its members are made when they are needed, with ports of their own, and dropped when they have failed. A swap changes
what is made from then on: who uses a member asks `is_current` before each piece of work, and makes a new one if not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from reference.platform.process import ComponentFactory, EventSink
from reference.platform.slots import Equipment, Slot, SlotHolder


class SlotFamily(SlotHolder):
    """`sample`: keywords with which a component can be made to see whether it can be made at all; it is not used."""

    def __init__(
        self,
        slot: Slot,
        sample: Callable[[], Mapping[str, Any]],
        events: EventSink,
        count: Callable[[str], None] = lambda error: None,
    ) -> None:
        super().__init__(slot, lambda: Equipment(dict(sample()), nothing), events, count)
        self._generation = 0

    async def put(self, name: str, make: ComponentFactory, module: str | None = None) -> dict[str, Any]:
        """As a holder's. ComponentRejected: no member could be made of it, and those of before are still made."""
        answer = await super().put(name, make, module)
        self._generation += 1
        return answer

    def member(self, **keywords: Any) -> Member:
        """A component for one piece of work. ComponentError: it cannot be made."""
        return Member(self, self._generation, self.constructed(keywords))

    def constructed(self, keywords: dict[str, Any]) -> Any:
        """What the class in service makes of `keywords`."""
        assert self._current is not None, "the slot has not been filled"
        try:
            return self._current.make(**keywords)
        except (SystemExit, KeyboardInterrupt) as error:
            raise self._kept_from_leaving("__init__", error) from error
        except BaseException as error:
            raise self._failed(error, f"__init__ raised {type(error).__name__}: {error}") from error

    def is_current(self, member: Member) -> bool:
        return member.generation == self._generation


class Member:
    """One component of a family."""

    def __init__(self, family: SlotFamily, generation: int, component: Any) -> None:
        self.generation = generation
        self._family = family
        self._component = component

    async def call(self, method: str, *args: Any) -> Any:
        """Raises what the contract allows, or ComponentError."""
        return await self._family.guarded(method, getattr(self._component, method), *args)


async def nothing() -> None:
    """What there is to close."""
