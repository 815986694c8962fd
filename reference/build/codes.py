"""The slots that make short codes, each with what its component is constructed with."""

from __future__ import annotations

import hashlib
import hmac
import importlib.util
import random
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import cast

from reference.platform.clock import Clock
from reference.platform.metrics import Metrics
from reference.platform.process import EventSink
from reference.platform.settings import Settings
from reference.platform.slots import Equipment, Slot, SlotHolder
from reference.platform.sql import Database
from reference.shortener.slots import BASE62, HASH_CODES, KEY_POOL, SNOWFLAKE_CODES


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

    def holder(slot: Slot, equip: Callable[[], Equipment]) -> SlotHolder:
        def count(error: str) -> None:
            metrics.component_errors.labels(slot.name, error).inc()

        return SlotHolder(slot, equip, events, count)

    base62 = holder(BASE62, lambda: Equipment({}, nothing))

    def hash_codes() -> Equipment:
        source = random.Random(secrets.randbits(128))
        keywords = {"base62": SlottedBase62(base62), "random": source, "key": key(settings, "hash-codes")}
        return Equipment(keywords, nothing)

    holders = {BASE62.name: base62, HASH_CODES.name: holder(HASH_CODES, hash_codes)}
    return [
        found
        for slot in only
        if (found := holders.get(slot.name)) and importlib.util.find_spec(slot.fillings["reference"])
    ]


def key(settings: Settings, label: str) -> bytes:
    """A key for one purpose, derived from the stack's secret."""
    return hmac.digest(settings.secret.encode(), label.encode(), hashlib.sha256)


async def nothing() -> None:
    """What there is to close."""
