"""Moving the links of a running stack to other shards, or by another router, while it serves.

A router cannot be swapped on one server, as other components can: links that one router placed are not found by
another. So a swap of it is a re-shard, which a keeper does; here it is ordered and waited for.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

from workbench.stack.fittings import ROUTED, OrderError, with_line
from workbench.stack.python_role import PythonRole
from workbench.stack.role import CommandFailed, Role, RoleError, RoleGone

SHARD_ROUTER = ROUTED
PATIENCE = 100.0
"""Seconds to wait for a re-shard. It goes on if that is not enough."""
POLL = 0.1


class Resharding:
    """`roles`: all of the stack."""

    def __init__(self, roles: dict[str, Role]) -> None:
        self.roles = roles

    async def swap(
        self,
        source: str | None = None,
        filling: str | None = None,
        label: str | None = None,
        on: str | list[str] | None = None,
    ) -> None:
        """Puts another router into service, on all servers, once every link is where it looks for it."""
        if on is not None:
            raise ValueError(
                "a router serves on all servers or on none: a link that one router placed is not found by another"
            )
        if source is None:
            router = {"filling": filling or "reference"}
        else:
            router = {"source": source, "label": label or "yours"}
        try:
            await self.reshard(router=router)
        except CommandFailed as error:
            if error.error.get("type") == "ValueError":
                raise
            wanted = {"slot": SHARD_ROUTER, "source": source}
            raise OrderError(str(error), **with_line(error.error, wanted)) from error

    async def reshard(self, **wanted: Any) -> dict[str, Any]:
        """`shards`: their number or names; `router`: as the keeper's command takes it. Returns what was done."""
        keepers = list(self._up("keeper"))
        if not keepers:
            raise OrderError("no keeper is up: nobody can move the links")
        for number, keeper in enumerate(keepers, 1):
            try:
                await keeper.command("reshard", wanted, PATIENCE)  # it tries a router on every code first
                break
            except RoleGone:  # killed over it: the next one takes the same order, begun or not
                if number == len(keepers):
                    raise
        loop = asyncio.get_running_loop()
        deadline = loop.time() + PATIENCE
        while (progress := await self._progress())["phase"] != "stable":
            if loop.time() > deadline:
                raise OrderError(f"links are still moving after {PATIENCE:.0f} s; it goes on: {progress}")
            await asyncio.sleep(POLL)
        for app in self._up("app"):  # each would notice with its next request: the status is to say so now
            app.health.setdefault("components", {})[SHARD_ROUTER] = await app.command("routing")
        return progress

    async def _progress(self) -> dict[str, Any]:
        """As the keeper tells it that has done most. Keepers may be killed meanwhile: the others go on."""
        found = []
        for keeper in self._up("keeper"):
            try:
                found.append(await keeper.command("resharding"))
            except RoleError:
                continue  # it is gone, or its store is away
        return max(found, key=lambda one: one["moved"], default={"phase": "unknown"})

    def _up(self, kind: str) -> Iterator[PythonRole]:
        for role in self.roles.values():
            if isinstance(role, PythonRole) and role.kind == kind and role.state == "up":
                yield role
