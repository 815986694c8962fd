"""The routers of the slot `url-shortener/shard-router`, in service.

A router cannot be swapped on one server, as other components can: links that were written by one router are not
found by another. So the routing says which router all servers use, and each loads it from there.
"""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Callable

from reference.platform.contained import ComponentError
from reference.platform.fillings import Equipment
from reference.platform.modules import ComponentRejected
from reference.platform.process import ComponentFactory, EventSink, ignore_events
from reference.platform.slots import SlotHolder
from reference.shortener.components import ALPHABET
from reference.shortener.routing import Placement
from reference.shortener.slots import SHARD_ROUTER

SAMPLE = 2000
"""Random codes on which a router is tried out."""


class Router:
    """A placement with its router at work. What the router answers is checked, for a wrong answer would lose links."""

    def __init__(self, placement: Placement, holder: SlotHolder) -> None:
        self.placement = placement
        self._holder = holder

    def shard_of(self, code: str) -> str:
        """Raises ComponentError."""
        shard = self._holder.call_pure("shard_of", code)
        if not isinstance(shard, str) or shard not in self.placement.shards:
            raise self._holder.misbehaved("shard_of", f"returned {shard!r:.80}, which is no shard in use")
        return shard

    async def close(self) -> None:
        await self._holder.stop()


class RouterFactory:
    """`count` is told the name of each error that a router makes. `replace`: is made instead of the reference."""

    def __init__(
        self,
        events: EventSink = ignore_events,
        count: Callable[[str], None] = lambda error: None,
        replace: ComponentFactory | None = None,
    ) -> None:
        self._events = events
        self._count = count
        self._replace = replace

    async def make(self, placement: Placement) -> Router:
        """ValueError: no such filling; ComponentRejected (a ValueError too): it cannot be loaded or constructed."""

        async def close() -> None: ...

        def equip() -> Equipment:
            return Equipment({"shards": list(placement.shards)}, close)

        holder = SlotHolder(SHARD_ROUTER, equip, self._events, self._count)
        source, filling = placement.router.get("source"), placement.router.get("filling", "")
        if source is not None:
            await holder.put_source(source, placement.label)
        elif filling == "reference" and self._replace is not None:
            await holder.put("replaced", self._replace)
        else:
            await holder.fill(filling)
        return Router(placement, holder)

    async def try_out(self, placement: Placement, codes: AsyncIterator[list[str]]) -> None:
        """ComponentRejected unless two instances of the router answer with known shards, and both with the same, on
        random codes and on `codes`: those of all links, for one that cannot be placed would stop the move."""
        one, two = await self.make(placement), await self.make(placement)
        draw = random.Random(1)
        try:
            compare(one, two, ["".join(draw.choices(ALPHABET, k=draw.randint(3, 12))) for _ in range(SAMPLE)])
            async for batch in codes:
                compare(one, two, batch)
        except ComponentError as error:
            raise ComponentRejected(str(error)) from error
        finally:
            await one.close()
            await two.close()


def compare(one: Router, two: Router, codes: list[str]) -> None:
    answers = {code: one.shard_of(code) for code in codes}
    # In another order: a router that counts its calls must not pass for a function of the code.
    for code in reversed(codes):
        if (other := two.shard_of(code)) != answers[code]:
            raise ComponentRejected(
                f"ShardRouter.shard_of({code!r}) is {answers[code]!r} by one instance and {other!r} by another: "
                "servers would not find each other's links"
            )
