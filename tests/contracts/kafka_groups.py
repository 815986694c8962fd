"""Members of a consumer group of Kafka, one of them in a process of its own that can be killed."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from aiokafka import AIOKafkaConsumer

SESSION = 6.0
"""Seconds: the least that a broker lets a member ask for, unless it is told otherwise."""


def member(servers: str, topic: str) -> AIOKafkaConsumer:
    """Of the group that has the topic's name."""
    return AIOKafkaConsumer(
        topic,
        bootstrap_servers=servers,
        group_id=topic,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        session_timeout_ms=int(1000 * SESSION),
        heartbeat_interval_ms=200,
    )


async def read(consumer: AIOKafkaConsumer) -> list[tuple[int, int]]:
    """Partition and offset of what came within a moment."""
    found = await consumer.getmany(timeout_ms=100)
    return [(record.partition, record.offset) for records in found.values() for record in records]


def assigned(consumer: AIOKafkaConsumer) -> set[int]:
    return {each.partition for each in consumer.assignment()}


@dataclass
class Doomed:
    """The member in its process. `assigned`: as it said last; `read`: all that it has read."""

    process: asyncio.subprocess.Process
    assigned: set[int] = field(default_factory=set)
    read: set[tuple[int, int]] = field(default_factory=set)

    async def listen(self) -> None:
        assert self.process.stdout is not None
        async for line in self.process.stdout:
            told: dict[str, Any] = json.loads(line)
            self.assigned = set(told["assigned"])
            self.read |= {(partition, offset) for partition, offset in told["read"]}

    async def kill(self) -> None:
        with suppress(ProcessLookupError):
            self.process.kill()
        await self.process.wait()


@asynccontextmanager
async def doomed_member(servers: str, topic: str) -> AsyncIterator[Doomed]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, __file__, servers, topic),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    doomed = Doomed(process)
    listening = asyncio.create_task(doomed.listen())
    try:
        yield doomed
    finally:
        await doomed.kill()
        await listening


async def _main(servers: str, topic: str) -> None:
    consumer = member(servers, topic)
    await consumer.start()
    while True:
        print(json.dumps({"read": await read(consumer), "assigned": sorted(assigned(consumer))}), flush=True)


if __name__ == "__main__":
    asyncio.run(_main(*sys.argv[1:]))
