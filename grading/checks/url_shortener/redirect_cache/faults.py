"""What goes wrong with the cache and the store, by name. Composed freely with any workload."""

from __future__ import annotations

from grading.judge.plan import Fault

CACHE_MODES = ("refuse", "error", "silent", "no-answer", "slow", "late")
"""All the ways in which a cache fails; `slow` still answers in time."""


def cache_fails(mode: str, start: float, end: float, *, skip: int = 0, delay: float = 0.2) -> Fault:
    """On all servers. `skip`: so many commands of each server go well first: it fails midway."""
    return Fault("cache", mode, start, end, delay=delay, skip=skip)


def fill_comes_late(server: int, start: float, end: float, delay: float) -> Fault:
    """What `server` sends to the cache after a look-up arrives `delay` seconds later, its client having given up."""
    return Fault("cache", "late", start, end, delay=delay, servers=(server,), after_find=True)


def store_fails(mode: str, start: float, end: float) -> Fault:
    return Fault("store", mode, start, end)


def store_is_slow(start: float, end: float, delay: float, server: int | None = None) -> Fault:
    """The row is read at once; the answer takes `delay` seconds to come back."""
    return Fault("store", "slow", start, end, delay=delay, servers=() if server is None else (server,))
