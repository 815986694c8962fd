"""Events, and packs of them: what the event log carries.

Events of one partition that are appended together lie in the log as one pack, a text with one event a line. A Redis
command for each event would cost a server more than the redirect that the event tells of.
"""

from __future__ import annotations

import json
import zlib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from typing import Any

PACK = 200
"""Events in one pack at most."""


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


Encoded = tuple[str, str]
"""An event that its producer has encoded, because it makes very many: its key, and the JSON of an Envelope with this
key, on one line."""

Event = Envelope | Encoded


@lru_cache(65_536)
def partition_of(key: str, partitions: int) -> int:
    """The same on every machine and in every version of Python, unlike `hash`. Few keys have most events: so it is
    remembered."""
    return zlib.crc32(key.encode("utf-8", "surrogatepass")) % partitions


def packs(events: Sequence[Event], partitions: int) -> Iterator[tuple[int, list[str]]]:
    """The events as texts, packed by partition, in order."""
    texts: defaultdict[int, list[str]] = defaultdict(list)
    for event in events:
        if isinstance(event, Envelope):
            key, text = event.key, json.dumps(asdict(event), separators=(",", ":"))
        else:
            key, text = event
        texts[partition_of(key, partitions)].append(text)
    for partition, all_of_it in texts.items():
        for start in range(0, len(all_of_it), PACK):
            yield partition, all_of_it[start : start + PACK]


def decoded(text: str, name: str) -> Envelope:
    """The event that `text` is. One that we cannot read, of a later version or not ours at all, must not stop those
    behind it: it becomes an event of the type "unreadable" with the id `name`."""
    try:
        return Envelope(**json.loads(text))
    except (TypeError, ValueError, RecursionError):
        return Envelope(name, "", "unreadable", 0, 0.0)
