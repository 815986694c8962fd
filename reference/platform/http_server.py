"""An ASGI application served inside a process that has a life of its own: uvicorn without its signals and logs."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable, Iterator

import uvicorn
from starlette.types import ASGIApp

from reference.platform.http_protocol import HttpProtocol
from reference.platform.sockets import listen, port_of

LAST_WORDS = 0.3
"""Seconds before the end of the grace: then nobody is waited for who does not read the answer that was sent."""


class _Embedded(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield  # signals belong to whoever embeds us


class HttpServer:
    """Serves `app` from `start` to `stop`. `stop` lets requests finish for `grace` seconds.

    `linger`: seconds before that in which there are no new connections, and each that is there has one more answer,
    which ends it. For clients that keep connections and are not told that this server leaves, such as a balancer: it
    has to close those that it does not use within this time. 0: they are closed at once, and with them whatever is on
    its way.

    `protocol`: makes a subclass of `HttpProtocol` for each connection, instead of that one."""

    def __init__(
        self,
        app: ASGIApp,
        host: str,
        port: int,
        grace: float = 2.0,
        linger: float = 0.0,
        protocol: Callable[..., asyncio.Protocol] | None = None,
    ) -> None:
        self.host = host
        self.port = port
        self._server = _Embedded(
            uvicorn.Config(
                app,
                http=protocol or HttpProtocol,  # type: ignore[arg-type]
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_graceful_shutdown=max(1, round(grace)),
                timeout_keep_alive=75,
            )
        )
        self._listener: socket.socket | None = None
        self._linger = linger
        self._grace = self._server.config.timeout_graceful_shutdown or 1
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> int:
        """Listens; returns the port. OSError if it is taken."""
        listener = self._listener = listen(self.host, self.port)
        self.port = port_of(listener)
        self._task = asyncio.create_task(self._server.serve(sockets=[listener]), name="http-server")
        while not self._server.started:
            if self._task.done():
                await self._task
                raise RuntimeError("the HTTP server ended while it started")
            await asyncio.sleep(0.005)
        return self.port

    async def stop(self) -> None:
        if self._task is not None:
            if self._linger:
                await self._leave()
            self._server.should_exit = True
            await asyncio.wait([self._task], timeout=self._grace - LAST_WORDS)
            # A connection that is closed stays until its client has read what it was sent; some never do.
            for connection in list(self._server.server_state.connections):
                transport = connection.transport
                if transport is not None and transport.is_closing():
                    transport.abort()
            await asyncio.wait([self._task])
            self._task = None

    async def _leave(self) -> None:
        await self._stop_listening()
        loop = asyncio.get_running_loop()
        until = loop.time() + self._linger
        while (connections := self._server.server_state.connections) and loop.time() < until:
            for connection in list(connections):  # one may have been on its way
                if isinstance(connection, HttpProtocol):
                    connection.leave()
            await asyncio.sleep(0.02)

    async def _stop_listening(self) -> None:
        """The kernel accepts before we do, and resets what nobody took in when the socket is closed, with the requests
        that were sent on it. So that is taken in first, and between the last look and the closing nothing else runs."""
        assert self._listener is not None
        listener = self._listener.dup()
        for server in self._server.servers:
            server.close()  # not the socket, which has two descriptors now
        for accepted in _accept_all(listener):
            await asyncio.get_running_loop().connect_accepted_socket(self._protocol, accepted)

    def _protocol(self) -> asyncio.Protocol:
        """As uvicorn makes it for the connections that it accepts."""
        config, state = self._server.config, self._server.server_state
        made: asyncio.Protocol = config.http_protocol_class(  # type: ignore[call-arg]
            config=config, server_state=state, app_state=self._server.lifespan.state
        )
        return made


def _accept_all(listener: socket.socket) -> list[socket.socket]:
    """What waits in a non-blocking listener, which is closed."""
    accepted = []
    with listener, contextlib.suppress(BlockingIOError):
        while True:
            connection, _ = listener.accept()
            connection.setblocking(False)
            accepted.append(connection)
    return accepted
