"""A connection that has become something else than HTTP: from now on bytes are bytes, both ways."""

from __future__ import annotations

import asyncio

from reference.platform.http1_bodies import PIECE
from reference.platform.wire import Wire


async def tunnel(one: Wire, other: Wire) -> None:
    """Copies both ways, until one side ends; `other` is of no use afterwards."""
    ways = [asyncio.create_task(copy(one, other)), asyncio.create_task(copy(other, one))]
    try:
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)
        other.abort()


async def copy(source: Wire, target: Wire) -> None:
    while piece := await source.read(PIECE, None):
        target.write(piece)
        await target.drain(None)
