"""The store of links over several shards: each link on the shard that the routing names."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import TypeVar

from reference.platform.errors import PortError, Unavailable
from reference.platform.sql import Database
from reference.shortener.components import Link
from reference.shortener.links import Deletion, LinkRecord, NewLink
from reference.shortener.live_routing import LiveRouting, Route
from reference.shortener.repository import SqlLinkRepository
from reference.shortener.stored_links import Moved, StaleRouting

T = TypeVar("T")

ATTEMPTS = 5
"""Times that a call is begun anew because the routing has changed; one re-shard changes it twice."""


class ShardedLinks:
    """A `LinkRepository`. Beside PortError its calls may raise ComponentError: the router has failed."""

    def __init__(self, databases: Mapping[str, Database], routing: LiveRouting) -> None:
        """`databases`: of all shards, in use or spare, by name."""
        self.shards = {name: SqlLinkRepository(database) for name, database in databases.items()}
        self._routing = routing

    async def prepare(self) -> None:
        """All shards that are there are prepared, even if others are away; then it raises the first error."""
        tasks = [self._routing.prepare(), *(shard.prepare() for shard in self.shards.values())]
        for outcome in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(outcome, BaseException):
                raise outcome

    async def ping(self) -> None:
        away = [f"{name}: {state}" for name, state in (await self.states()).items() if state != "ok"]
        if away:
            raise Unavailable("; ".join(away))

    async def states(self) -> dict[str, str]:
        """Of each shard in use "ok", or what went wrong."""
        route = await self._routing.current()
        return {name: await self._state(self._shard(name)) for name in route.shards}

    async def _state(self, shard: SqlLinkRepository) -> str:
        try:
            await shard.ping()
        except PortError as error:
            return f"away: {error}"
        return "ok"

    # --- one link

    async def insert(self, link: NewLink) -> bool:
        async def put(route: Route) -> bool:
            home, next_home = (self._shard(name) for name in route.homes(link.code))
            if home is next_home:
                return await home.insert(link, route.epoch)
            row = await home.insert_stub(link.code, route.epoch)
            return await next_home.insert(link, route.epoch) if row.moved else row.is_of(link)

        return await self._by_routing(put)

    async def find(self, code: str) -> Link | None:
        return await self._at_home(code, lambda shard, epoch: shard.find(code, epoch))

    async def taken(self, code: str) -> bool:
        return await self._at_home(code, lambda shard, epoch: shard.taken(code, epoch))

    async def record(self, code: str) -> LinkRecord | None:
        return await self._at_home(code, lambda shard, epoch: shard.record(code, epoch))

    async def delete(self, code: str, *, token_hash: str | None, owner: str | None, now: float) -> Deletion:
        return await self._at_home(
            code,
            lambda shard, epoch: shard.delete(code, token_hash=token_hash, owner=owner, now=now, epoch=epoch),
        )

    # --- links of several shards

    async def owned_by(self, owner: str, after: str, limit: int) -> list[LinkRecord]:
        async def page(route: Route) -> list[LinkRecord]:
            shards = [self._shard(name) for name in route.shards]
            pages = await asyncio.gather(
                *(shard.owned_by(owner, after, limit, route.epoch) for shard in shards)
            )
            merged = sorted((record for page in pages for record in page), key=lambda record: record.code)
            return merged[:limit] if not route.is_moving else await self._settled(merged, owner, limit)

        return await self._by_routing(page)

    async def _settled(self, records: list[LinkRecord], owner: str, limit: int) -> list[LinkRecord]:
        """While links move, there may be copies that do not count, or not any more: each is asked for by its code."""
        codes = sorted({record.code for record in records})[:limit]
        counting = [record for code in codes if (record := await self.record(code)) is not None]
        if codes and len(counting) < len(codes) == limit:
            counting += await self.owned_by(owner, codes[-1], limit - len(counting))
        return counting

    # --- by the routing

    async def _at_home(self, code: str, act: Callable[[SqlLinkRepository, int], Awaitable[T]]) -> T:
        """Does it on the shard where the link is now."""

        async def try_both(route: Route) -> T:
            home, next_home = route.homes(code)
            try:
                return await act(self._shard(home), route.epoch)
            except Moved:
                return await act(self._shard(next_home), route.epoch)

        return await self._by_routing(try_both)

    async def _by_routing(self, act: Callable[[Route], Awaitable[T]]) -> T:
        """Begins anew whenever a shard says that the routing has changed, and so that nothing has happened there."""
        route = await self._routing.current()
        for _ in range(ATTEMPTS):
            try:
                return await act(route)
            except (StaleRouting, Moved):
                route = await self._routing.renew(route)
        raise Unavailable("the routing changes faster than it can be followed")

    def _shard(self, name: str) -> SqlLinkRepository:
        if name not in self.shards:
            raise Unavailable(f"this server was not told where {name} is")
        return self.shards[name]
