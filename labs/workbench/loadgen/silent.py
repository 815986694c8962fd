"""The view that shows nothing: for tests, and for whoever wants the result alone."""

from __future__ import annotations

from collections.abc import Callable

from workbench.loadgen.recorder import Tick
from workbench.loadgen.result import LoadResult
from workbench.loadgen.watch import Reading


class SilentView:
    def begin(self, stop: Callable[[], None]) -> None: ...
    def tick(self, tick: Tick) -> None: ...
    def reading(self, before: Reading | None, reading: Reading) -> None: ...
    def mark(self, t: float, text: str) -> None: ...
    def end(self, result: LoadResult | None) -> None: ...
