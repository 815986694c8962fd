"""The servers behind a balancer: which are up, who is asked first, and connections that wait for the next request."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any, Protocol

from reference.platform.balancing import Policy, RoundRobin
from reference.platform.http1 import read_response
from reference.platform.wire import Wire

CONNECT_TIMEOUT = 1.0
CHECK_EVERY = 0.5
CHECK_TIMEOUT = 0.5
IDLE_MAX = 64
"""Connections to one server that are kept for later."""


class Taker(Protocol):
    """Takes an answer where it arrives, before anybody waits for it: see `short_way`."""

    def answer(self, data: bytes) -> None: ...
    def broken(self) -> None: ...


class Upstream(Wire):
    """A connection to a server. `taker`: gets what comes next, if there is one."""

    def __init__(self) -> None:
        super().__init__()
        self.taker: Taker | None = None

    def data_received(self, data: bytes) -> None:
        if self.taker is not None:
            self.taker.answer(data)
        else:
            super().data_received(data)

    def hung_up(self) -> None:
        super().hung_up()
        if self.taker is not None:
            self.taker.broken()


@dataclass(eq=False, slots=True)
class Backend:
    """One server. `up` is what we last saw of it: the next check may see otherwise.

    A server that answers is up, whatever it answers: one that says 503 because it has too much to do is not helped by
    giving its share to the others, which then have too much to do as well.
    """

    name: str
    host: str
    port: int
    up: bool = True
    in_flight: int = 0
    answered: int = 0
    failures: int = 0
    """Requests for which it could not be reached, broke off, or was silent."""
    idle: list[Upstream] = field(default_factory=list)

    def kept(self) -> Upstream | None:
        """A connection that waits for a request, if there is one."""
        while self.idle:
            upstream = self.idle.pop()
            if upstream.is_open and not upstream.buffer:
                return upstream
            upstream.abort()
        return None

    async def connect(self) -> Upstream:
        """A connection, kept or new. OSError or TimeoutError, and it counts as down, if there is none."""
        try:
            return self.kept() or await self._open()
        except (OSError, TimeoutError):
            self.failures += 1
            self.went_down()
            raise

    async def _open(self) -> Upstream:
        async with asyncio.timeout(CONNECT_TIMEOUT):
            _, upstream = await asyncio.get_running_loop().create_connection(Upstream, self.host, self.port)
        return upstream

    def give_back(self, upstream: Upstream) -> None:
        if upstream.is_open and len(self.idle) < IDLE_MAX:
            self.idle.append(upstream)
        else:
            upstream.abort()

    def went_down(self) -> None:
        self.up = False
        self.close()

    def close(self) -> None:
        while self.idle:
            self.idle.pop().abort()

    async def check(self) -> None:
        """Asks GET /healthz, on a connection of its own: what is asked is whether a new client would be served."""
        upstream = None
        try:
            async with asyncio.timeout(CHECK_TIMEOUT):
                upstream = await self._open()
                upstream.write(b"GET /healthz HTTP/1.1\r\nHost: balancer\r\nConnection: close\r\n\r\n")
                healthy = (await read_response(upstream, None)).status == 200
        except (OSError, TimeoutError, EOFError, ValueError):
            healthy = False
        finally:
            if upstream is not None:
                upstream.abort()
        if healthy:
            self.up = True
        else:
            self.went_down()

    def health(self) -> dict[str, Any]:
        return {
            "state": "up" if self.up else "down",
            "port": self.port,
            "in_flight": self.in_flight,
            "answered": self.answered,
            "failures": self.failures,
        }


class Backends:
    """All servers. Checks each every CHECK_EVERY seconds while `run` runs."""

    def __init__(self, host: str, ports: dict[str, int], policy: Policy | None = None) -> None:
        self._host = host
        self._all: dict[str, Backend] = {}
        self.policy: Policy = policy or RoundRobin()
        self.replace(ports)

    def __getitem__(self, name: str) -> Backend:
        return self._all[name]

    def replace(self, ports: dict[str, int]) -> None:
        """The servers from now on: name to port. One that stays keeps its state and its connections."""
        before, self._all = self._all, {}
        for name, port in ports.items():
            known = before.get(name)
            same = known is not None and known.port == port
            self._all[name] = known if known and same else Backend(name, self._host, port)
        for name, backend in before.items():
            if self._all.get(name) is not backend:
                backend.close()

    def in_order(self, key: bytes) -> list[Backend]:
        """Those that are up, as the policy orders them. If none seems up, all: we may be wrong, and have nothing to
        lose."""
        everyone = list(self._all.values())
        return self.policy.order([backend for backend in everyone if backend.up] or everyone, key)

    async def run(self) -> None:
        while True:
            await asyncio.gather(*(backend.check() for backend in self._all.values()))
            await asyncio.sleep(CHECK_EVERY)

    def health(self) -> dict[str, Any]:
        return {name: backend.health() for name, backend in self._all.items()}

    def close(self) -> None:
        for backend in self._all.values():
            backend.close()
