"""The slot `click-aggregator` in a consumer: one component for each partition of the log, all swapped together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

from reference.platform.clock import Clock
from reference.platform.modules import check_method
from reference.platform.process import ComponentFactory
from reference.platform.slots import SlotHolder
from reference.shortener.click_repository import LeasedClickStore
from reference.shortener.components import Click, ClickStore
from reference.shortener.components.clicks import Counted


class Aggregators(Protocol):
    async def count(self, store: LeasedClickStore, events: Sequence[Click | None], offset: str) -> int:
        """As `ClickAggregator.count` of the component that has `store`. Raises PortError or ComponentError."""
        ...


class PerPartition:
    """Instances of one class of components. An instance lives as long as the lease that its store is bound to: after an
    error there is a new lease, hence a new store, hence a new instance, which knows nothing of the failure."""

    def __init__(self, make: ComponentFactory, *, clock: Clock) -> None:
        """Constructs one for a trial, so that a class that cannot be constructed is not swapped in."""
        self._make = make
        self._clock = clock
        self._instances: dict[int, tuple[ClickStore | None, Any]] = {}
        check_method(make(store=_NoStore(), clock=clock), "ClickAggregator", "count")

    async def count(self, store: LeasedClickStore, events: Sequence[Click | None], offset: str) -> Any:
        of, instance = self._instances.get(store.partition, (None, None))
        if of is not store:
            instance = self._make(store=store, clock=self._clock)
            self._instances[store.partition] = store, instance
        return await instance.count(events, offset)


class AggregatorSlot(SlotHolder):
    """Holds a class in the slot, as it were: one component for each partition. `equip` gives the `clock`."""

    async def put(self, name: str, make: ComponentFactory, module: str | None = None) -> dict[str, Any]:
        return await super().put(name, partial(PerPartition, make), module)


@dataclass(frozen=True, slots=True)
class SlottedAggregators:
    """The aggregators that are in service right now. Checks what they did: what the log has beyond the committed offset
    is not read again, so it must be the offset that was asked for."""

    holder: SlotHolder

    async def count(self, store: LeasedClickStore, events: Sequence[Click | None], offset: str) -> int:
        new = await self.holder.call("count", store, events, offset)
        if not isinstance(new, int) or not 0 <= new <= len(events):
            raise self.holder.misbehaved("count", f"returned {new!r:.80}, which is no number of new clicks")
        if store.committed != offset:
            raise self.holder.misbehaved("count", f"has returned, and not committed the offset {offset}")
        return new


class _NoStore:
    """`ClickStore` of a component that is constructed for a trial."""

    async def known(self, event_ids: object) -> set[str]:
        raise RuntimeError("the store is used before there is anything to count")

    async def commit(self, counted: Counted) -> None:
        raise RuntimeError("the store is used before there is anything to count")
