"""Watches the memory of a server since its last swap, and names the line that leaks.

Tracing allocations makes Python several times slower, so it begins only when there is something to explain: after
64 MB of growth tracing starts, after 64 MB more the line that holds the most of what came since is named.
"""

from __future__ import annotations

import time
import tracemalloc
from collections import Counter
from collections.abc import Callable

import psutil

from reference.platform.blame import Place, place_of

MB = 1 << 20
GROWTH = 64 * MB
FRAMES = 3  # the price of tracing is paid for each frame, and rises with the length of its function
PATIENCE = 120.0  # seconds of tracing without the second growth: it was no leak


class MemoryWatch:
    def __init__(
        self, resident: Callable[[], int] | None = None, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._resident = resident or (lambda: int(psutil.Process().memory_info().rss))
        self._now = now
        self._base: int | None = None
        self._tracing_from: tuple[int, float] | None = None

    def reset(self) -> None:
        """A swap: what is resident now is the new floor."""
        self._base = None
        self._stop_tracing()

    def resident(self) -> int:
        """Bytes of this process that are in memory."""
        return self._resident()

    @property
    def tracing(self) -> bool:
        """Everything is several times slower now."""
        return self._tracing_from is not None

    def grown(self) -> bool:
        """Call it often. True once the growth is past both thresholds: then ask `largest_holder` and `reset`."""
        resident = self._resident()
        if self._base is None or resident < self._base:
            self._base = resident
        if self._tracing_from is None:
            if resident - self._base > GROWTH:
                self._tracing_from = (resident, self._now())
                tracemalloc.start(FRAMES)
            return False
        start, since = self._tracing_from
        if resident - start > GROWTH:
            return True
        if self._now() - since > PATIENCE:
            self._stop_tracing()
            self._base = resident
        return False

    def largest_holder(self) -> tuple[Place, int] | None:
        """The component's line under which most bytes are still held since tracing began, and how many."""
        if not tracemalloc.is_tracing():
            return None
        traces = tracemalloc.take_snapshot().traces._traces  # type: ignore[attr-defined]
        tracemalloc.stop()  # or what follows is traced too
        held: Counter[Place] = Counter()
        # The raw traces: (domain, size, ((file, line), ...) innermost first, ...). The public wrapper makes several
        # objects a trace, which takes seconds for a leak of small objects.
        sizes: Counter[int] = Counter()
        stacks: dict[int, tuple[tuple[str, int], ...]] = {}
        for _, size, stack, *_ in traces:
            sizes[id(stack)] += size  # equal stacks are one object
            stacks[id(stack)] = stack
        for key, stack in stacks.items():
            place = next((p for file, line in stack if (p := place_of(file, line))), None)
            if place:
                held[place] += sizes[key]
        return held.most_common(1)[0] if held else None

    def _stop_tracing(self) -> None:
        self._tracing_from = None
        if tracemalloc.is_tracing():
            tracemalloc.stop()
