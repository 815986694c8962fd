"""The event log: an ordered record of what happened, from which others work at their own pace.

It has partitions. Events with one key go to one partition and stay in order there, which a Redis consumer group
would not give: hence plain streams, one for each partition, each read by one owner (see `leases`).
"""

from __future__ import annotations

import asyncio
import json
import zlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

from redis.exceptions import RedisError

from reference.platform.redis_client import port_error, redis_client

START = "0-0"
"""The offset before the first event."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """One event. `id`: unique, made by the producer, the same in each retry. `key`: what it is about, which also
    chooses the partition. `time`: POSIX seconds. `trace`: the id of the request that caused it."""

    id: str
    key: str
    type: str
    version: int
    time: float
    trace: str = ""
    data: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Entry:
    """An event in the log. Offsets of one partition are comparable only by the log itself."""

    offset: str
    event: Envelope


class EventLog(Protocol):
    """Port: the event log.

    Promises: once `append` has returned, the events are in the log and survive the end of the log's process (the
    embedded profile's log is memory, and promises this only for the client's). Events of one partition are read
    in the order of the log, by whoever reads; a key's partition never changes.
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

    async def read(self, partition: int, after: str, limit: int, block: float = 0.0) -> list[Entry]:
        """Up to `limit` events after the offset `after`; if there are none, waits up to `block` seconds."""
        ...

    async def trim(self, partition: int, below: str) -> None:
        """Forgets what is before the offset `below`, which itself stays."""
        ...

    async def lag(self, partition: int, after: str) -> int:
        """How many events there are after `after`, if all before it have been trimmed or nearly so."""
        ...

    async def ping(self) -> None: ...

    async def close(self) -> None: ...


def partition_of(key: str, partitions: int) -> int:
    """The same on every machine and in every version of Python, unlike `hash`."""
    return zlib.crc32(key.encode("utf-8", "surrogatepass")) % partitions


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
        pipeline = self._redis.pipeline(transaction=False)
        for event in events:
            text = json.dumps(asdict(event), separators=(",", ":"))
            pipeline.xadd(self._stream(partition_of(event.key, self.partitions)), {"event": text})
        try:
            await pipeline.execute()
        except RedisError as error:
            raise port_error(error) from error

    async def read(self, partition: int, after: str, limit: int, block: float = 0.0) -> list[Entry]:
        milliseconds = int(1000 * min(block, self._timeout / 2)) or None
        stream = self._stream(partition)
        try:
            found: Any = await self._redis.xread({stream: after}, count=limit, block=milliseconds)
        except RedisError as error:
            raise port_error(error) from error
        return [
            Entry(offset, _decoded(offset, fields))
            for _, entries in found or []
            for offset, fields in entries
        ]

    async def trim(self, partition: int, below: str) -> None:
        try:
            await self._redis.xtrim(self._stream(partition), minid=below, approximate=False)
        except RedisError as error:
            raise port_error(error) from error

    async def lag(self, partition: int, after: str) -> int:
        stream = self._stream(partition)
        try:
            length: int = await self._redis.xlen(stream)
            done: Any = await self._redis.xrange(stream, max=after, count=1000)
        except RedisError as error:
            raise port_error(error) from error
        return max(0, length - len(done))

    async def ping(self) -> None:
        try:
            await self._redis.ping()
        except RedisError as error:
            raise port_error(error) from error

    async def close(self) -> None:
        await self._redis.aclose()


def _decoded(offset: str, fields: dict[str, str]) -> Envelope:
    """An event that we cannot read, of a later version or not ours at all, must not stop those behind it."""
    try:
        return Envelope(**json.loads(fields["event"]))
    except (KeyError, TypeError, ValueError):
        return Envelope(offset, "", "unreadable", 0, 0.0)


class MemoryLog:
    """`EventLog` in a list, for tests and for reading: what the port means, in few lines."""

    def __init__(self, partitions: int) -> None:
        self.partitions = partitions
        self._entries: dict[int, list[Entry]] = defaultdict(list)
        self._next = 1
        self._grown = asyncio.Event()

    async def append(self, events: Sequence[Envelope]) -> None:
        for event in events:
            entry = Entry(f"{self._next}-0", event)
            self._entries[partition_of(event.key, self.partitions)].append(entry)
            self._next += 1
        self._grown.set()
        self._grown = asyncio.Event()

    async def read(self, partition: int, after: str, limit: int, block: float = 0.0) -> list[Entry]:
        found = [each for each in self._entries[partition] if number(each.offset) > number(after)][:limit]
        if not found and block > 0:
            try:
                await asyncio.wait_for(self._grown.wait(), block)
            except TimeoutError:
                return []
            return await self.read(partition, after, limit)
        return found

    async def trim(self, partition: int, below: str) -> None:
        kept = [each for each in self._entries[partition] if number(each.offset) >= number(below)]
        self._entries[partition] = kept

    async def lag(self, partition: int, after: str) -> int:
        return sum(number(each.offset) > number(after) for each in self._entries[partition])

    async def ping(self) -> None: ...

    async def close(self) -> None: ...


def number(offset: str) -> tuple[int, int]:
    """An offset as numbers, which compare as the log orders them."""
    major, minor = offset.split("-")
    return int(major), int(minor)
