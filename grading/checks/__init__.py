"""What is asked of each slot: its neutral schema, and per requirement the workloads, faults and checkers."""

from __future__ import annotations

import functools
import importlib

from grading.checks.seeds import PUBLIC_SEEDS
from grading.judge.requirement import Suite

SLOTS = {
    "url-shortener/base62": "grading.checks.url_shortener.base62",
    "url-shortener/click-aggregator": "grading.checks.url_shortener.click_aggregator",
    "url-shortener/hash-codes": "grading.checks.url_shortener.hash_codes",
    "url-shortener/hash-codes-tester": "grading.checks.url_shortener.hash_codes_tester",
    "url-shortener/key-pool": "grading.checks.url_shortener.key_pool",
    "url-shortener/redirect-cache": "grading.checks.url_shortener.redirect_cache",
    "url-shortener/redirect-cache-tester": "grading.checks.url_shortener.redirect_cache_tester",
    "url-shortener/shard-router": "grading.checks.url_shortener.shard_router",
    "url-shortener/snowflake-codes": "grading.checks.url_shortener.snowflake_codes",
}
"""slot -> the module that holds its suite; only that one is imported."""


@functools.cache
def suite(slot: str) -> Suite:
    """ValueError: no such slot."""
    if slot not in SLOTS:
        raise ValueError(f"there is no slot {slot!r}; there are: {', '.join(SLOTS)}")
    found: Suite = importlib.import_module(SLOTS[slot]).SUITE
    return found


__all__ = ["PUBLIC_SEEDS", "SLOTS", "suite"]
