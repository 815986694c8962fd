"""Serves the clients of a proxy: connections, one request after the other on each, refusals, a graceful end.

What is done with a request is the proxy's own matter: see `balancer` and `edge`.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Protocol

from reference.platform.front_client import GONE, Client
from reference.platform.http1 import Malformed, RequestHead, read_request
from reference.platform.problems import MEDIA_TYPE, Problem
from reference.platform.request_ids import id_for
from reference.platform.sockets import listen, port_of

IDLE = 75.0
"""Seconds that a client may wait with its next request."""
SLOWEST = 30.0
"""Seconds that a client may take none of a refusal."""
GRACE = 2.0


Answer = Callable[[Client, RequestHead], Awaitable[bool]]
"""Answers one request. Whether the connection can carry another one. May raise Problem, if nothing was written yet."""


class ShortWay(Protocol):
    def take(self, client: Client, data: bytes) -> bool:
        """Whether `data` is a request that is answered without a task of its own. If so, `Client.free` or
        `Front.hand_over` is called for it later; if not, nothing has happened."""
        ...


class Front:
    """Listens on `host:port`, and has `answer` answer each request. `role`: the proxy's name, for its own answers.
    `short_way`: is offered what a client sends while nothing is under way for it; see `short_way`."""

    def __init__(
        self, host: str, port: int, role: str, answer: Answer, short_way: ShortWay | None = None
    ) -> None:
        self.host = host
        self.port = port
        self.role = role
        self.refused: Counter[int] = Counter()
        """Requests that no server answered, so that the proxy did: how many, by status."""
        self._answer = answer
        self._short_way = short_way
        self._handed_over: set[asyncio.Task[None]] = set()
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
        tasks = [*self._clients.values(), *self._handed_over]
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

    def take(self, client: Client, data: bytes) -> bool:
        """Whether `data` was a request that is now on the short way."""
        if self._short_way is None or self._server is None or not self._short_way.take(client, data):
            return False
        client.busy = client.short = client.used = True
        return True

    def freed(self, client: Client) -> None:
        if self._server is None and (task := self._clients.get(client)) is not None:
            task.cancel()

    def hand_over(self, client: Client, request: RequestHead, answer: Answer) -> None:
        """A request that did not get far on the short way: `answer` goes on with it."""

        async def finish() -> None:
            keep = False
            try:
                keep = await self._answer_one(client, request, answer)
            except GONE:
                pass
            finally:
                if not keep:
                    client.close()
                client.free()

        task = asyncio.create_task(finish(), name="handed-over")
        self._handed_over.add(task)
        task.add_done_callback(self._handed_over.discard)

    async def _serve(self, client: Client) -> None:
        """Answers the requests of one connection, one after the other."""
        try:
            while await self._serve_one(client) and self._server is not None:
                pass
        except GONE:
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
        except TimeoutError:
            used, client.used = client.used, False
            return used  # requests went the short way meanwhile: the client was not idle
        client.busy = True
        return await self._answer_one(client, request, self._answer)

    async def _answer_one(self, client: Client, request: RequestHead, answer: Answer) -> bool:
        try:
            if b"expect" in request.fields and b"100-continue" in request.tokens(b"expect"):
                client.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            return await answer(client, request)
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
