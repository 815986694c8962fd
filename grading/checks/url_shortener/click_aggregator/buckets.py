"""Where a click counts, worked out anew: the judge's own oracle. And how reports call it."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from typing import Any

from grading.judge.world import EPOCH

Click = dict[str, Any]
"""As a plan has it, in JSON: a time that is not finite is text, such as "nan"."""
Bucket = tuple[str, str, int, str, str]
"""Code, width, start, dimension, value."""

SECONDS = {"minute": 60, "hour": 3_600, "day": 86_400}
AHEAD_MAX = 86_400.0
WIDTHS = ("total", *SECONDS)


def believable(time: float, now: float) -> bool:
    """Whether a click can be of this time, for a clock that shows `now`."""
    return math.isfinite(time) and 0.0 <= time <= now + AHEAD_MAX


def buckets_of(click: Click, now: float) -> list[Bucket]:
    code, time = click["code"], float(click["time"])
    windows = [("total", 0)]
    if believable(time, now):
        windows += [(width, math.floor(time / each) * each) for width, each in SECONDS.items()]
    found: list[Bucket] = []
    for width, start in windows:
        found.append((code, width, start, "", ""))
        if width in ("total", "day"):
            found.append((code, width, start, "referrer", click["referrer"]))
            found.append((code, width, start, "agent", click["agent"]))
    return found


def expected_counts(clicks: Iterable[tuple[Click, float]]) -> Counter[Bucket]:
    """Of clicks, each with the time at which it was told: every id counts once."""
    once = {click["event_id"]: (click, now) for click, now in clicks}
    return Counter(bucket for click, now in once.values() for bucket in buckets_of(click, now))


def together(bucket: Bucket) -> Bucket:
    """Stands for all buckets of this code and width."""
    return (bucket[0], bucket[1], 0, "", "")


def expected_sums(clicks: Iterable[tuple[Click, float]]) -> Counter[Bucket]:
    """How many clicks of a code there must be in all windows of a width, whatever the window."""
    once = {click["event_id"]: (click, now) for click, now in clicks}
    total = Counter(click["code"] for click, _ in once.values())
    dated = Counter(c["code"] for c, now in once.values() if believable(float(c["time"]), now))
    sums: Counter[Bucket] = Counter({(code, "total", 0, "", ""): by for code, by in total.items()})
    sums.update({(code, width, 0, "", ""): by for code, by in dated.items() for width in SECONDS})
    return sums


def in_order(buckets: Iterable[Bucket]) -> list[Bucket]:
    """The simplest first."""
    return sorted(buckets, key=lambda b: (WIDTHS.index(b[1]) if b[1] in WIDTHS else 9, b[3] != "", b))


def name(bucket: Bucket) -> str:
    code, width, start, dimension, value = bucket
    fields = [repr(code), repr(width), str(start)] + ([repr(dimension), repr(value)] if dimension else [])
    return f"Bucket({', '.join(fields)})"


def describe(click: Click | None) -> str:
    """An event, for the log's side of the story."""
    if click is None:
        return "an event that cannot be read (None)"
    time = float(click["time"])
    ahead = (
        f" ({time - EPOCH:.0f} s ahead; AHEAD_MAX is {AHEAD_MAX:.0f} s)"
        if EPOCH + 60 < time < math.inf
        else ""
    )
    return (
        f"click {click['event_id']} on {click['code']}, time {click['time']}{ahead}, "
        f"referrer {click['referrer']!r}, agent {click['agent']!r}"
    )


def few(names: Iterable[str], most: int = 6) -> str:
    """Names in a row, and how many more there are."""
    every = list(names)
    more = f", … {len(every) - most} more" if len(every) > most else ""
    return ", ".join(every[:most]) + more
