"""The routing as one server knows it: read once, and again whenever a shard says that it is out of date."""

from __future__ import annotations

import asyncio

from reference.shortener.routers import Router, RouterFactory
from reference.shortener.routing import Placement, Routing, RoutingTable


class Route:
    """A routing with its routers at work."""

    def __init__(self, routing: Routing, before: Router, after: Router) -> None:
        self.epoch = routing.epoch
        self.is_moving = routing.phase == "moving"
        self.before = before if self.is_moving else after
        self.after = after
        self.shards = routing.shards if self.is_moving else list(routing.after.shards)

    def homes(self, code: str) -> tuple[str, str]:
        """The shard to ask for the code, and the one to ask if there is a stub. Raises ComponentError."""
        return self.before.shard_of(code), self.after.shard_of(code)


class LiveRouting:
    def __init__(self, table: RoutingTable, first: Placement, routers: RouterFactory) -> None:
        """`first`: the placement that is written down if nobody has written any."""
        self._table = table
        self._first = first
        self._factory = routers
        self._route: Route | None = None
        self._reading = asyncio.Lock()

    @property
    def label(self) -> str:
        """The name of the router in service."""
        return self._route.after.placement.label if self._route else "nothing"

    async def prepare(self) -> None:
        """Idempotent, also when several servers do so at once. Raises PortError."""
        await self._table.prepare(self._first)
        await self.current()

    async def current(self) -> Route:
        """Raises PortError if the routing has not been read yet, and cannot be."""
        return self._route or await self.renew(None)

    async def renew(self, old: Route | None) -> Route:
        """The routing after `old`; `old` itself if there is none yet. However many ask, it is read once."""
        async with self._reading:
            if self._route is None or self._route is old:
                routing = await self._table.read()
                if self._route is None or routing.epoch > self._route.epoch:
                    self._route = await self._load(routing)
            return self._route

    async def _load(self, routing: Routing) -> Route:
        had = [self._route.before, self._route.after] if self._route else []
        routers: list[Router] = []
        for placement in (routing.before, routing.after):
            known = [router for router in (*had, *routers) if router.placement == placement]
            routers.append(known[0] if known else await self._factory.make(placement))
        for router in had:
            if router not in routers:
                await router.close()
        return Route(routing, *routers)
