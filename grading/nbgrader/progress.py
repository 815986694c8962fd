"""How far a long step is, and how long it still takes, in lines for a terminal."""

from __future__ import annotations

import time
from collections.abc import Callable

EVERY = 2.0
"""Seconds between two lines at least."""


class Progress:
    """`total`: pieces of work. `tell`: gets a line; `now`: seconds. Not for several threads at once."""

    def __init__(
        self, total: int, tell: Callable[[str], None], now: Callable[[], float] = time.monotonic
    ) -> None:
        self.total = total
        self.done = 0
        self._tell = tell
        self._now = now
        self._began = self._told = now()

    def one(self) -> None:
        """One piece more is done."""
        self.done += 1
        now = self._now()
        if self.done == self.total or now - self._told >= EVERY:
            self._told = now
            self._tell(self.line(now))

    def line(self, now: float) -> str:
        said = f"judged {self.done} of {self.total}"
        if self.done == self.total:
            return f"{said}, in {span(now - self._began)}"
        return f"{said}, about {span((now - self._began) / self.done * (self.total - self.done))} left"


def span(seconds: float) -> str:
    """`40 s`, `3 min`, `2 h 10 min`."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"
