"""Events of one partition, and what a log has of them."""

from reference.platform.event_log import EventLog
from reference.platform.events import Envelope, partition_of

PARTITIONS = 3
MINE = partition_of("abc", PARTITIONS)
"""The partition of every `event`."""


def event(number: int) -> Envelope:
    return Envelope(f"id-{number}", "abc", "link.clicked", 1, 1000.5 + number, "trace", {"n": number})


async def ids(log: EventLog, after: str) -> list[str]:
    return [entry.event.id for entry in await log.read(MINE, after, 100)]
