"""The recordings of a slot, as they lie in its file; and how they are chosen and renamed by a seed."""

from __future__ import annotations

import functools
import gzip
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

FILE = "recordings.json.gz"


@dataclass(frozen=True, slots=True)
class Entry:
    """A recording, and what is known of it. `text`: the recording itself, as JSON."""

    bug: str
    """The requirement that a tester passes who finds it; empty: of a right component."""
    component: str
    scenario: str
    variant: int
    """The seed of the component's workload."""
    shown: bool
    """Whether learners' own checks use it; the others are kept back for marks."""
    story: str
    expected: str
    got: str
    """What was promised and what came, in the words of the checker that rejected the component."""
    words: list[str]
    """Of the recording: those that are renamed."""
    text: str

    @property
    def key(self) -> str:
        return f"{self.component} / {self.scenario} / {self.variant}"

    def recording(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.text)
        return found


@dataclass(frozen=True, slots=True)
class Bank:
    """`rename`: from a word and a seed to the new word."""

    path: Path
    rename: Callable[[str, int], str]

    def entries(self) -> tuple[Entry, ...]:
        return _read(self.path)

    def entry(self, key: str) -> Entry:
        return _by_key(self.path)[key]

    def renamed(self, entry: Entry, seed: int) -> Entry:
        """With other names: who knows a recording by its names does not know it again. The same seed, the same names,
        in all recordings: what was one code in two of them still is."""
        text, expected, got = entry.text, entry.expected, entry.got
        for word in sorted(entry.words, key=len, reverse=True):
            new = self.rename(word, seed)
            text, expected, got = (each.replace(word, new) for each in (text, expected, got))
        return replace(entry, text=text, expected=expected, got=got)


@functools.cache
def _read(path: Path) -> tuple[Entry, ...]:
    return loads(gzip.decompress(path.read_bytes()).decode("utf-8"))


@functools.cache
def _by_key(path: Path) -> dict[str, Entry]:
    return {entry.key: entry for entry in _read(path)}


def loads(text: str) -> tuple[Entry, ...]:
    return tuple(Entry(**each) for each in json.loads(text))


def dumps(entries: Sequence[Entry]) -> str:
    return json.dumps([asdict(entry) for entry in entries], ensure_ascii=False, separators=(",", ":"))


def save(path: Path, entries: Sequence[Entry]) -> None:
    path.write_bytes(gzip.compress(dumps(entries).encode("utf-8"), mtime=0))
