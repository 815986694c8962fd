"""Bodies of HTTP/1.1 messages on a `Wire`: they pass through as they are framed."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator

from reference.platform.http1 import Framing, Malformed
from reference.platform.wire import Wire

LINE_LIMIT = 8192
"""Bytes of a line between the chunks of a body."""
PIECE = 65_536

_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,12})[ \t]*(?:;[^\r\n]*)?\r\n")


async def body(wire: Wire, framing: Framing, timeout: float | None) -> AsyncIterator[bytes]:
    """The pieces of a body, framing included: written one after the other, they are the body again."""
    if framing == "chunked":
        async for piece in _chunks(wire, timeout):
            yield piece
    elif framing == "until-close":
        while piece := await wire.read(PIECE, timeout):
            yield piece
    else:
        async for piece in _exactly(wire, framing, timeout):
            yield piece


async def _exactly(wire: Wire, length: int, timeout: float | None) -> AsyncIterator[bytes]:
    while length:
        piece = await wire.read(min(length, PIECE), timeout)
        if not piece:
            raise asyncio.IncompleteReadError(b"", length)
        length -= len(piece)
        yield piece


async def _chunks(wire: Wire, timeout: float | None) -> AsyncIterator[bytes]:
    while True:
        line = await _line(wire, LINE_LIMIT, timeout)
        match = _CHUNK.fullmatch(line)
        if match is None:
            raise Malformed("a chunk")
        yield line
        size = int(match[1], 16)
        if not size:
            break
        async for piece in _exactly(wire, size, timeout):
            yield piece
        yield await _line(wire, 2, timeout)  # nothing but the end of the line fits
    while True:  # trailers
        line = await _line(wire, LINE_LIMIT, timeout)
        yield line
        if line == b"\r\n":
            return


async def _line(wire: Wire, limit: int, timeout: float | None) -> bytes:
    try:
        return await wire.readuntil(b"\r\n", limit, timeout)
    except ValueError as error:
        raise Malformed("a chunk") from error
