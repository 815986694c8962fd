"""The fast path's place in uvicorn: its HTTP protocol, which asks `fast_path` before it makes a task for a request."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from reference.platform.http_protocol import HttpProtocol
from reference.shortener.near_cache import Hot
from reference.shortener.plain_gets import Plain

if TYPE_CHECKING:
    from reference.shortener.fast_connections import FastConnections

LONGEST = 2000
"""Bytes of a request whose head is remembered."""

GET, END = b"GET /", b"\r\n\r\n"


class FastProtocol(HttpProtocol):
    def __init__(self, connections: FastConnections, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self._all = connections
        self._fast = connections.fast
        self._entries = connections.fast.near.entries
        self._known = connections.fast.gets.known
        self._answered: Plain | None = None
        """The message that is being parsed has its answer, and was this."""
        self._messages = 0
        """That have begun, in what came last."""
        self._between = True
        """No message is being parsed."""
        self._idle_since: float | None = None
        """Since when a fast answer was the last that happened here."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._write = transport.write
        self._all.open.add(self)
        self._peer = self.client[0] if self.client else ""

    def connection_lost(self, exc: Exception | None) -> None:
        self._all.open.discard(self)
        super().connection_lost(exc)

    # --- a head that is known

    def data_received(self, data: bytes) -> None:
        """Parsing costs more than all the rest of a fast answer. But clients say the same again and again: if what
        came is, byte for byte, a path between what was a whole request before, then it is one again."""
        between = self._between
        if between and self._my_turn():
            data = self._answer_known(data)
            if not data:
                return
        if self._all.ready:
            self._all.write_all()  # what follows may write at once, and not before these
        self._messages = 0
        self._answered = None
        super().data_received(data)
        asked = self._answered
        if between and asked is not None and not asked.trace and self._is_whole(data):
            self._fast.gets.remember(self._peer, data[data.find(b" ", 5) :], asked)

    def _answer_known(self, data: bytes) -> bytes:
        """Answers what `data` begins with, as far as it is known. Returns what is left."""
        begin = 0
        while data.startswith(GET, begin):
            end = data.find(b" ", begin + 5)
            hot = self._entries.get(data[begin + 4 : end])
            if hot is None:
                break
            after = data.find(END, end) + len(END)
            asked = self._known.get((self._peer, data[end:after]))
            if asked is None or not self._answer(hot, asked):
                break
            begin = after
        if begin and self.timeout_keep_alive_task is not None:
            self._unset_keepalive_if_required()
        return data[begin:] if begin else data

    def _is_whole(self, data: bytes) -> bool:
        """Whether what was parsed was one request, from its beginning to its end."""
        return (
            self._between
            and self._messages == 1
            and len(data) <= LONGEST
            and data.startswith(GET)
            and data.find(END) == len(data) - len(END)
        )

    def shutdown(self) -> None:
        self._all.write_all()
        super().shutdown()

    def leave(self) -> None:
        self._fast.on = False  # its answers keep their connection
        super().leave()

    # --- the parser's callbacks

    def on_message_begin(self) -> None:
        """Only what a fast answer needs; the rest is made up for in `_slow`."""
        self._messages += 1
        self._between = False
        self._answered = None
        self._idle_since = None
        self.url = b""
        self.headers = []
        self.expect_100_continue = False

    def on_headers_complete(self) -> None:
        hot = self._entries.get(self.url)
        if hot is None:
            if self._fast.on and self.parser.get_method() == b"GET":
                self._fast.near.want(self.url)
        elif (
            self._my_turn() and self.parser.get_method() == b"GET" and self.parser.get_http_version() == "1.1"
        ):
            asked = self._fast.gets.read(self.headers, self._peer)
            if asked is not None and self._answer(hot, asked):
                self._answered = asked
                return
        self._slow()

    def _my_turn(self) -> bool:
        """Whether nothing that came before still waits for its answer, and the client takes what it asks for."""
        return (
            self._fast.on
            and (self.cycle is None or self.cycle.response_complete)
            and not self.flow.write_paused
        )

    def _answer(self, hot: Hot, asked: Plain) -> bool:
        fast = self._fast
        response = fast.answer(hot, asked, self.server_state.default_headers)
        if response is None:
            return False
        self._all.write(self._write, response)
        self._idle_since = fast.ended
        return True

    def _slow(self) -> None:
        url, headers, expect = self.url, self.headers, self.expect_100_continue
        super().on_message_begin()
        self.url, self.expect_100_continue = url, expect
        self.headers.extend(headers)  # the list that is in the scope
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        if self._answered is None:
            super().on_body(body)

    def on_message_complete(self) -> None:
        self._between = not self.parser.should_upgrade()  # after that, nothing is what it was
        if self._answered is None:
            super().on_message_complete()

    # --- idle connections

    def close_if_idle(self, now: float) -> None:
        if self._idle_since is not None and now - self._idle_since > self.timeout_keep_alive:
            self.transport.close()
