"""One request on its way through a proxy: to a server, perhaps to another one, and back to the client.

What is repeated, and what must not be: a GET or HEAD goes to another server if the first breaks off or is silent;
nothing else does once a byte of it was sent, for the server may have acted on it. A connection that could not
be made has carried nothing, so then any request may go elsewhere.
"""

from __future__ import annotations

import asyncio

from reference.platform.backends import Backend, Backends, Upstream
from reference.platform.balancing import key_of
from reference.platform.front_client import Client, ClientFailed
from reference.platform.http1 import HOP_BY_HOP, Malformed, RequestHead, ResponseHead, read_response
from reference.platform.http1_bodies import body
from reference.platform.problems import Problem
from reference.platform.proxy_traces import asking
from reference.platform.relaying import Witness, relay
from reference.platform.request_ids import id_for

SILENCE = 2.0
"""Seconds without the first byte of an answer after which another server is asked."""
SILENCE_ALONE = 5.0
"""The same, where no other server may be asked; also how long a side may take none of what we send it."""
NOT_FORWARDED = HOP_BY_HOP | {b"expect"}


class Exchange:
    """One request, and its way to an answer."""

    def __init__(
        self, client: Client, request: RequestHead, backends: Backends, witness: Witness | None = None
    ) -> None:
        self.client = client
        self.request = request
        self.backends = backends
        self.witness = witness
        self.upgrade = request.upgrades
        self.framing = request.framing
        self.repeatable = request.method in (b"GET", b"HEAD") and self.framing == 0 and not self.upgrade

    async def run(
        self, order: list[Backend] | None = None, asked: Upstream | None = None, silent: bool = False
    ) -> bool:
        """Whether the client's connection can carry another request. Raises Problem if no server answers.

        What may have been done already: `order`, the servers to ask, the first choice first; `asked`, a connection to
        the first of them on which the request was sent; `silent`, whether one that is not among them gave no answer.
        """
        for backend in self.backends.in_order(key_of(self.request)) if order is None else order:
            if self.client.ended:
                return False
            already, asked = asked, None
            try:
                upstream = already or await backend.connect()
            except (OSError, TimeoutError):
                continue
            backend.in_flight += 1
            self.client.upstream = upstream
            try:
                with asking(backend.name) as span:
                    answer = await self._ask(upstream, send=already is None)
                    span["status"] = answer.status
                    backend.answered += 1
                    return await relay(self.client, self.request, answer, backend, upstream, self.witness)
            except _Unanswered as failure:
                if self.client.ended:
                    return False
                silent = silent or failure.silent
                backend.failures += 1
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

    async def _ask(self, upstream: Upstream, *, send: bool) -> ResponseHead:
        """Sends the request, unless that is done; the head of the answer. _Unanswered if there is none."""
        try:
            if send:
                await self._send(upstream)
            return await read_response(upstream, SILENCE if self.repeatable else SILENCE_ALONE)
        except TimeoutError as error:
            upstream.abort()
            raise _Unanswered(silent=True) from error
        except (OSError, EOFError, Malformed) as error:
            upstream.abort()
            raise _Unanswered(silent=False) from error
        except (ClientFailed, asyncio.CancelledError):
            upstream.abort()
            raise

    async def _send(self, upstream: Upstream) -> None:
        peer = self.client.peer
        seen = self.request.get(b"x-forwarded-for")
        add = [
            (b"x-forwarded-for", peer if seen is None else seen + b", " + peer),
            (b"x-request-id", id_for(self.request)),
        ]
        if self.upgrade:
            add += [(b"connection", b"upgrade"), (b"upgrade", self.request.get(b"upgrade") or b"")]
        upstream.write(self.request.encode(NOT_FORWARDED, add))
        if self.framing == 0:
            return
        pieces = body(self.client, self.framing, None)
        while True:
            try:
                piece = await anext(pieces)
            except StopAsyncIteration:
                return
            except (OSError, EOFError, Malformed) as error:
                raise ClientFailed from error
            upstream.write(piece)
            await upstream.drain(SILENCE_ALONE)


class _Unanswered(Exception):
    """A server was asked and did not answer: it was silent, or its connection broke."""

    def __init__(self, *, silent: bool) -> None:
        self.silent = silent

    def problem(self) -> Problem:
        if self.silent:
            return Problem(504, "silent-server", "The server did not answer in time; it may have acted.")
        return Problem(502, "broken-server", "The server broke off; it may have acted.")
