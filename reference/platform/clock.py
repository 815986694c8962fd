"""Time, as a thing that is passed in: under a test or a judge it is another one."""

from __future__ import annotations

import asyncio
import time
from typing import Protocol


class Clock(Protocol):
    def now(self) -> float:
        """POSIX seconds, UTC."""
        ...

    async def sleep(self, seconds: float) -> None: ...


class SystemClock:
    """The machine's clock and the event loop's timers."""

    now = staticmethod(time.time)  # itself, without a call of ours around it: redirects ask it each time

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class SkewedClock(SystemClock):
    """The machine's clock, until it is made wrong on purpose. Containers and processes share the clock of their host:
    a server whose clock is to be wrong has to be told."""

    def skew(self, seconds: float) -> None:
        """From now on it is ahead by so much; behind, if negative; right, if 0."""
        self.now = (lambda: time.time() + seconds) if seconds else time.time  # type: ignore[method-assign]
