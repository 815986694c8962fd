"""An event loop in lockstep: it has no clock and no sockets, and asks the judge what happens next.

Whenever nothing is left to run, `idle(next_timer)` is called. It tells the judge, blocks until the judge has chosen one
thing that happens now (an answer arrives, a caller comes, time passes) and returns. So every interleaving is chosen.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

TURNS = 5_000
"""Turns of the loop without an idle moment: more means that something awaits `sleep(0)` for ever."""


class BusyForEver(BaseException):
    """The loop turned `TURNS` times and never came to rest."""


class _NoSelector:
    """Stands where a loop keeps its selector: "waiting for I/O" means asking the judge."""

    def __init__(self, loop: LockstepLoop) -> None:
        self._loop = loop

    def select(self, timeout: float | None) -> list[Any]:
        if timeout is not None and timeout <= 0:
            self._loop.turns += 1
            if self._loop.turns > TURNS:
                raise BusyForEver
        else:
            self._loop.turns = 0
            self._loop.ask()
        return []


class LockstepLoop(asyncio.BaseEventLoop):
    def __init__(self, idle: Callable[[float | None], None]) -> None:
        super().__init__()
        self.now = 0.0
        """Virtual seconds since the run began."""
        self.turns = 0
        self._idle = idle
        self._selector = _NoSelector(self)
        self.set_exception_handler(lambda loop, context: None)

    def time(self) -> float:
        return self.now

    def ask(self) -> None:
        timers: list[asyncio.TimerHandle] = self._scheduled  # type: ignore[attr-defined]
        self._idle(timers[0].when() if timers else None)

    def _process_events(self, events: list[Any]) -> None:
        """There are none: no sockets."""

    def _write_to_self(self) -> None:
        """Nobody needs waking: there are no other threads."""

    def run_in_executor(self, executor: Any, func: Any, *args: Any) -> Any:  # type: ignore[override]
        raise RuntimeError("threads are not available under the judge; a component is asyncio only")
