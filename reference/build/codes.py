"""The slots that make short codes, each with what its component is constructed with."""

from __future__ import annotations

import hashlib
import hmac
import random
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import cast

from reference.platform.clock import Clock
from reference.platform.contained import Slot
from reference.platform.fillings import Equipment
from reference.platform.metrics import Metrics
from reference.platform.process import EventSink
from reference.platform.redis_client import redis_client
from reference.platform.settings import Settings
from reference.platform.slots import SlotHolder
from reference.platform.sql import Database
from reference.shortener.key_ranges import SqlKeyRanges
from reference.shortener.random_codes import RandomCodes
from reference.shortener.slots import BASE62, HASH_CODES, KEY_POOL, SNOWFLAKE_CODES
from reference.shortener.strategies import Codes, SlottedCodes, Strategy
from reference.shortener.worker_ids import SqlWorkerIds

BATCH = 100
"""Codes that a server takes from the pool at once, and loses if it is killed."""
LOW_WATER = 2_000
"""Codes below which the pool is filled up, to twice as many."""
POOL_TIMEOUT = 0.5
"""Seconds for one command to the pool. Only one link in BATCH waits for one at all."""


@dataclass(frozen=True, slots=True)
class SlottedBase62:
    """The base62 component that is in service right now, as other components see it."""

    holder: SlotHolder

    def encode(self, number: int, length: int = 1) -> str:
        return cast(str, self.holder.call_pure("encode", number, length))

    def decode(self, text: str) -> int:
        return cast(int, self.holder.call_pure("decode", text))


def code_holders(
    settings: Settings,
    store: Database,
    clock: Clock,
    metrics: Metrics,
    events: EventSink,
    only: Sequence[Slot] = (BASE62, HASH_CODES, SNOWFLAKE_CODES, KEY_POOL),
) -> list[SlotHolder]:
    """The holders of these slots, base62 first: the others call it."""
    pool_commands = metrics.counter("pool_commands", "Commands to the key pool", "command", "outcome")

    def count_command(command: str, outcome: str) -> None:
        pool_commands.labels(command, outcome).inc()

    def holder(slot: Slot, equip: Callable[[], Equipment]) -> SlotHolder:
        def count(error: str) -> None:
            metrics.component_errors.labels(slot.name, error).inc()

        return SlotHolder(slot, equip, events, count)

    base62 = holder(BASE62, lambda: Equipment({}, nothing))

    def hash_codes() -> Equipment:
        source = random.Random(secrets.randbits(128))
        keywords = {"base62": SlottedBase62(base62), "random": source, "key": key(settings, "hash-codes")}
        return Equipment(keywords, nothing)

    def snowflake_codes() -> Equipment:
        keywords = {
            "base62": SlottedBase62(base62),
            "workers": SqlWorkerIds(store, clock),
            "clock": clock,
            "key": key(settings, "snowflake-codes"),
        }
        return Equipment(keywords, nothing)

    def key_pool() -> Equipment:
        pool = redis_client(settings.pool_url, POOL_TIMEOUT, count_command, service="pool")
        keywords = {
            "pool": pool,
            "ranges": SqlKeyRanges(store),
            "base62": SlottedBase62(base62),
            "clock": clock,
            "key": key(settings, "key-pool"),
            "batch": BATCH,
            "low_water": LOW_WATER,
        }
        return Equipment(keywords, pool.aclose)

    holders = {
        BASE62.name: base62,
        HASH_CODES.name: holder(HASH_CODES, hash_codes),
        SNOWFLAKE_CODES.name: holder(SNOWFLAKE_CODES, snowflake_codes),
        KEY_POOL.name: holder(KEY_POOL, key_pool),
    }
    return [holders[slot.name] for slot in only]


def codes(
    settings: Settings, holders: Sequence[SlotHolder], source: random.Random, chosen: Callable[[], str]
) -> Codes:
    """What makes the codes of new links. `chosen` tells the live setting `code_strategy`."""
    by_slot = {holder.slot.name: SlottedCodes(holder) for holder in holders}
    strategies: dict[str, Strategy] = {
        "random": RandomCodes(source, settings.code_length),
        "hash": by_slot[HASH_CODES.name],
        "snowflake": by_slot[SNOWFLAKE_CODES.name],
        "pool": by_slot[KEY_POOL.name],
    }
    return Codes(strategies, chosen)


def key(settings: Settings, label: str) -> bytes:
    """A key for one purpose, derived from the stack's secret."""
    return hmac.digest(settings.secret.encode(), label.encode(), hashlib.sha256)


async def nothing() -> None:
    """What there is to close."""
