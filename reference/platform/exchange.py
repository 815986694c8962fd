"""One request on its way through the balancer: to a server, perhaps to another one, and back to the client.

What is repeated, and what must not be: a GET or HEAD goes to another server if the first breaks off or is silent;
nothing else does once a byte of it was sent, for the server may have acted on it. A connection that could not
be made has carried nothing, so then any request may go elsewhere.
"""

from __future__ import annotations

import asyncio
import uuid
from typing import Protocol

from reference.platform.backends import Backend, Backends, Upstream
from reference.platform.http1 import (
    HOP_BY_HOP,
    PIECE,
    Malformed,
    RequestHead,
    ResponseHead,
    body,
    read_response,
)
from reference.platform.problems import Problem
from reference.platform.request_context import well_formed

SILENCE = 2.0
"""Seconds without the first byte of an answer after which another server is asked."""
SILENCE_ALONE = 5.0
"""The same, where no other server may be asked."""


class Client(Protocol):
    """The client's connection. `upstream`: what is being asked for it, to be dropped when the client hangs up."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    upstream: Upstream | None
    gone: bool


def id_for(request: RequestHead | None) -> str:
    """The request's id if it has a well-formed one, else a new one."""
    given = request.get(b"x-request-id") if request else None
    return given.decode() if given is not None and well_formed(given) else uuid.uuid4().hex


class Exchange:
    """One request, and its way to an answer."""

    def __init__(self, client: Client, request: RequestHead, backends: Backends) -> None:
        self.client = client
        self.request = request
        self.backends = backends
        self.upgrade = b"upgrade" in request.tokens(b"connection") and request.get(b"upgrade") is not None
        plain = request.framing == 0 and not self.upgrade
        self.repeatable = request.method in (b"GET", b"HEAD") and plain

    async def run(self) -> bool:
        """Whether the client's connection can carry another request. Raises Problem if no server answers."""
        silent = False
        for backend in self.backends.in_turn():
            try:
                upstream = await backend.connect()
            except (OSError, TimeoutError):
                continue
            backend.in_flight += 1
            self.client.upstream = upstream
            try:
                answer = await self._ask(upstream)
                backend.answered += 1
                return await self._relay(backend, upstream, answer)
            except _Unanswered as failure:
                if self.client.gone:
                    return False
                silent = silent or failure.silent
                if not failure.silent:
                    backend.went_down()
                if not self.repeatable:
                    raise failure.problem() from failure
            finally:
                self.client.upstream = None
                backend.in_flight -= 1
        if silent:
            raise _Unanswered(silent=True).problem()
        raise Problem(503, "no-server", "No server is up.", {"Retry-After": "1"})

    async def _ask(self, upstream: Upstream) -> ResponseHead:
        """Sends the request; the head of the answer. _Unanswered if there is none."""
        peer = self.client.writer.get_extra_info("peername")[0].encode()
        seen = self.request.get(b"x-forwarded-for")
        add = [
            (b"x-forwarded-for", peer if seen is None else seen + b", " + peer),
            (b"x-request-id", id_for(self.request).encode()),
        ]
        if self.upgrade:
            add += [(b"connection", b"upgrade"), (b"upgrade", self.request.get(b"upgrade") or b"")]
        try:
            upstream.writer.write(self.request.encode(HOP_BY_HOP | {b"expect"}, *add))
            if self.request.framing != 0:
                await self._send_body(upstream)
            async with asyncio.timeout(SILENCE if self.repeatable else SILENCE_ALONE):
                answer = await read_response(upstream.reader)
                while answer.status in (100, 102, 103):
                    answer = await read_response(upstream.reader)
                return answer
        except TimeoutError as error:
            upstream.abort()
            raise _Unanswered(silent=True) from error
        except (OSError, EOFError, Malformed) as error:
            upstream.abort()
            raise _Unanswered(silent=False) from error
        except (ClientFailed, asyncio.CancelledError):
            upstream.abort()
            raise

    async def _send_body(self, upstream: Upstream) -> None:
        pieces = body(self.client.reader, self.request.framing)
        while True:
            try:
                piece = await anext(pieces)
            except StopAsyncIteration:
                return
            except (OSError, EOFError, Malformed) as error:
                raise ClientFailed from error
            upstream.writer.write(piece)
            async with asyncio.timeout(SILENCE_ALONE):
                await upstream.writer.drain()

    async def _relay(self, backend: Backend, upstream: Upstream, answer: ResponseHead) -> bool:
        if self.upgrade and answer.status == 101:
            await self._tunnel(upstream, answer)
            return False
        writer = self.client.writer
        finished = False
        try:
            framing = answer.framing(self.request.method)
            keep = self.request.keep_alive and framing != "until-close"
            writer.write(answer.encode(HOP_BY_HOP, (b"connection", b"keep-alive" if keep else b"close")))
            if framing != 0:
                async for piece in body(upstream.reader, framing):
                    writer.write(piece)
                    await writer.drain()
            finished = answer.keep_alive and framing != "until-close"
            await writer.drain()
            return keep
        finally:  # a connection on which something is still under way is of no further use
            if finished:
                backend.give_back(upstream)
            else:
                upstream.abort()

    async def _tunnel(self, upstream: Upstream, answer: ResponseHead) -> None:
        """From now on bytes are bytes, both ways, until one side ends."""
        reader, writer = self.client.reader, self.client.writer
        keep = (b"connection", b"upgrade"), (b"upgrade", answer.get(b"upgrade") or b"")
        writer.write(answer.encode(HOP_BY_HOP, *keep))
        ways = [
            asyncio.create_task(copy(reader, upstream.writer)),
            asyncio.create_task(copy(upstream.reader, writer)),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            upstream.abort()


async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while piece := await reader.read(PIECE):
        writer.write(piece)
        await writer.drain()


class ClientFailed(Exception):
    """The client broke off in the middle of its request."""


class _Unanswered(Exception):
    """A server was asked and did not answer: it was silent, or its connection broke."""

    def __init__(self, *, silent: bool) -> None:
        self.silent = silent

    def problem(self) -> Problem:
        if self.silent:
            return Problem(504, "silent-server", "The server did not answer in time; it may have acted.")
        return Problem(502, "broken-server", "The server broke off; it may have acted.")
