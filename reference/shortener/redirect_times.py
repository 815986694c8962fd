"""How long it takes to find out what a code means, and whether that was a hit.

A hit is a redirect for which this request did not ask the store. The component in the slot is not believed: a learner's
own may say what it likes, so the calls of the store are watched. (A request that waited while another one asked the
store for the same code counts as a hit, and shows its wait in the time.)

Metric `redirect_seconds{how}`: `hit` and `miss` from here; `fast` from `fast_path`, for what it answered from memory.
"""

from __future__ import annotations

import time
from contextvars import ContextVar

from reference.platform.metrics import Metrics
from reference.platform.tracing import Recording, current
from reference.shortener.components import Answer
from reference.shortener.redirects import Redirects


class Trail:
    """What a request has done on its way."""

    __slots__ = ("asked_store",)

    def __init__(self) -> None:
        self.asked_store = False


_trail: ContextVar[Trail | None] = ContextVar("trail", default=None)


def note_store_asked() -> None:
    """Called wherever the store is asked what a code means. Costs nothing outside a request."""
    if (trail := _trail.get()) is not None:
        trail.asked_store = True


class TimedRedirects:
    """`Redirects` around another one. An error is not timed: it counts among the errors."""

    def __init__(self, redirects: Redirects, metrics: Metrics) -> None:
        self._redirects = redirects
        self.seconds = metrics.histogram("redirect_seconds", "Time to find out what a code means", "how")
        self._hit, self._miss = self.seconds.labels("hit"), self.seconds.labels("miss")

    async def resolve(self, code: str) -> Answer:
        if (recording := current()) is not None:
            return await self._recorded(code, recording)
        return (await self._timed(code))[0]

    async def _recorded(self, code: str, recording: Recording) -> Answer:
        with recording.span("resolve", code=code) as span:
            answer, asked_store = await self._timed(code)
            span |= {"how": "miss" if asked_store else "hit", "state": answer.state}
            return answer

    async def _timed(self, code: str) -> tuple[Answer, bool]:
        """What it means, and whether the store was asked."""
        trail = Trail()
        before = _trail.set(trail)
        began = time.perf_counter()
        try:
            answer = await self._redirects.resolve(code)
        finally:
            _trail.reset(before)
        (self._miss if trail.asked_store else self._hit).observe(time.perf_counter() - began)
        return answer, trail.asked_store

    async def invalidate(self, code: str) -> None:
        await self._redirects.invalidate(code)
