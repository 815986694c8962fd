"""An audit log whose entries hold each other in place: each has the hash of the one before."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

START = "0" * 64


@dataclass(slots=True)
class Entry:
    record: dict[str, Any]
    hash: str


class AuditChain:
    """`head`: the hash of the last entry. Whoever notes it elsewhere can tell later whether anything before it was
    changed, left out or put in between; without that, the whole chain could have been made anew."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []

    @property
    def head(self) -> str:
        return self.entries[-1].hash if self.entries else START

    def append(self, **record: Any) -> None:
        self.entries.append(Entry(record, chained(self.head, record)))

    def first_broken(self) -> int | None:
        """The number, from 0 on, of the first entry that does not follow from those before; None: all do."""
        before = START
        for number, entry in enumerate(self.entries):
            if entry.hash != chained(before, entry.record):
                return number
            before = entry.hash
        return None

    def made_anew(self) -> AuditChain:
        """The same records with hashes that fit: what somebody who may write to the log can do."""
        other = AuditChain()
        for entry in self.entries:
            other.append(**entry.record)
        return other


def chained(before: str, record: dict[str, Any]) -> str:
    text = json.dumps(record, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(f"{before}\n{text}".encode()).hexdigest()
