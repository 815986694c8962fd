"""Under which conditions a request travels: how long it takes, and which fault it meets."""

from __future__ import annotations

import zlib

from grading.judge.history import History
from grading.judge.plan import Fault, Plan

REDIS, PORT = (0.0002, 0.0010), (0.0010, 0.0040)
"""Seconds one way, least and most."""


class Conditions:
    """Of one run. Latencies are drawn from the seed for each request by its number."""

    def __init__(self, plan: Plan, history: History) -> None:
        self._plan = plan
        self._history = history
        self._requests: dict[tuple[str, int], int] = {}
        self._prefixes: dict[tuple[str, int], int] = {}
        self._in_window: dict[tuple[int, int], int] = {}

    def latency(self, target: str, server: int, bounds: tuple[float, float] = PORT) -> tuple[float, float]:
        """Seconds there and back. By number, so that leaving out one request shifts few others."""
        count = self._requests[target, server] = self._requests.get((target, server), 0) + 1
        least, most = bounds
        if self._plan.calm:
            return (least + most) / 2, (least + most) / 2
        prefix = self._prefixes.get((target, server))
        if prefix is None:
            prefix = zlib.crc32(f"{self._plan.seed} {target} {server} ".encode())
            self._prefixes[target, server] = prefix
        number = zlib.crc32(b"%d " % count, prefix)
        there, back = zlib.crc32(b"<", number), zlib.crc32(b">", number)
        width = most - least
        return round(least + width * there / 2**32, 6), round(least + width * back / 2**32, 6)

    def fault(self, target: str, server: int, now: float) -> Fault | None:
        """The fault that a request sent now meets. Each request is to be asked about once: some faults count."""
        for index, fault in enumerate(self._plan.faults):
            if fault.target != target or not fault.start <= now < fault.end:
                continue
            if (fault.servers and server not in fault.servers) or not self._after_find(fault, server):
                continue
            passed = self._in_window.get((index, server), 0)
            self._in_window[index, server] = passed + 1
            if passed >= fault.skip and not (fault.count and passed >= fault.skip + fault.count):
                return fault
        return None

    def _after_find(self, fault: Fault, server: int) -> bool:
        """Whether the server has had an answer of the store since the fault began, if the fault waits for that."""
        if not fault.after_find:
            return True
        answered = (a.answered for a in self._history.asks if a.server == server)
        return any(t is not None and t >= fault.start for t in answered)
