"""The event log over a topic of Kafka, by aiokafka.

An event is a record: its key is the event's, so that Kafka's own tools show what belongs together. What Redis streams
need packs for, one write for many events, is Kafka's record batch. Offsets are kept by whoever reads, with the effect
(see `leases`), so there is no consumer group, and nothing that could rebalance.

Differences from Redis streams, which tests/contracts/test_kafka_log.py shows:
- Each event has an offset of its own: events that were appended together may be read apart.
- While a broker is away, its client tries again until the deadline, so an append that failed is nearly always
  `TimedOut`: it may have happened.
- `trim` forgets up to an offset at once for readers; the disk space comes back when Kafka drops the segment.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic, RecordsToDelete
from aiokafka.errors import (
    BrokerResponseError,
    KafkaConnectionError,
    KafkaError,
    KafkaTimeoutError,
    NotEnoughReplicasAfterAppendError,
    RequestTimedOutError,
    TopicAlreadyExistsError,
    UnknownTopicOrPartitionError,
)

from reference.platform.errors import Definite, Indefinite, PortError, TimedOut, Unavailable
from reference.platform.event_log import START, Entry
from reference.platform.events import Envelope, partition_of
from reference.platform.packs import PACK, Row, Stem, decoded, encoded

BATCH_BYTES = 900_000
"""Of one record batch at most; a broker takes 1 MB unless told otherwise."""

FETCH_WAIT = 0.2
"""Seconds for which the broker holds a fetch that finds nothing. It answers the requests of a connection one after the
other, so whoever asks for the ends of a partition meanwhile waits as long."""

logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # what it logs, it raises as well


class KafkaLog:
    """`EventLog` over one topic, which `create` makes. Acknowledged means: by all replicas that are in sync."""

    def __init__(self, url: str, partitions: int, timeout: float) -> None:
        """`url`: kafka://host:port/topic. `timeout`: seconds for an answer. Connects when first used."""
        parts = urlsplit(url)
        self.partitions = partitions
        self._servers = parts.netloc
        self._topic = parts.path.strip("/") or "events"
        self._timeout = timeout
        self._starting = asyncio.Lock()
        self._producer: AIOKafkaProducer | None = None
        self._admin: AIOKafkaAdminClient | None = None
        self._readers: dict[int, _Reader] = {}

    async def create(self) -> None:
        """Makes the topic if there is none. Raises PortError."""
        async with self._errors(Unavailable):
            admin = await self._administrator()
            try:
                await admin.create_topics([NewTopic(self._topic, self.partitions, 1)])
            except TopicAlreadyExistsError:
                pass

    async def append(self, events: Sequence[Envelope]) -> None:
        await self._append(map(encoded, events), [])

    async def append_rows(self, stem: Stem, rows: Sequence[Row]) -> None:
        await self._append(rows, [("stem", json.dumps(stem).encode())])

    async def _append(self, rows: Iterable[Row], headers: list[tuple[str, bytes]]) -> None:
        async with self._errors(Unavailable):
            producer = await self._sender()
        async with self._errors(Indefinite):
            sending = [
                asyncio.ensure_future(self._send(producer, partition, batch))
                for partition, batch in self._batches(producer, rows, headers)
            ]
            try:
                await asyncio.gather(*sending)
            finally:
                for each in sending:
                    each.cancel()

    def _batches(
        self, producer: AIOKafkaProducer, rows: Iterable[Row], headers: list[tuple[str, bytes]]
    ) -> Iterable[tuple[int, list[Any]]]:
        """By partition its record batches, in order."""
        found: defaultdict[int, list[Any]] = defaultdict(list)
        for key, text in rows:
            batches = found[partition_of(key, self.partitions)]
            record = {"timestamp": None, "key": key.encode("utf-8", "surrogatepass"), "value": text.encode()}
            if (
                not batches
                or batches[-1].record_count() >= PACK
                or batches[-1].append(**record, headers=headers) is None
            ):
                batches.append(producer.create_batch())
                batches[-1].append(**record, headers=headers)
        return found.items()

    async def _send(self, producer: AIOKafkaProducer, partition: int, batches: list[Any]) -> None:
        for batch in batches:
            batch.close()
            await (await producer.send_batch(batch, self._topic, partition=partition))

    async def read(self, partition: int, after: str, limit: int, block: float = 0.0) -> list[Entry]:
        async with self._errors(Unavailable, block):
            reader = await self._reader(partition)
            async with reader.turn:
                records = await reader.read(position(after), limit, block, self._timeout)
        return [Entry(str(record.offset), self._event(record)) for record in records]

    def _event(self, record: Any) -> Envelope:
        name = f"{record.partition}/{record.offset}"
        try:
            stem = next((json.loads(value) for name, value in record.headers if name == "stem"), ())
            text = record.value.decode()
        except (TypeError, ValueError, AttributeError, RecursionError):
            return Envelope(name, "", "unreadable", 0, 0.0)
        return decoded(text, name, stem if isinstance(stem, list | tuple) else ("not a stem",))

    async def trim(self, partition: int, below: str) -> None:
        if below == START:
            return
        async with self._errors(Unavailable):
            admin = await self._administrator()
        async with self._errors(Indefinite):
            until = RecordsToDelete(int(below))
            await admin.delete_records({TopicPartition(self._topic, partition): until})

    async def lag(self, partition: int, after: str) -> int:
        async with self._errors(Unavailable):
            reader = await self._reader(partition)
            first, end = await reader.ends(self._timeout)
        return max(0, end - max(first, position(after)))

    async def ping(self) -> None:
        async with self._errors(Unavailable):
            producer = await self._sender()
            if not await producer.client.force_metadata_update():
                raise KafkaConnectionError("no broker answers")

    async def close(self) -> None:
        """What is still under way is given up: it was not acknowledged."""
        async with self._starting:
            started = [self._producer, self._admin, *(each.consumer for each in self._readers.values())]
            self._producer = self._admin = None
            self._readers = {}
        for each in started:
            if each is not None:
                await self._stopped(each)

    # --- clients, each started when it is first needed

    async def _sender(self) -> AIOKafkaProducer:
        async with self._starting:
            if self._producer is None:
                # Not the idempotent producer: it never gives a batch up, and ours are told apart by their ids anyway.
                producer = AIOKafkaProducer(**self._common, acks="all", max_batch_size=BATCH_BYTES)
                self._producer = await self._started(producer)
            return self._producer

    async def _administrator(self) -> AIOKafkaAdminClient:
        async with self._starting:
            if self._admin is None:
                self._admin = await self._started(AIOKafkaAdminClient(**self._common))
            return self._admin

    async def _reader(self, partition: int) -> _Reader:
        async with self._starting:
            if partition not in self._readers:
                consumer = AIOKafkaConsumer(
                    **self._common,
                    enable_auto_commit=False,
                    auto_offset_reset="earliest",
                    fetch_max_wait_ms=int(1000 * FETCH_WAIT),
                )
                await self._started(consumer)
                self._readers[partition] = _Reader(consumer, TopicPartition(self._topic, partition))
            return self._readers[partition]

    @property
    def _common(self) -> dict[str, Any]:
        return {"bootstrap_servers": self._servers, "request_timeout_ms": int(1000 * self._timeout)}

    async def _started(self, client: Any) -> Any:
        try:
            await client.start()
        except BaseException:
            await asyncio.shield(self._stopped(client))
            raise
        return client

    async def _stopped(self, client: Any) -> None:
        """Within the deadline, whatever comes of it: a client whose broker is away may end in an error, or in the
        cancellation of a task of its own, which is none of ours."""
        stopping = asyncio.ensure_future((getattr(client, "stop", None) or client.close)())
        await asyncio.wait({stopping}, timeout=self._timeout)
        if not stopping.done():
            stopping.cancel()
            await asyncio.wait({stopping}, timeout=self._timeout)
        if stopping.done() and not stopping.cancelled():
            stopping.exception()  # it has been seen

    @asynccontextmanager
    async def _errors(self, broken: type[PortError], more: float = 0.0) -> AsyncIterator[None]:
        """Under a deadline, the driver's errors as ours. `broken`: what it means that a connection broke or that no
        answer came. `more`: seconds that are not the service's."""
        try:
            async with asyncio.timeout(self._timeout + more + 0.1):
                yield
        except (TimeoutError, KafkaTimeoutError, RequestTimedOutError) as error:
            if issubclass(broken, Definite):
                raise Unavailable("Kafka did not answer in time") from error
            raise TimedOut("Kafka did not answer in time") from error
        except UnknownTopicOrPartitionError as error:
            raise Unavailable(f"Kafka has no topic {self._topic!r} yet") from error
        except asyncio.CancelledError as error:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            raise broken(
                "the connection to Kafka broke"
            ) from error  # which cancelled what waited for an answer
        except NotEnoughReplicasAfterAppendError as error:
            raise Indefinite("too few replicas of Kafka have it yet") from error
        except BrokerResponseError as error:
            raise Unavailable(f"Kafka refused: {error!r}") from error
        except (KafkaError, OSError) as error:
            raise broken(f"the connection to Kafka broke: {error!r}") from error


class _Reader:
    """A consumer of one partition, and how far it has read. Reads take `turn`s."""

    def __init__(self, consumer: AIOKafkaConsumer, partition: TopicPartition) -> None:
        self.consumer = consumer
        self.partition = partition
        self.turn = asyncio.Lock()
        self._at = -1
        consumer.assign([partition])

    async def read(self, start: int, limit: int, block: float, patience: float) -> list[Any]:
        if start != self._at:
            self._at = -1
            self.consumer.seek(self.partition, start)
        records = await self._fetched(limit, block)
        if not records:  # nothing there, or a broker that says nothing: only asking tells
            first, end = await self.ends(patience)
            if max(start, first) < end:
                records = await self._fetched(limit, patience)
        if records:
            self._at = records[-1].offset + 1
        elif self._at < 0:
            self._at = start
        return records

    async def _fetched(self, limit: int, seconds: float) -> list[Any]:
        found = await self.consumer.getmany(
            self.partition, timeout_ms=int(1000 * seconds), max_records=max(1, limit)
        )
        return list(found.get(self.partition, ()))

    async def ends(self, patience: float) -> tuple[int, int]:
        """The first offset that there is, and the one that the next record gets."""
        async with asyncio.timeout(patience):
            first, end = await asyncio.gather(
                self.consumer.beginning_offsets([self.partition]), self.consumer.end_offsets([self.partition])
            )
        return first[self.partition], end[self.partition]


def position(after: str) -> int:
    """The offset of the first record after `after`."""
    return 0 if after == START else int(after) + 1
