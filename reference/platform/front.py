"""Serves the clients of a proxy: connections, one request after the other on each, refusals, a graceful end.

What is done with a request is the proxy's own matter: see `balancer` and `edge`.
"""

from __future__ import annotations

import asyncio
import uuid
from collections import Counter
from collections.abc import Awaitable, Callable

from reference.platform.http1 import Malformed, RequestHead, read_request
from reference.platform.problems import MEDIA_TYPE, Problem
from reference.platform.request_context import well_formed
from reference.platform.sockets import listen, port_of
from reference.platform.wire import Wire

IDLE = 75.0
"""Seconds that a client may wait with its next request."""
SLOWEST = 30.0
"""Seconds that a client may take none of a refusal."""
GRACE = 2.0


class Client(Wire):
    """A client's connection. When the client hangs up, what is being asked for it is dropped at once, so that the
    server can stop working on it. `upstream`: the connection on which that is asked."""

    def __init__(self, front: Front) -> None:
        super().__init__()
        self.front = front
        self.upstream: Wire | None = None
        self.peer = b""
        self.busy = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.peer = transport.get_extra_info("peername")[0].encode()
        self.front.accept(self)

    def hung_up(self) -> None:
        super().hung_up()
        if self.upstream is not None:
            self.upstream.abort()


class ClientFailed(Exception):
    """The client broke off in the middle of its request."""


Answer = Callable[[Client, RequestHead], Awaitable[bool]]
"""Answers one request. Whether the connection can carry another one. May raise Problem, if nothing was written yet."""


class Front:
    """Listens on `host:port`, and has `answer` answer each request. `role`: the proxy's name, for its own answers."""

    def __init__(self, host: str, port: int, role: str, answer: Answer) -> None:
        self.host = host
        self.port = port
        self.role = role
        self.refused: Counter[int] = Counter()
        """Requests that no server answered, so that the proxy did: how many, by status."""
        self._answer = answer
        self._clients: dict[Client, asyncio.Task[None]] = {}
        self._server: asyncio.Server | None = None

    async def start(self) -> int:
        """Returns the port. OSError if it is taken."""
        listener = listen(self.host, self.port)
        self.port = port_of(listener)
        self._server = await asyncio.get_running_loop().create_server(lambda: Client(self), sock=listener)
        return self.port

    async def stop(self) -> None:
        """Takes no more requests; those under way have GRACE seconds to finish."""
        if self._server is None:
            return
        self._server.close()
        self._server = None
        for client, task in self._clients.items():
            if not client.busy:
                task.cancel()
        tasks = list(self._clients.values())
        if tasks:
            await asyncio.wait(tasks, timeout=GRACE)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def accept(self, client: Client) -> None:
        if self._server is None:
            client.abort()
        else:
            self._clients[client] = asyncio.create_task(self._serve(client), name="client")

    async def _serve(self, client: Client) -> None:
        """Answers the requests of one connection, one after the other."""
        try:
            while await self._serve_one(client) and self._server is not None:
                pass
        except (OSError, EOFError, Malformed, ClientFailed, asyncio.CancelledError):
            pass  # one side is gone in the middle of a message, or we stop
        finally:
            del self._clients[client]
            client.close()

    async def _serve_one(self, client: Client) -> bool:
        """Whether the connection can carry another request."""
        try:
            request = await read_request(client, IDLE)
        except Malformed as error:
            self._refuse(client, None, Problem(400, "malformed", f"This is not HTTP: {error}."))
            return False
        client.busy = True
        try:
            if b"expect" in request.fields and b"100-continue" in request.tokens(b"expect"):
                client.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            return await self._answer(client, request)
        except Problem as problem:
            self._refuse(client, request, problem)
            await client.drain(SLOWEST)
            return request.keep_alive and request.framing == 0
        finally:
            client.busy = False

    def _refuse(self, client: Client, request: RequestHead | None, problem: Problem) -> None:
        self.refused[problem.status] += 1
        keep = request is not None and request.keep_alive and request.framing == 0
        request_id = id_for(request).decode()
        path = request.target.decode("latin-1") if request else ""
        text = problem.body(path, request_id)
        lines = [
            f"HTTP/1.1 {problem.status} {problem.title}",
            f"content-type: {MEDIA_TYPE}",
            f"content-length: {len(text)}",
            f"x-request-id: {request_id}",
            f"server-role: {self.role}",
            f"connection: {'keep-alive' if keep else 'close'}",
            *(f"{name.lower()}: {value}" for name, value in problem.headers.items()),
        ]
        hide = request is not None and request.method == b"HEAD"
        client.write("\r\n".join([*lines, "", ""]).encode() + (b"" if hide else text))


def id_for(request: RequestHead | None) -> bytes:
    """The request's id if it has a well-formed one, else a new one."""
    given = request.get(b"x-request-id") if request else None
    return given if given is not None and well_formed(given) else uuid.uuid4().hex.encode()
