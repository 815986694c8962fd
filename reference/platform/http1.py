"""Heads of HTTP/1.1 messages on a `Wire`, parsed strictly.

What two parsers read differently is how requests are smuggled past a proxy (RFC 9112, 11.2). So whatever is not
plainly right is refused: a length given twice, a length beside chunks, a header that is folded over two lines.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from reference.platform.wire import Wire

HEAD_LIMIT = 65_536

Framing = int | Literal["chunked", "until-close"]
"""How long a body is: so many bytes, chunked, or all until the connection ends."""

Headers = list[tuple[bytes, bytes]]

_TOKEN = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
HEADER_LINES = rb"(?:" + _TOKEN + rb":[^\r\n\0]*\r\n)*"
"""A regular expression for the headers that we accept."""
_HEADERS = re.compile(HEADER_LINES)
_HEADER = re.compile(rb"([^:\r\n]+):[ \t]*([^\r\n]*?)[ \t]*\r\n")
_REQUEST = re.compile(rb"([A-Z]+) ([!-~\x80-\xff]+) HTTP/1\.([01])")
_STATUS = re.compile(rb"HTTP/1\.([01]) (\d{3})(?: [^\r\n]*)?")

HOP_BY_HOP = frozenset((b"connection", b"keep-alive", b"proxy-connection", b"te", b"upgrade"))
"""Headers that speak of one connection. Transfer-Encoding and Trailer stay: the body passes as it is framed."""


class Malformed(ValueError):
    """Not HTTP as we accept it."""


@dataclass(eq=False, slots=True)
class Head:
    """The first line and the headers, in their order, their names in lower case."""

    line: bytes
    headers: Headers
    fields: dict[bytes, bytes]
    """Name to value; several of one name are joined by commas."""

    def get(self, name: bytes) -> bytes | None:
        return self.fields.get(name)

    def tokens(self, name: bytes) -> set[bytes]:
        value = self.fields.get(name)
        return {token.strip().lower() for token in value.split(b",")} - {b""} if value else set()

    def encode(self, drop: Collection[bytes], add: Headers) -> bytes:
        """The head as bytes, without the headers `drop` and those that `add` replaces."""
        gone = {*drop, *(name for name, _ in add)}
        lines = [name + b": " + value for name, value in self.headers if name not in gone]
        lines += [name + b": " + value for name, value in add]
        return b"\r\n".join((self.line, *lines, b"", b""))


@dataclass(eq=False, slots=True)
class RequestHead(Head):
    method: bytes
    target: bytes
    minor: int

    @property
    def keep_alive(self) -> bool:
        tokens = self.tokens(b"connection")
        return b"close" not in tokens and (self.minor == 1 or b"keep-alive" in tokens)

    @property
    def framing(self) -> Framing:
        given = declared_framing(self)
        return 0 if given is None else given

    @property
    def upgrades(self) -> bool:
        """Whether the client wants to go on in another protocol, such as a WebSocket."""
        return b"upgrade" in self.fields and b"upgrade" in self.tokens(b"connection")


@dataclass(eq=False, slots=True)
class ResponseHead(Head):
    status: int
    minor: int

    @property
    def keep_alive(self) -> bool:
        return self.minor == 1 and b"close" not in self.tokens(b"connection")

    def framing(self, method: bytes) -> Framing:
        """`method`: of the request that this answers."""
        if method == b"HEAD" or self.status in (204, 304) or self.status < 200:
            return 0
        given = declared_framing(self)
        return "until-close" if given is None else given


async def read_request(wire: Wire, timeout: float | None) -> RequestHead:
    """IncompleteReadError: the client is gone; its `partial` is empty if that was between two requests. Malformed."""
    return parse_request(await _read(wire, timeout))


def parse_request(raw: bytes) -> RequestHead:
    """A whole head, with the empty line at its end. Malformed."""
    line, headers, fields = _parse(raw)
    match = _REQUEST.fullmatch(line)
    if match is None:
        raise Malformed("the request line")
    head = RequestHead(line, headers, fields, match[1], match[2], int(match[3]))
    _ = head.framing
    return head


async def read_response(wire: Wire, timeout: float | None) -> ResponseHead:
    """As `read_request`. Interim answers (100, 103) are left out."""
    while True:
        line, headers, fields = _parse(await _read(wire, timeout))
        match = _STATUS.fullmatch(line)
        if match is None:
            raise Malformed("the status line")
        if match[2] not in (b"100", b"102", b"103"):
            return ResponseHead(line, headers, fields, int(match[2]), int(match[1]))


async def _read(wire: Wire, timeout: float | None) -> bytes:
    try:
        return await wire.readuntil(b"\r\n\r\n", HEAD_LIMIT, timeout)
    except ValueError as error:
        raise Malformed("the head is too long") from error


def _parse(raw: bytes) -> tuple[bytes, Headers, dict[bytes, bytes]]:
    line, _, rest = raw[:-2].partition(b"\r\n")
    if not _HEADERS.fullmatch(rest):
        raise Malformed("a header")
    headers = [(name.lower(), value) for name, value in _HEADER.findall(rest)]
    fields = dict(headers)
    if len(fields) < len(headers):
        fields = {name: b", ".join(v for n, v in headers if n == name) for name in fields}
    return line, headers, fields


def declared_framing(head: Head) -> Framing | None:
    """What the headers say of the body's length; None if nothing."""
    length = head.get(b"content-length")
    coding = head.get(b"transfer-encoding")
    if coding is not None:
        if coding.lower() != b"chunked" or length is not None:
            raise Malformed("the length of the body")
        return "chunked"
    if length is None:
        return None
    if not length.isdigit():  # two lengths, joined by a comma, are none
        raise Malformed("the length of the body")
    return int(length)
