"""Structured logs: one JSON object a line, on stderr unless told otherwise."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, TextIO


@dataclass(frozen=True, slots=True)
class JsonLog:
    """Writes what happened in one process. Not for secrets, nor for what identifies a client."""

    role: str
    stream: TextIO | None = None

    def write(self, level: str, event: str, **fields: Any) -> None:
        """`level`: debug, info, warning or error. Fields that JSON does not know are written as text."""
        record = {"time": round(time.time(), 3), "level": level, "role": self.role, "event": event, **fields}
        stream = self.stream if self.stream is not None else sys.stderr
        print(json.dumps(record, default=str), file=stream, flush=True)

    def write_lines(self, lines: Iterable[str]) -> None:
        """Writes records that their maker has encoded as `write` would, each with its line's end: with one call."""
        stream = self.stream if self.stream is not None else sys.stderr
        stream.write("".join(lines))
        stream.flush()
