"""All connections of one server on which the fast path answers: they write together, and some of them are idle."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from reference.shortener.fast_path import FastPath
from reference.shortener.fast_protocol import FastProtocol
from reference.shortener.near_cache import steady

SWEEP = 1.0
"""Seconds between looks for connections that nobody uses any more, and at what the fast path depends on."""

Write = Callable[[bytes], None]


class FastConnections:
    """All connections of one server; give it to `HttpServer` as its protocol."""

    def __init__(self, fast: FastPath) -> None:
        self.fast = fast
        self.open: set[FastProtocol] = set()
        self._task: asyncio.Task[None] | None = None
        self.ready: list[tuple[Write, bytes]] = []
        """Responses that are written at the end of this turn of the event loop."""

    def __call__(self, *args: Any, **more: Any) -> FastProtocol:
        return FastProtocol(self, *args, **more)

    async def start(self) -> None:
        self._task = asyncio.create_task(self._sweep(), name="idle-connections")

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None
        self.fast.write_log()

    def write(self, write: Write, response: bytes) -> None:
        """At the end of this turn. A write right after each read would wake a client each time that has just gone to
        sleep; of many writes in a row only the first does."""
        if not self.ready:
            asyncio.get_running_loop().call_soon(self.write_all)
        self.ready.append((write, response))

    def write_all(self) -> None:
        ready, self.ready = self.ready, []
        for write, response in ready:
            try:
                write(response)
            except RuntimeError:  # the client has left: see http_protocol
                pass

    async def _sweep(self) -> None:
        """uvicorn sets a timer after each answer, and cancels it at the next request: a tenth of what a fast answer
        costs. One look at all connections now and then does the same."""
        while True:
            self.fast.look()  # a server learns of another shard router by itself, sooner or later
            await asyncio.sleep(SWEEP)
            self.fast.write_log()
            now = steady()
            for connection in list(self.open):
                connection.close_if_idle(now)
