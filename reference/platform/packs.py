"""Packs: how events lie in the log.

Events of one partition that are appended together are one pack, a text with one event a line. A Redis command for each
event would cost a server more than the redirect that the event tells of.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from typing import Any, NamedTuple

from reference.platform.events import Envelope, partition_of

PACK = 200
"""Events in one pack at most."""


class Stem(NamedTuple):
    """What many events of one producer have in common. Their ids begin with `start`; `fields`: names of their data."""

    start: str
    type: str
    version: int
    fields: tuple[str, ...]


Row = tuple[str, str]
"""An event of which all else is in a Stem: its key; and, as JSON on one line, the list of its number, its key, its
time in microseconds, its trace ("" if that is its id) and the values of its data. Its id is the stem's start and the
number, as 16 hexadecimal digits. For who makes so many that a whole envelope each would be most of their work."""


def encoded(event: Envelope) -> Row:
    """Its key, and all of it as JSON."""
    return event.key, json.dumps(asdict(event), separators=(",", ":"))


def packs(rows: Iterable[Row], partitions: int) -> Iterator[tuple[int, list[str]]]:
    """The texts, packed by partition, in order."""
    texts: defaultdict[int, list[str]] = defaultdict(list)
    for key, text in rows:
        texts[partition_of(key, partitions)].append(text)
    for partition, all_of_it in texts.items():
        for start in range(0, len(all_of_it), PACK):
            yield partition, all_of_it[start : start + PACK]


def decoded(text: str, name: str, stem: Sequence[Any] = ()) -> Envelope:
    """The event that `text` is, an Envelope or a Row of `stem`. One that we cannot read, of a later version or not
    ours at all, must not stop those behind it: it becomes an event of the type "unreadable" with the id `name`."""
    try:
        found = json.loads(text)
        return _of_row(Stem(*stem), *found) if stem else Envelope(**found)
    except (TypeError, ValueError, OverflowError, RecursionError):
        return Envelope(name, "", "unreadable", 0, 0.0)


def _of_row(stem: Stem, number: int, key: str, time: int, trace: str, *data: Any) -> Envelope:
    id = f"{stem.start}{number:016x}"
    named = dict(zip(stem.fields, data, strict=True))
    return Envelope(id, key, stem.type, stem.version, time / 1e6, trace or id, named)


def texts_of(fields: dict[str, str]) -> list[str]:
    """The events of a pack. An entry with the field `event` is a single one, as earlier versions wrote it."""
    return fields["events"].split("\n") if "events" in fields else [fields.get("event", "")]


def stem_of(fields: dict[str, str]) -> Sequence[Any]:
    """What the events of a pack have in common: nothing, unless they are rows."""
    if not (text := fields.get("stem")):
        return ()
    try:
        return tuple(json.loads(text))
    except (TypeError, ValueError, RecursionError):
        return ("not a stem",)


def up_to(limit: int, packed: Iterable[tuple[str, dict[str, str]]]) -> Iterator[tuple[str, Envelope]]:
    """The events of the first packs, with their offsets. Packs come whole: together they have `limit` events at most,
    but there is one pack at least."""
    count = 0
    for offset, fields in packed:
        texts = texts_of(fields)
        if count and count + len(texts) > limit:
            return
        count += len(texts)
        stem = stem_of(fields)
        for number, text in enumerate(texts):
            yield offset, decoded(text, f"{offset}/{number}", stem)
