"""The private pipe to the judge: one JSON object a line, in strict turns."""

from __future__ import annotations

import io
import json
import os
import sys
from typing import Any, BinaryIO

LINE_LIMIT = 4_000_000
"""Bytes of one line, either way."""

PRINT_LIMIT = 20_000
"""Characters."""


class Printed(io.TextIOBase):
    """What a component prints, up to `PRINT_LIMIT` characters; the rest is dropped, and costs the component nothing."""

    def __init__(self, raw: BinaryIO) -> None:
        self._raw = raw
        self._left = PRINT_LIMIT

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return 2

    def write(self, text: str) -> int:
        if self._left > 0:
            kept = text[: self._left]
            self._left -= len(kept)
            self._raw.write(kept.encode("utf-8", "backslashreplace"))
        return len(text)


class Channel:
    """Takes over the standard streams: afterwards fd 0 is empty and fd 1 is the error stream.

    What a component prints therefore goes where the judge shows it and never parses it.
    """

    def __init__(self) -> None:
        self._in: BinaryIO = os.fdopen(os.dup(0), "rb")
        self._out: BinaryIO = os.fdopen(os.dup(1), "wb", buffering=0)
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.close(nothing)
        os.dup2(2, 1)
        printed = Printed(os.fdopen(2, "wb", buffering=0, closefd=False))
        sys.stdout = sys.stderr = printed
        # Bound now: a component that replaces json.dumps harms itself alone.
        self._dumps = json.JSONEncoder(allow_nan=False, separators=(",", ":")).encode
        self._loads = json.JSONDecoder().decode

    def send(self, message: dict[str, Any]) -> None:
        line = self._dumps(message).encode() + b"\n"
        if len(line) > LINE_LIMIT:
            line = b'{"overflow":%d}\n' % len(line)
        view = memoryview(line)
        while view:
            view = view[self._out.write(view) :]

    def receive(self) -> dict[str, Any]:
        """The judge's next line. EOFError once the judge is gone."""
        line = self._in.readline()
        if not line:
            raise EOFError("the judge is gone")
        message: dict[str, Any] = self._loads(line.decode())
        return message
