"""The wire between the component's Redis client and the judge, in place of a socket.

The judge gets the bytes of each write, and decides when they arrive, what comes back and when, or that nothing does.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Any


class Wire:
    """The writing end of one connection; the judge feeds the reading end."""

    def __init__(self, number: int, links: Links) -> None:
        self.number = number
        self.links = links
        self.reader = asyncio.StreamReader()
        self.broken: Exception | None = None

    def writelines(self, chunks: Iterable[bytes]) -> None:
        if self.broken is not None:
            raise self.broken
        self.links.report("write", self.number, b"".join(chunks).decode("latin-1"))

    def write(self, chunk: bytes) -> None:
        self.writelines([chunk])

    async def drain(self) -> None:
        return None

    def close(self) -> None:
        if self.links.wires.pop(self.number, None) is not None:
            self.links.report("close", self.number, "")

    async def wait_closed(self) -> None:
        return None

    def is_closing(self) -> bool:
        return self.number not in self.links.wires

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return default

    def feed(self, data: str) -> None:
        self.reader.feed_data(data.encode("latin-1"))

    def break_off(self) -> None:
        """As when the server resets the connection."""
        self.broken = ConnectionResetError(104, "Connection reset by peer")
        self.reader.set_exception(self.broken)


class Links:
    """All connections of one instance of the component. `report(kind, connection, data)` tells the judge."""

    def __init__(self, report: Callable[[str, int, str], None], numbers: Callable[[], int]) -> None:
        self.report = report
        self.numbers = numbers
        self.wires: dict[int, Wire] = {}
        self.line: int | None = None
        """Of the component, where it sent its latest command: the write itself happens in a task of redis-py's."""

    def open(self) -> Wire:
        number = self.numbers()
        wire = self.wires[number] = Wire(number, self)
        return wire
