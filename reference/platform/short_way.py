"""The short way through the balancer, for what nearly every request is: a GET without a body, answered in one piece.

The same request by way of `front` and `exchange` wakes a task twice, builds two heads from their parts and makes a
dozen objects. Here it is two callbacks: the client's bytes go to a server with two headers added, the server's bytes
go back as they are. What is at all unusual (a pipelined request, a body, an odd header, no connection at hand, an
answer in several pieces, silence, an end) is handed over to `exchange`, with what has been done so far; there alone it
is decided what is repeated. tests/bench/bench_balancer.py measures both.

What is passed on has been looked at as strictly as `http1` does: one regular expression for each head.
"""

from __future__ import annotations

import asyncio
import re

from reference.platform import exchange
from reference.platform.backends import Backend, Backends, Upstream
from reference.platform.front import Answer
from reference.platform.front_client import Client
from reference.platform.http1 import HEAD_LIMIT, HEADER_LINES, RequestHead, parse_request
from reference.platform.request_ids import new_id

_GET = re.compile(rb"GET ([!-~\x80-\xff]+) HTTP/1\.1\r\n" + HEADER_LINES + rb"\r\n")
_ANSWER = re.compile(rb"HTTP/1\.1 [2-5]\d\d(?: [^\r\n]*)?\r\n" + HEADER_LINES + rb"\r\n")
_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*(\d+)[ \t]*(?=\r\n)", re.I)
_KEEP_ALIVE = re.compile(rb"\r\nconnection:[ \t]*keep-alive[ \t]*(?=\r\n)", re.I)
_HOP = rb"connection|keep-alive|proxy-connection|te|upgrade|transfer-encoding"
_ODD_ANSWER = re.compile(rb"\r\n(?:" + _HOP + rb"):", re.I)
_ODD_REQUEST = re.compile(
    rb"\r\n(?:" + _HOP + rb"|expect|content-length|x-forwarded-for|x-request-id|traceparent):", re.I
)


class ShortWay:
    """For `Front`: answers by callbacks what can be so answered."""

    def __init__(self, backends: Backends) -> None:
        self.backends = backends

    def take(self, client: Client, data: bytes) -> bool:
        match = _GET.fullmatch(data) if len(data) <= HEAD_LIMIT else None
        if match is None:
            return False
        head = _KEEP_ALIVE.sub(b"", data, count=1)
        if _ODD_REQUEST.search(head):
            return False
        order = self.backends.in_order(match[1].partition(b"?")[0])
        request_id = new_id()
        upstream = order[0].kept() if order else None
        if upstream is None:  # the turn is taken, so `exchange` goes on with it, and connects
            client.front.hand_over(client, request_of(data, request_id), going_on(self.backends, order))
            return True
        upstream.write(
            head[:-2] + b"x-forwarded-for: %b\r\nx-request-id: %b\r\n\r\n" % (client.peer, request_id)
        )
        Passage(self.backends, client, data, request_id, order, upstream)
        return True


class Passage:
    """One request on the short way, from when it was sent."""

    __slots__ = ("backend", "backends", "client", "data", "order", "request_id", "timer", "upstream")

    def __init__(
        self,
        backends: Backends,
        client: Client,
        data: bytes,
        request_id: bytes,
        order: list[Backend],
        upstream: Upstream,
    ) -> None:
        self.backends = backends
        self.client = client
        self.data = data
        self.request_id = request_id
        self.order = order
        self.backend = order[0]
        self.upstream = upstream
        self.backend.in_flight += 1
        client.upstream = upstream
        upstream.taker = self
        self.timer = asyncio.get_running_loop().call_later(exchange.SILENCE, self.silence)

    def answer(self, data: bytes) -> None:
        """What the server sends first: nearly always the whole answer."""
        self.leave()
        match = _ANSWER.match(data)
        length = _LENGTH.findall(match[0]) if match is not None else []
        whole = match is not None and len(length) == 1 and len(data) == match.end() + int(length[0])
        if match is None or not whole or _ODD_ANSWER.search(match[0]):
            self.upstream.data_received(data)
            return self.hand_over(going_on(self.backends, self.order, self.upstream))
        self.backend.answered += 1
        self.backend.give_back(self.upstream)
        self.client.write(data)
        self.client.free()

    def broken(self) -> None:
        self.leave()
        self.hand_over(going_on(self.backends, self.order, self.upstream))

    def silence(self) -> None:
        self.leave()
        self.upstream.abort()
        self.backend.failures += 1
        self.hand_over(going_on(self.backends, self.order[1:], silent=True))

    def leave(self) -> None:
        self.timer.cancel()
        self.upstream.taker = None
        self.client.upstream = None
        self.backend.in_flight -= 1

    def hand_over(self, answer: Answer) -> None:
        self.client.front.hand_over(self.client, request_of(self.data, self.request_id), answer)


def going_on(
    backends: Backends, order: list[Backend], asked: Upstream | None = None, silent: bool = False
) -> Answer:
    """What answers a request from here on: see `Exchange.run`."""

    async def answer(client: Client, request: RequestHead) -> bool:
        return await exchange.Exchange(client, request, backends).run(order, asked, silent)

    return answer


def request_of(data: bytes, request_id: bytes) -> RequestHead:
    return parse_request(data[:-2] + b"x-request-id: " + request_id + b"\r\n\r\n")
