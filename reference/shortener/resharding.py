"""A live re-shard: links move from one placement to another while servers go on. Why it is safe: `routing`.

The job of every keeper. What there is to do is written in the routing, not in the keeper: after a `kill -9`, or beside
another keeper that does the same, each step may be done again.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

from reference.platform.clock import Clock
from reference.platform.sql import Database
from reference.shortener.moves import ShardMoves
from reference.shortener.repository import SqlLinkRepository
from reference.shortener.routers import Router, RouterFactory
from reference.shortener.routing import Placement, Routing, RoutingTable
from reference.shortener.stored_links import StaleRouting

BATCH = 200
"""Rows a step, all in one transaction: a write to one of them may have to wait for it."""
PAUSE = 0.01
"""Seconds between two steps: the shards have something better to do."""
POLL = 0.5
"""Seconds between two looks at the routing."""


class Reshard:
    """A keeper's job (`run`), and its commands `reshard` (`begin`) and `resharding` (`progress`)."""

    def __init__(
        self,
        databases: Mapping[str, Database],
        table: RoutingTable,
        first: Placement,
        routers: RouterFactory,
        clock: Clock,
        count: Callable[[int], None] = lambda links: None,
    ) -> None:
        """`databases`: of all shards, in use or spare. `first`: as for `LiveRouting`. `count`: is told of each batch of
        links that was moved."""
        self._shards = {name: SqlLinkRepository(database) for name, database in databases.items()}
        self._moves = {name: ShardMoves(database) for name, database in databases.items()}
        self._table = table
        self._first = first
        self._routers = routers
        self._clock = clock
        self._count = count
        self._epoch = 0
        self.moved = self.of = 0
        """Of the re-shard that began `_epoch`, as far as this keeper has done it: links that it moved, and rows
        there were when it began."""

    # --- commands

    async def begin(self, args: dict[str, Any]) -> dict[str, Any]:
        """`{"shards": 4 | ["shard-1", ...], "router": {"filling": ...} | {"source": ..., "label": ...}}`; what is
        missing stays as it is. Returns as soon as it is written down; see `progress`.

        The same again while it is under way changes nothing: whoever asked may not have heard the answer.
        ValueError: another re-shard is under way, no such shard, or (ComponentRejected) an unfit router. PortError."""
        routing = await self._table.read()
        shards = self._named(args["shards"]) if "shards" in args else routing.after.shards
        target = Placement(dict(args.get("router") or routing.after.router), shards)
        if target != routing.after:
            if routing.phase != "stable":
                raise ValueError("links are moving already, to elsewhere: wait until that is done")
            await self._routers.try_out(target, self._codes(routing.after))
            await asyncio.gather(*(self._shards[name].prepare() for name in shards))
            if not await self._table.change(
                routing, Routing(routing.epoch + 1, "moving", routing.after, target)
            ):
                raise ValueError("another re-shard has begun meanwhile")
        return await self.progress({})

    def _named(self, shards: Any) -> tuple[str, ...]:
        names = [f"shard-{n}" for n in range(1, shards + 1)] if isinstance(shards, int) else list(shards)
        unknown = [name for name in names if name not in self._shards]
        if unknown or not names or len(set(names)) < len(names):
            raise ValueError(f"no such shards: {shards!r}; there are: {', '.join(self._shards)}")
        return tuple(names)

    async def _codes(self, placement: Placement) -> AsyncIterator[list[str]]:
        for name in placement.shards:
            async for codes in self._moves[name].codes():
                yield codes

    async def progress(self, args: dict[str, Any]) -> dict[str, Any]:
        routing = await self._table.read()
        told = {"epoch": routing.epoch, "phase": routing.phase, "shards": list(routing.after.shards)}
        if self._epoch < routing.epoch - 1:  # what another keeper has done alone
            self.moved = self.of = 0
        return {**told, "router": routing.after.label, "moved": self.moved, "of": self.of}

    # --- the job

    async def run(self) -> None:
        await self._table.prepare(self._first)
        while True:
            await self.work()
            await self._clock.sleep(POLL)

    async def work(self) -> None:
        """Does what the routing says there is to do. Raises PortError: begin again, nothing is lost by it."""
        routing = await self._table.read()
        try:
            if routing.phase == "moving":
                await self._move(routing)
                routing = Routing(routing.epoch + 1, "settling", routing.before, routing.after)
            if routing.phase == "settling":
                await self._settle(routing)
        except StaleRouting:
            pass  # another keeper has brought it further

    async def _move(self, routing: Routing) -> None:
        await self._raise(routing)
        router = await self._routers.make(routing.after)
        try:
            self._epoch, self.moved = routing.epoch, 0
            self.of = sum([await self._moves[name].count() for name in routing.before.shards])
            for name in routing.before.shards:
                await self._empty(name, router, routing.epoch)
        finally:
            await router.close()
        await self._go_on(routing, Routing(routing.epoch + 1, "settling", routing.before, routing.after))

    async def _empty(self, name: str, router: Router, epoch: int) -> None:
        """Moves what is on the shard `name` and belongs elsewhere. Behind the last row that was dealt with, none can
        appear that must leave: inserts leave stubs."""
        last = ""
        while rows := await self._moves[name].rows(last, BATCH):
            changed = False
            leaving = [row for row in rows if router.shard_of(row.code) != name]
            for target in sorted({router.shard_of(row.code) for row in leaving}):
                there = [row for row in leaving if router.shard_of(row.code) == target]
                await self._moves[target].copy_in(there, epoch)
                left = await self._moves[name].leave_stubs(there, epoch)
                self.moved += len(there) - len(left)
                self._count(len(there) - len(left))
                changed = changed or bool(left)
            if not changed:
                last = rows[-1].code
            await self._clock.sleep(PAUSE)

    async def _settle(self, routing: Routing) -> None:
        await self._raise(routing)
        for name in routing.before.shards:
            while await self._moves[name].remove_stubs(routing.epoch, BATCH):
                await self._clock.sleep(PAUSE)
        await self._go_on(routing, Routing(routing.epoch, "stable", routing.after, routing.after))

    async def _raise(self, routing: Routing) -> None:
        """On all shards of both placements: from here on nobody acts by what was before."""
        await asyncio.gather(*(self._shards[name].raise_epoch(routing.epoch) for name in routing.shards))

    async def _go_on(self, routing: Routing, following: Routing) -> None:
        if not await self._table.change(routing, following):
            raise StaleRouting
