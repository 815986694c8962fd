"""HTTP/1.1 messages on a stream: heads that are parsed strictly, bodies that pass through as they are.

What two parsers read differently is how requests are smuggled past a proxy (RFC 9112, 11.2). So whatever is not
plainly right is refused: a length given twice, a length beside chunks, a header that is folded over two lines.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Literal

HEAD_LIMIT = 65_536
PIECE = 65_536

Framing = int | Literal["chunked", "until-close"]
"""How long a body is: so many bytes, chunked, or all until the connection ends."""

_NAME = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_REQUEST = re.compile(rb"([A-Z]+) ([!-~\x80-\xff]+) HTTP/1\.([01])")
_STATUS = re.compile(rb"HTTP/1\.([01]) (\d{3})(?: [^\r\n]*)?")
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,12})[ \t]*(?:;[^\r\n]*)?\r\n")

HOP_BY_HOP = {b"connection", b"keep-alive", b"proxy-connection", b"te", b"upgrade"}
"""Headers that speak of one connection. Transfer-Encoding and Trailer stay: the body passes as it is framed."""


class Malformed(ValueError):
    """Not HTTP as we accept it."""


@dataclass(frozen=True, slots=True)
class Head:
    """The first line and the headers, whose names are in lower case."""

    line: bytes
    headers: tuple[tuple[bytes, bytes], ...]

    def get(self, name: bytes) -> bytes | None:
        """The value, several joined by commas; None if there is none."""
        values = [value for each, value in self.headers if each == name]
        return b", ".join(values) if values else None

    def tokens(self, name: bytes) -> set[bytes]:
        return {token.strip().lower() for token in (self.get(name) or b"").split(b",")} - {b""}

    def encode(self, drop: set[bytes], *add: tuple[bytes, bytes]) -> bytes:
        """The head as bytes, without the headers `drop` and those that `add` replaces."""
        gone = drop | {name for name, _ in add}
        kept = [(name, value) for name, value in self.headers if name not in gone]
        lines = [self.line, *(name + b": " + value for name, value in (*kept, *add))]
        return b"\r\n".join(lines) + b"\r\n\r\n"


@dataclass(frozen=True, slots=True)
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


@dataclass(frozen=True, slots=True)
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


async def read_request(reader: asyncio.StreamReader) -> RequestHead:
    """IncompleteReadError: the stream ended; its `partial` is empty if that was between two requests. Malformed."""
    line, headers = await _read(reader)
    match = _REQUEST.fullmatch(line)
    if match is None:
        raise Malformed("the request line")
    head = RequestHead(line, headers, match[1], match[2], int(match[3]))
    _ = head.framing
    return head


async def read_response(reader: asyncio.StreamReader) -> ResponseHead:
    """As `read_request`."""
    line, headers = await _read(reader)
    match = _STATUS.fullmatch(line)
    if match is None:
        raise Malformed("the status line")
    return ResponseHead(line, headers, int(match[2]), int(match[1]))


async def _read(reader: asyncio.StreamReader) -> tuple[bytes, tuple[tuple[bytes, bytes], ...]]:
    try:
        raw = await reader.readuntil(b"\r\n\r\n")
    except asyncio.LimitOverrunError as error:
        raise Malformed("the head is too long") from error
    line, *rest = raw[:-4].split(b"\r\n")
    headers = []
    for each in rest:
        name, colon, value = each.partition(b":")
        if not colon or not _NAME.fullmatch(name) or b"\r" in value or b"\n" in value or b"\0" in value:
            raise Malformed("a header")
        headers.append((name.lower(), value.strip(b" \t")))
    return line, tuple(headers)


def declared_framing(head: Head) -> Framing | None:
    """What the headers say of the body's length; None if nothing."""
    lengths = [value for name, value in head.headers if name == b"content-length"]
    coding = head.get(b"transfer-encoding")
    if coding is not None:
        if coding.lower() != b"chunked" or lengths:
            raise Malformed("the length of the body")
        return "chunked"
    if not lengths:
        return None
    if len(lengths) > 1 or not lengths[0].isdigit():
        raise Malformed("the length of the body")
    return int(lengths[0])


async def body(reader: asyncio.StreamReader, framing: Framing) -> AsyncIterator[bytes]:
    """The pieces of a body, framing included: written one after the other, they are the body again."""
    if framing == "chunked":
        async for piece in _chunks(reader):
            yield piece
    elif framing == "until-close":
        while piece := await reader.read(PIECE):
            yield piece
    else:
        async for piece in _exactly(reader, framing):
            yield piece


async def _exactly(reader: asyncio.StreamReader, length: int) -> AsyncIterator[bytes]:
    while length:
        piece = await reader.read(min(length, PIECE))
        if not piece:
            raise asyncio.IncompleteReadError(b"", length)
        length -= len(piece)
        yield piece


async def _chunks(reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    while True:
        line = await reader.readuntil(b"\r\n")
        match = _CHUNK.fullmatch(line)
        if match is None:
            raise Malformed("a chunk")
        yield line
        size = int(match[1], 16)
        if not size:
            break
        async for piece in _exactly(reader, size):
            yield piece
        if await reader.readexactly(2) != b"\r\n":
            raise Malformed("a chunk")
        yield b"\r\n"
    while True:  # trailers
        line = await reader.readuntil(b"\r\n")
        yield line
        if line == b"\r\n":
            return
