"""The event log: an ordered record of what happened, from which others work at their own pace.

It has partitions. Events with one key go to one partition and stay in order there, which a Redis consumer group
would not give: hence plain streams, one for each partition, each read by one owner (see `leases`).
"""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from redis.exceptions import RedisError

from reference.platform.events import Envelope, Row, Stem, decoded, encoded, packs, partition_of
from reference.platform.redis_client import port_error, redis_client

__all__ = [
    "START",
    "Entry",
    "Envelope",
    "EventLog",
    "MemoryLog",
    "RedisStreamsLog",
    "partition_of",
]

START = "0-0"
"""The offset before the first event."""


@dataclass(frozen=True, slots=True)
class Entry:
    """An event in the log. Offsets of one partition are comparable only by the log itself; events that were packed
    together share one."""

    offset: str
    event: Envelope


class EventLog(Protocol):
    """Port: the event log.

    Promises: once `append` has returned, the events are in the log and survive the end of the log's process (the
    embedded profile's log is memory, and promises this only for the client's). Events of one partition are read
    in the order of the log, by whoever reads; a key's partition never changes. Events that share an offset, because
    they were appended together, are read together.
    Does not promise: that an event is there once. After an `Indefinite` or `TimedOut` append, all, some or none
    of the batch is in the log; the producer appends the same ids again, and the reader drops ids that it knows.
    Nor order between two appends under way at once, nor that a batch appears together, nor that the log survives
    the loss of the machine's power.
    Errors: PortError, from every method.
    """

    partitions: int

    async def append(self, events: Sequence[Envelope]) -> None:
        """Returning is the acknowledgement: the events are accepted."""
        ...

    async def append_rows(self, stem: Stem, rows: Sequence[Row]) -> None:
        """The same for events that have a stem in common."""
        ...

    async def read(self, partition: int, after: str, limit: int, block: float = 0.0) -> list[Entry]:
        """Up to `limit` events after the offset `after`, more only if the first pack has more; if there are none,
        waits up to `block` seconds. That there are fewer does not mean that these are all."""
        ...

    async def trim(self, partition: int, below: str) -> None:
        """Forgets what is before the offset `below`, which itself stays."""
        ...

    async def lag(self, partition: int, after: str) -> int:
        """How many events there are after `after`."""
        ...

    async def ping(self) -> None: ...

    async def close(self) -> None: ...


APPEND = """
local total = redis.call('INCRBY', KEYS[2], ARGV[1])
return redis.call('XADD', KEYS[1], '*', 'total', total, 'events', ARGV[2], 'stem', ARGV[3])
"""
"""Runs inside Redis. `total`: events that were ever appended to the partition, those of this pack included, so that
the lag can be told without reading what lies there."""

READ_PACKS = 32
"""Packs that a read asks for at most: many where they are small, and not megabytes where they are full."""


class RedisStreamsLog:
    """`EventLog` over Redis streams, one for each partition. The Redis must keep an append-only file."""

    def __init__(self, url: str, partitions: int, timeout: float) -> None:
        """`timeout`: seconds for a reply; `read` may block for half as long at most."""
        self.partitions = partitions
        self._timeout = timeout
        self._redis = redis_client(url, timeout)

    def _stream(self, partition: int) -> str:
        return f"events:{partition}"

    async def append(self, events: Sequence[Envelope]) -> None:
        await self._append(map(encoded, events), "")

    async def append_rows(self, stem: Stem, rows: Sequence[Row]) -> None:
        await self._append(rows, json.dumps(stem))

    async def _append(self, rows: Iterable[Row], stem: str) -> None:
        pipeline = self._redis.pipeline(transaction=False)
        for partition, texts in packs(rows, self.partitions):
            stream = self._stream(partition)
            pipeline.eval(APPEND, 2, stream, f"{stream}:total", len(texts), "\n".join(texts), stem)
        try:
            await pipeline.execute()
        except RedisError as error:
            raise port_error(error) from error

    async def read(self, partition: int, after: str, limit: int, block: float = 0.0) -> list[Entry]:
        return list(_up_to(limit, await self._packs(partition, after, min(limit, READ_PACKS), block)))

    async def _packs(self, partition: int, after: str, count: int, block: float) -> list[tuple[str, Any]]:
        milliseconds = int(1000 * min(block, self._timeout / 2)) or None
        stream = self._stream(partition)
        try:
            found: Any = await self._redis.xread({stream: after}, count=count, block=milliseconds)
        except RedisError as error:
            raise port_error(error) from error
        return [pack for _, entries in found or [] for pack in entries]

    async def trim(self, partition: int, below: str) -> None:
        try:
            await self._redis.xtrim(self._stream(partition), minid=below, approximate=False)
        except RedisError as error:
            raise port_error(error) from error

    async def lag(self, partition: int, after: str) -> int:
        for _, first in await self._packs(partition, after, 1, 0.0):
            if "total" not in first:
                return 1  # at least: it has no number, since it is not of this version
            before = int(first["total"]) - len(_texts(first))
            try:
                return int(await self._redis.get(f"{self._stream(partition)}:total") or 0) - before
            except RedisError as error:
                raise port_error(error) from error
        return 0

    async def ping(self) -> None:
        try:
            await self._redis.ping()
        except RedisError as error:
            raise port_error(error) from error

    async def close(self) -> None:
        await self._redis.aclose()


def _texts(fields: dict[str, str]) -> list[str]:
    """The events of a pack. An entry with the field `event` is a single one, as earlier versions wrote it."""
    return fields["events"].split("\n") if "events" in fields else [fields.get("event", "")]


def _stem(fields: dict[str, str]) -> Sequence[Any]:
    """What the events of a pack have in common: nothing, unless they are rows."""
    if not (text := fields.get("stem")):
        return ()
    try:
        return tuple(json.loads(text))
    except (TypeError, ValueError, RecursionError):
        return ("not a stem",)


def _up_to(limit: int, packed: Iterable[tuple[str, dict[str, str]]]) -> Iterable[Entry]:
    """The events of the first packs, whole ones, which together have `limit` events at most; of one pack at least."""
    count = 0
    for offset, fields in packed:
        texts = _texts(fields)
        if count and count + len(texts) > limit:
            return
        count += len(texts)
        stem = _stem(fields)
        for number, text in enumerate(texts):
            yield Entry(offset, decoded(text, f"{offset}/{number}", stem))


class MemoryLog:
    """`EventLog` in a list, for tests and for reading: what the port means, in few lines."""

    def __init__(self, partitions: int) -> None:
        self.partitions = partitions
        self._packs: dict[int, list[tuple[str, dict[str, str]]]] = defaultdict(list)
        self._next = 1
        self._grown = asyncio.Event()

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
        return list(_up_to(limit, found))

    async def trim(self, partition: int, below: str) -> None:
        kept = [pack for pack in self._packs[partition] if number(pack[0]) >= number(below)]
        self._packs[partition] = kept

    async def lag(self, partition: int, after: str) -> int:
        return sum(
            len(_texts(pack)) for offset, pack in self._packs[partition] if number(offset) > number(after)
        )

    async def ping(self) -> None: ...

    async def close(self) -> None: ...


def number(offset: str) -> tuple[int, int]:
    """An offset as numbers, which compare as the log orders them."""
    major, minor = offset.split("-")
    return int(major), int(minor)
