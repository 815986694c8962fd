"""The child's end of the pipe to the supervisor: JSON lines on what were fd 0 and fd 1.

The pipe is taken away from fd 0 and fd 1 before any other code runs, so that a stray `print` ends in the log and a
stray `input()` finds the end of file: neither can corrupt the channel.
"""

from __future__ import annotations

import json
import os
import threading
from typing import Any, BinaryIO


class Channel:
    def __init__(self, reader: BinaryIO, out: int) -> None:
        self._reader = reader
        self._out = out
        self._lock = threading.RLock()  # re-entrant: an audit hook may report from within `send`

    @classmethod
    def take_over(cls) -> Channel:
        """Moves the pipe to private descriptors; fd 0 becomes the null device and fd 1 the same as fd 2."""
        reader = os.fdopen(os.dup(0), "rb")
        out = os.dup(1)
        null = os.open(os.devnull, os.O_RDONLY)
        os.dup2(null, 0)
        os.close(null)
        os.dup2(2, 1)
        return cls(reader, out)

    def send(self, message: dict[str, Any]) -> None:
        """Writes one line. A supervisor that has gone is not an error here: the end of fd 0 ends this process."""
        data = json.dumps(message, separators=(",", ":"), default=str).encode() + b"\n"
        with self._lock:
            try:
                while data:
                    data = data[os.write(self._out, data) :]
            except OSError:
                return

    def receive(self) -> dict[str, Any] | None:
        """The next line (blocks); None at the end of file."""
        line = self._reader.readline()
        if not line:
            return None
        message: dict[str, Any] = json.loads(line)
        return message
