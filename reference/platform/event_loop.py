"""Which event loop a process runs on, and how often it looks for garbage.

An app server answers one redirect in a few microseconds of Python of its own; asyncio's loop, itself in Python, adds
more than that for each read and write. uvloop is the same interface over libuv, in C. Only app servers get it: the
others wait for databases, and one loop less to know is worth more there.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable

try:
    import uvloop
except ImportError:  # there is none for Windows
    uvloop = None  # type: ignore[assignment]

LoopFactory = Callable[[], asyncio.AbstractEventLoop]


def loop_factory(kind: str) -> LoopFactory | None:
    """For `asyncio.Runner`, by the kind of process; None: asyncio's own loop."""
    return uvloop.new_event_loop if uvloop is not None and kind == "app" else None


YOUNG = 20_000
"""Objects more than before, after which the collector looks at the new ones; Python's own number is 700."""


def settle(kind: str) -> None:
    """Once a process of that kind has started. What an app server has then, it keeps: the collector need not look at
    it again. And each click that waits for its append is an object more, though none of them is ever garbage that
    only the collector could find: at Python's own number it would look at them fifty times a second."""
    if kind == "app":
        gc.collect()
        gc.freeze()
        gc.set_threshold(YOUNG, 20, 50)
