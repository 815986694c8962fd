"""Events: what the event log carries."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field
from typing import Any


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


def partition_of(key: str, partitions: int) -> int:
    """The same on every machine and in every version of Python, unlike `hash`."""
    return zlib.crc32(key.encode("utf-8", "surrogatepass")) % partitions
