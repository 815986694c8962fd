"""The event log: an ordered record of what happened, from which others work at their own pace.

It has partitions. Events with one key go to one partition and stay in order there, which a Redis consumer group
would not give: hence plain streams, one for each partition, each read by one owner (see `leases`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlsplit

from reference.platform.events import Envelope
from reference.platform.packs import Row, Stem

START = "0-0"
"""The offset before the first event."""


@dataclass(frozen=True, slots=True)
class Entry:
    """An event in the log. Offsets of one partition are comparable only by the log itself; events that were packed
    together may share one."""

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

    async def create(self) -> None:
        """Makes what the log needs before the first append, if it is not there. Idempotent."""
        ...

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


def connect(url: str, partitions: int, timeout: float) -> EventLog:
    """The log that `url` names: `redis://host:port/db` or `kafka://host:port/topic`.

    `timeout`: seconds for one call. Connects to nothing yet.
    """
    match urlsplit(url).scheme:
        case "redis":
            from reference.platform.redis_streams_log import RedisStreamsLog

            return RedisStreamsLog(url, partitions, timeout)
        case "kafka":
            from reference.platform.kafka_log import KafkaLog

            return KafkaLog(url, partitions, timeout)
        case other:
            raise ValueError(f"no driver for an event log of kind {other!r}")
