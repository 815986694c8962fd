"""The load balancer: HTTP/1.1 to the app servers in turn, around those that do not answer. See also `exchange`."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

from reference.platform.backends import Backends, Upstream
from reference.platform.exchange import ClientFailed, Exchange, id_for
from reference.platform.http1 import HEAD_LIMIT, Malformed, RequestHead, read_request
from reference.platform.problems import MEDIA_TYPE, Problem
from reference.platform.sockets import listen, port_of

IDLE = 75.0
"""Seconds that a client may wait with its next request."""
GRACE = 2.0


class Client(asyncio.StreamReaderProtocol):
    """A client's connection. When the client hangs up, what is being asked for it is dropped at once, so that the
    server can stop working on it."""

    def __init__(self, balancer: Balancer) -> None:
        reader = asyncio.StreamReader(limit=HEAD_LIMIT)
        super().__init__(reader, self._connected)
        self.reader = reader
        self.balancer = balancer
        self.upstream: Upstream | None = None
        self.gone = False
        self.busy = False

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writer = writer
        await self.balancer.serve(self)

    def eof_received(self) -> bool | None:
        self._hung_up()
        return super().eof_received()

    def connection_lost(self, error: Exception | None) -> None:
        self._hung_up()
        super().connection_lost(error)

    def _hung_up(self) -> None:
        self.gone = True
        if self.upstream is not None:
            self.upstream.abort()


class Balancer:
    """A Runnable. `ports`: the servers at first; command `backends` gives others."""

    def __init__(self, host: str, port: int, ports: dict[str, int]) -> None:
        self.host = host
        self.port = port
        self.backends = Backends(host, ports)
        self._clients: dict[Client, asyncio.Task[None]] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._server: asyncio.Server | None = None

    async def start(self) -> dict[str, Any]:
        listener = listen(self.host, self.port)
        self.port = port_of(listener)
        self._server = await asyncio.get_running_loop().create_server(lambda: Client(self), sock=listener)
        self._tasks.append(asyncio.create_task(self.backends.run(), name="health-checks"))
        return {"port": self.port}

    async def stop(self) -> None:
        if self._server is None:
            return
        self._server.close()
        self._server = None
        for client, task in self._clients.items():
            if not client.busy:
                task.cancel()
        if self._clients:
            await asyncio.wait(list(self._clients.values()), timeout=GRACE)
        remaining = [*self._clients.values(), *self._tasks]
        for task in remaining:
            task.cancel()
        await asyncio.gather(*remaining, return_exceptions=True)
        self.backends.close()

    async def command(self, name: str, args: dict[str, Any]) -> Any:
        match name, args:
            case "backends", {"servers": dict() as servers}:
                self.backends.replace({str(server): int(port) for server, port in servers.items()})
                return self.backends.health()
        raise ValueError(f"no command {name!r} with {', '.join(args) or 'no arguments'}")

    def health(self) -> dict[str, Any]:
        return {"backends": self.backends.health()}

    # --- one client

    async def serve(self, client: Client) -> None:
        """Answers the requests of one connection, one after the other."""
        task = asyncio.current_task()
        assert task is not None
        self._clients[client] = task
        try:
            while await self._serve_one(client) and self._server is not None:
                pass
        except (OSError, EOFError, TimeoutError, Malformed, ClientFailed, asyncio.CancelledError):
            pass  # one side is gone in the middle of a message, or we stop
        finally:
            del self._clients[client]
            client.writer.close()
            with contextlib.suppress(OSError, asyncio.CancelledError):
                await client.writer.wait_closed()

    async def _serve_one(self, client: Client) -> bool:
        """Whether the connection can carry another request."""
        try:
            async with asyncio.timeout(IDLE):
                request = await read_request(client.reader)
        except Malformed as error:
            self._refuse(client, None, Problem(400, "malformed", f"This is not HTTP: {error}."))
            return False
        client.busy = True
        try:
            if b"100-continue" in request.tokens(b"expect"):
                client.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            return await Exchange(client, request, self.backends).run()
        except Problem as problem:
            self._refuse(client, request, problem)
            await client.writer.drain()
            return request.keep_alive and request.framing == 0
        finally:
            client.busy = False

    def _refuse(self, client: Client, request: RequestHead | None, problem: Problem) -> None:
        keep = request is not None and request.keep_alive and request.framing == 0
        request_id = id_for(request)
        path = request.target.decode("latin-1") if request else ""
        text = problem.body(path, request_id)
        lines = [
            f"HTTP/1.1 {problem.status} {problem.title}",
            f"content-type: {MEDIA_TYPE}",
            f"content-length: {len(text)}",
            f"x-request-id: {request_id}",
            "server-role: balancer",
            f"connection: {'keep-alive' if keep else 'close'}",
            *(f"{name.lower()}: {value}" for name, value in problem.headers.items()),
        ]
        hide = request is not None and request.method == b"HEAD"
        client.writer.write("\r\n".join([*lines, "", ""]).encode() + (b"" if hide else text))
