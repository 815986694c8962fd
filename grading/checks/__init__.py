"""What is asked of each slot: its neutral schema, and per requirement the workloads, faults and checkers."""

from __future__ import annotations

import functools

from grading.checks.seeds import PUBLIC_SEEDS
from grading.judge.requirement import Suite

SLOTS = ("url-shortener/redirect-cache",)


@functools.cache
def suite(slot: str) -> Suite:
    """ValueError: no such slot."""
    if slot == "url-shortener/redirect-cache":
        from grading.checks.url_shortener import redirect_cache

        return redirect_cache.SUITE
    raise ValueError(f"there is no slot {slot!r}; there are: {', '.join(SLOTS)}")


__all__ = ["PUBLIC_SEEDS", "SLOTS", "suite"]
