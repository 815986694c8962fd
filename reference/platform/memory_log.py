"""The event log in a list, for tests and for reading: what the port means, in few lines."""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from collections.abc import Iterable, Sequence

from reference.platform.event_log import Entry
from reference.platform.events import Envelope
from reference.platform.packs import Row, Stem, encoded, packs, texts_of, up_to


class MemoryLog:
    """`EventLog`."""

    def __init__(self, partitions: int) -> None:
        self.partitions = partitions
        self._packs: dict[int, list[tuple[str, dict[str, str]]]] = defaultdict(list)
        self._next = 1
        self._grown = asyncio.Event()

    async def create(self) -> None: ...

    async def append(self, events: Sequence[Envelope]) -> None:
        await self._append(map(encoded, events), "")

    async def append_rows(self, stem: Stem, rows: Sequence[Row]) -> None:
        await self._append(rows, json.dumps(stem))

    async def _append(self, rows: Iterable[Row], stem: str) -> None:
        for partition, texts in packs(rows, self.partitions):
            self._packs[partition].append((f"{self._next}-0", {"events": "\n".join(texts), "stem": stem}))
            self._next += 1
        self._grown.set()
        self._grown = asyncio.Event()

    async def read(self, partition: int, after: str, limit: int, block: float = 0.0) -> list[Entry]:
        found = [pack for pack in self._packs[partition] if number(pack[0]) > number(after)]
        if not found and block > 0:
            try:
                await asyncio.wait_for(self._grown.wait(), block)
            except TimeoutError:
                return []
            return await self.read(partition, after, limit)
        return [Entry(offset, event) for offset, event in up_to(limit, found)]

    async def trim(self, partition: int, below: str) -> None:
        kept = [pack for pack in self._packs[partition] if number(pack[0]) >= number(below)]
        self._packs[partition] = kept

    async def lag(self, partition: int, after: str) -> int:
        return sum(
            len(texts_of(pack)) for offset, pack in self._packs[partition] if number(offset) > number(after)
        )

    async def ping(self) -> None: ...

    async def close(self) -> None: ...


def number(offset: str) -> tuple[int, int]:
    """An offset as numbers, which compare as the log orders them."""
    major, minor = offset.split("-")
    return int(major), int(minor)
