"""The log lines of fast redirects: a sample, made by hand, many at once.

A line by itself costs three redirects; the same text, written for many at once, a tenth of one.
"""

from __future__ import annotations

import json

from reference.platform.logs import JsonLog
from reference.platform.trace_context import trace_id_of

LINES = 100
"""That are written at once; or as many as a second brings."""


class SampledLog:
    def __init__(self, record: JsonLog, role: str, route: str) -> None:
        self._record = record
        self._role = json.dumps(role)
        self._route = route
        self._sampled: list[tuple[str, int, float, float]] = []

    def add(self, request_id: str, status: int, seconds: float, now: float) -> None:
        """A request that the log is to tell of: its id, its status, the seconds it took, and when it was."""
        self._sampled.append((request_id, status, seconds, now))
        if len(self._sampled) >= LINES:
            self.write()

    def write(self) -> None:
        sampled, self._sampled = self._sampled, []
        if sampled:
            self._record.write_lines(
                f'{{"time": {now:.3f}, "level": "info", "role": {self._role}, "event": "request", '
                f'"request_id": "{request_id}", {_trace(request_id)}"method": "GET", "route": "{self._route}", '
                f'"status": {status}, "milliseconds": {1000 * seconds:.2f}}}\n'
                for request_id, status, seconds, now in sampled
            )


def _trace(request_id: str) -> str:
    return f'"trace_id": "{trace}", ' if (trace := trace_id_of(request_id)) else ""
