"""The services that an app server of the URL shortener needs: made ready, asked how they are, closed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import RedisError

from reference.platform.errors import PortError, Unavailable
from reference.platform.event_log import EventLog
from reference.platform.sql import Database
from reference.shortener.sharded_links import ShardedLinks


class Services:
    """The services that an app server needs, together."""

    def __init__(
        self,
        *,
        links: ShardedLinks,
        store: Database,
        shards: Mapping[str, Database],
        cache: Redis,
        pool: Redis,
        log: EventLog,
        tables: Sequence[str] = (),
    ) -> None:
        """`tables`: what is needed of the store."""
        self.links = links
        self.store = store
        self.shards = shards
        self.cache = cache
        self.pool = pool
        self.log = log
        self._tables = tables
        self._has_tables = False

    async def prepare(self) -> None:
        """Makes the tables, wherever they can be made. Raises PortError if something is away; then repeat it."""
        preparing = (self.links.prepare(), self._make_tables())
        for outcome in await asyncio.gather(*preparing, return_exceptions=True):
            if isinstance(outcome, BaseException):
                raise outcome

    async def _make_tables(self) -> None:
        await self.store.define(self._tables)
        self._has_tables = True

    async def states(self) -> dict[str, str]:
        """Of each service "ok", or what went wrong. `links`: "ok" if some shard answers, for then some links work."""
        pings: dict[str, Awaitable[Any]] = {
            "store": self._ask_store(),
            "cache": self.cache.ping(),
            "log": self.log.ping(),
            "pool": self.pool.ping(),
        }
        shards, *found = await asyncio.gather(self.links.states(), *pings.values(), return_exceptions=True)
        states = {name: self._state(each) for name, each in zip(pings, found, strict=True)}
        if isinstance(shards, dict):
            some = "ok" in shards.values()
            return states | shards | {"links": "ok" if some else "away: no shard answers"}
        return states | {"links": self._state(shards)}

    async def _ask_store(self) -> None:
        await self.store.query("SELECT 1")
        if not self._has_tables:
            raise Unavailable("its tables have not been made yet")

    def _state(self, outcome: Any) -> str:
        if isinstance(outcome, PortError | RedisError):
            return f"away: {outcome}"
        if isinstance(outcome, BaseException):
            raise outcome
        return "ok"

    async def close(self) -> None:
        await self.log.close()
        await self.cache.aclose()
        await self.pool.aclose()
        await asyncio.gather(self.store.close(), *(shard.close() for shard in self.shards.values()))
