"""The event log over Redis streams."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from redis.exceptions import RedisError

from reference.platform.event_log import Entry
from reference.platform.events import Envelope
from reference.platform.packs import Row, Stem, encoded, packs, texts_of, up_to
from reference.platform.redis_client import port_error, redis_client

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

    async def create(self) -> None:
        """Nothing: a stream begins with its first entry."""

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
        packed = await self._packs(partition, after, min(limit, READ_PACKS), block)
        return [Entry(offset, event) for offset, event in up_to(limit, packed)]

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
            before = int(first["total"]) - len(texts_of(first))
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
