"""Hosts that no short link may lead to: the hook for whoever fights abuse.

A blocked host takes its subdomains with it: `example.org` blocks `www.example.org`, and not `notexample.org`. The
list is asked when a link is made, and not when it is followed, so that the read path need not know of it. Links that
were there before are for an administrator to delete, which every cache obeys within DELETION_BOUND.

Each server keeps a copy and reads it again every few seconds. While the store is away the old copy serves; without
any copy no links are made, for nobody could say where they may lead.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Protocol

from reference.platform.clock import Clock
from reference.platform.errors import PortError
from reference.platform.sql import Database, statement

FRESH_FOR = 5.0
"""Seconds after which a server reads the list again: so late may it learn of a newly blocked host."""

TABLES = (
    """CREATE TABLE IF NOT EXISTS blocked_hosts (
        host TEXT PRIMARY KEY,
        reason TEXT NOT NULL,
        blocked_at DOUBLE PRECISION NOT NULL
    )""",
)


@dataclass(frozen=True, slots=True)
class BlockedHost:
    """`host`: as `targets.canonical_host` spells it."""

    host: str
    reason: str
    blocked_at: float


class BlockedHosts(Protocol):
    """Port: the list. Errors: PortError; `block` and `unblock` are idempotent."""

    async def all(self) -> list[BlockedHost]: ...
    async def block(self, entry: BlockedHost) -> None: ...
    async def unblock(self, host: str) -> bool:
        """Whether it was blocked."""
        ...


class SqlBlockedHosts:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def all(self) -> list[BlockedHost]:
        rows = await self._database.query("SELECT host, reason, blocked_at FROM blocked_hosts ORDER BY host")
        return [BlockedHost(**row) for row in rows]

    async def block(self, entry: BlockedHost) -> None:
        row = statement(
            "INSERT INTO blocked_hosts (host, reason, blocked_at) VALUES ($1, $2, $3) "
            "ON CONFLICT (host) DO UPDATE SET reason = excluded.reason, blocked_at = excluded.blocked_at",
            *(entry.host, entry.reason, entry.blocked_at),
        )
        await self._database.transaction([row])

    async def unblock(self, host: str) -> bool:
        [gone] = await self._database.transaction(
            [statement("DELETE FROM blocked_hosts WHERE host = $1 RETURNING host", host)]
        )
        return bool(gone)


class Blocklist:
    """The copy of one server."""

    def __init__(self, hosts: BlockedHosts, clock: Clock) -> None:
        self._hosts = hosts
        self._clock = clock
        self._copy: frozenset[str] | None = None
        self._ask_again_at = 0.0
        self._reading = asyncio.Lock()

    async def blocks(self, host: str) -> bool:
        """Whether `host`, in its canonical spelling, may not be a target. PortError: there is no copy yet."""
        blocked = await self._current()
        return any(ending in blocked for ending in endings(host))

    def stale(self) -> None:
        """The list was changed, here: read it again at the next question."""
        self._ask_again_at = 0.0

    async def _current(self) -> frozenset[str]:
        if self._copy is not None and (self._clock.now() < self._ask_again_at or self._reading.locked()):
            return self._copy
        async with self._reading:
            if self._copy is None or self._clock.now() >= self._ask_again_at:
                try:
                    self._copy = frozenset(entry.host for entry in await self._hosts.all())
                except PortError:
                    if self._copy is None:
                        raise
                self._ask_again_at = self._clock.now() + FRESH_FOR
            return self._copy


def endings(host: str) -> list[str]:
    """The host and all domains above it: a.example.org, example.org, org. An address has none above it."""
    labels = host.split(".")
    if ":" in host or labels[-1].isdigit():
        return [host]
    return [".".join(labels[n:]) for n in range(len(labels))]
