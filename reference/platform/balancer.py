"""The load balancer: HTTP/1.1 to the app servers, around those that do not answer.

`front` serves the clients, `balancing` chooses a server, `backends` knows which are up, `exchange` takes one request
there and its answer back.
"""

from __future__ import annotations

import asyncio
from typing import Any

from reference.platform.backends import Backends
from reference.platform.balancing import POLICIES, Canary, Policy
from reference.platform.exchange import Exchange
from reference.platform.front import Front
from reference.platform.front_client import Client
from reference.platform.http1 import RequestHead
from reference.platform.proxy_traces import traced
from reference.platform.settings import LiveSettings
from reference.platform.short_way import ShortWay
from reference.platform.tracing import Traces


class Balancer:
    """A Runnable. `ports`: the servers at first; command `backends` gives others, command `set` another policy."""

    def __init__(self, host: str, port: int, ports: dict[str, int], live: LiveSettings | None = None) -> None:
        self.live = live or LiveSettings()
        self.backends = Backends(host, ports, POLICIES[self.live.balancing]())
        self._front = Front(host, port, "balancer", self._answer, ShortWay(self.backends))
        self._checks: asyncio.Task[None] | None = None
        self._traces = Traces()
        self._canary: tuple[str, float] | None = None

    def _choose(self) -> None:
        policy: Policy = POLICIES[self.live.balancing]()
        self.backends.policy = policy if self._canary is None else Canary(*self._canary, policy)

    async def start(self) -> dict[str, Any]:
        port = await self._front.start()
        self._checks = asyncio.create_task(self.backends.run(), name="health-checks")
        return {"port": port}

    async def stop(self) -> None:
        await self._front.stop()
        if self._checks is not None:
            self._checks.cancel()
            await asyncio.gather(self._checks, return_exceptions=True)
        self.backends.close()

    async def _answer(self, client: Client, request: RequestHead) -> bool:
        with traced(self._traces, client, request):
            return await Exchange(client, request, self.backends).run()

    async def command(self, name: str, args: dict[str, Any]) -> Any:
        match name, args:
            case "backends", {"servers": dict() as servers}:
                self.backends.replace({str(server): int(port) for server, port in servers.items()})
                return self.backends.health()
            case "set", {"name": str() as setting, "value": value}:
                before, self.live = self.live, self.live.with_value(setting, value)
                if before.balancing != self.live.balancing:
                    self._choose()
                return self.live.model_dump()
            case "canary", {"server": str() as server, "share": float() | int() | None as share}:
                self._canary = None if share is None else (server, float(share))
                self._choose()
                return None
            case "settings", _:
                return self.live.model_dump()
            case "trace", {"id": str() as request_id}:
                return self._traces.spans(request_id)
        raise ValueError(f"no command {name!r} with {', '.join(args) or 'no arguments'}")

    def health(self) -> dict[str, Any]:
        return {
            "balancing": self.live.balancing,
            "refused": {str(status): count for status, count in self._front.refused.items()},
            "backends": self.backends.health(),
        }
