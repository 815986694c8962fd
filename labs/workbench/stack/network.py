"""The network of a stack: one TCP proxy for every edge, such as `app-1->cache`, where faults are made.

Faults of an edge, alone or together:
  slow   every chunk of bytes is held for `seconds`, each way, in order
  cut    new connections are refused, open ones are reset
  hang   connections are accepted, and what is sent into them vanishes
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections import deque
from typing import Any, Literal

HIGH_WATER = 1 << 20  # bytes held back on one side before reading stops
_RESET = struct.pack("ii", 1, 0)  # SO_LINGER on, 0 s: closing sends a reset


class Edge:
    """The way from one role to one service."""

    def __init__(self, name: str, host: str, port: int) -> None:
        self.name = name
        self.host = host
        self.service = name.partition("->")[2]
        self.upstream: int | None = None
        self.delay = 0.0
        self.mode: Literal["open", "cut", "hang"] = "open"
        self.pairs: set[Pair] = set()
        self.port = port
        self._server: asyncio.Server | None = None

    async def apply(self) -> None:
        """Listens, or not, as mode and upstream say. A service that is away refuses, as it would without a proxy."""
        listen = self.mode == "hang" or (self.mode == "open" and self.upstream is not None)
        if listen and self._server is None:
            loop = asyncio.get_running_loop()
            self._server = await loop.create_server(lambda: Pair(self).client, self.host, self.port)
        elif not listen:
            self._close()

    def _close(self) -> None:
        server, self._server = self._server, None
        if server is not None:
            server.close()
        self.reset()

    def reset(self) -> None:
        for pair in list(self.pairs):
            pair.reset()

    def stop(self) -> None:
        self._close()

    def faults(self) -> dict[str, Any]:
        found: dict[str, Any] = {"slow": self.delay} if self.delay else {}
        if self.mode != "open":
            found[self.mode] = True
        return found


class Pair:
    """One connection from a client, and the one to the service that answers it."""

    def __init__(self, edge: Edge) -> None:
        self.edge = edge
        self.client = Side(self)
        self.service = Side(self)
        self.client.other, self.service.other = self.service, self.client
        self.connecting: asyncio.Task[None] | None = None
        self.mute = edge.mode == "hang"

    def accepted(self) -> None:
        self.edge.pairs.add(self)
        if not self.mute:
            self.connecting = asyncio.get_running_loop().create_task(self._connect())

    async def _connect(self) -> None:
        try:
            if self.edge.upstream is None:
                raise ConnectionRefusedError
            loop = asyncio.get_running_loop()
            await loop.create_connection(lambda: self.service, self.edge.host, self.edge.upstream)
        except OSError:
            self.reset()

    def reset(self) -> None:
        self.edge.pairs.discard(self)
        if self.connecting is not None:
            self.connecting.cancel()
        for side in (self.client, self.service):
            side.reset()


class Side(asyncio.Protocol):
    """What arrives on one side leaves on the other, later by the edge's delay."""

    def __init__(self, pair: Pair) -> None:
        self.pair = pair
        self.other: Side = self
        self.transport: asyncio.Transport | None = None
        self.gone = False
        self._held: deque[tuple[float, bytes | None]] = deque()  # (when due, bytes; None: the end)
        self._held_bytes = 0
        self._timer: asyncio.TimerHandle | None = None
        self._paused = False

    # from the event loop
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        if self is self.pair.client:
            self.pair.accepted()
        else:
            self.other._deliver()  # what the client sent while we were connecting

    def data_received(self, data: bytes) -> None:
        if self.pair.mute:
            return
        delay = self.pair.edge.delay
        target = self.other.transport
        if not delay and not self._held and target is not None:
            target.write(data)
            return
        self._hold(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self.gone = True
        if exc is not None or self.other.transport is None:
            self.pair.reset()
        else:
            self._hold(None)  # close the other side too, after what is on its way
        if self.other.gone:
            self.pair.edge.pairs.discard(self.pair)

    def pause_writing(self) -> None:
        self.other._pause(True)

    def resume_writing(self) -> None:
        self.other._pause(False)

    # holding back
    def _hold(self, data: bytes | None) -> None:
        now = asyncio.get_running_loop().time()
        due = max(now + self.pair.edge.delay, self._held[-1][0] if self._held else 0.0)
        self._held.append((due, data))
        self._held_bytes += len(data or b"")
        if self._held_bytes > HIGH_WATER:
            self._pause(True)
        if self._timer is None:
            self._deliver()

    def _deliver(self) -> None:
        """Passes on what is due and sets the timer for the rest."""
        self._timer = None
        target = self.other.transport
        if target is None:
            return  # not connected yet; it calls again
        loop = asyncio.get_running_loop()
        while self._held and self._held[0][0] <= loop.time():
            _, data = self._held.popleft()
            if data is not None:
                self._held_bytes -= len(data)
                target.write(data)
            else:
                target.close()
        if self._held:
            self._timer = loop.call_at(self._held[0][0], self._deliver)
        elif self._paused:
            self._pause(False)

    def _pause(self, paused: bool) -> None:
        if self.transport is None or self.transport.is_closing() or paused == self._paused:
            return
        self._paused = paused
        (self.transport.pause_reading if paused else self.transport.resume_reading)()

    def reset(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._held.clear()
        if self.transport is None or self.transport.is_closing():
            return
        raw = self.transport.get_extra_info("socket")
        with contextlib.suppress(OSError):
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self.transport.abort()


class Network:
    """The Runnable of the role `network`. `edges`: the port on which each is to listen."""

    def __init__(self, edges: dict[str, int], host: str = "127.0.0.1") -> None:
        self.edges = {name: Edge(name, host, port) for name, port in edges.items()}

    async def start(self) -> dict[str, Any]:
        """Every edge refuses until the command `upstream` says where its service is."""
        return {name: edge.port for name, edge in self.edges.items()}

    async def stop(self) -> None:
        for edge in self.edges.values():
            edge.stop()

    def health(self) -> dict[str, Any]:
        return {
            "faults": {name: found for name, edge in self.edges.items() if (found := edge.faults())},
            "connections": sum(len(edge.pairs) for edge in self.edges.values()),
        }

    async def command(self, name: str, args: dict[str, Any]) -> Any:
        """`upstream {"ports": {service: port or null}}`; `fault {"edges": [...], "fault": ..., "seconds": ...}`, where
        fault is slow, cut, hang or mend."""
        if name == "upstream":
            for edge in self.edges.values():
                if edge.service in args["ports"]:
                    port = args["ports"][edge.service]
                    if port != edge.upstream:
                        edge.upstream = port
                        edge.reset()
                    await edge.apply()
        elif name == "fault":
            for edge_name in args["edges"]:
                await self._fault(self.edges[edge_name], args["fault"], args.get("seconds"))
        else:
            raise ValueError(f"the network has no command {name!r}")
        return None

    async def _fault(self, edge: Edge, fault: str, seconds: float | None) -> None:
        was = edge.mode
        if fault == "slow":
            edge.delay = float(seconds or 0.0)
        elif fault == "cut":
            edge.mode = "cut"
        elif fault == "hang":
            edge.mode = "hang"
            for pair in edge.pairs:
                pair.mute = True
        elif fault == "mend":
            edge.delay, edge.mode = 0.0, "open"
            if was == "hang":
                edge.reset()  # bytes of these connections are lost: they cannot go on
        else:
            raise ValueError(f"no such fault: {fault!r}")
        await edge.apply()
