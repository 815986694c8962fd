"""The slot `url-shortener/click-aggregator`: clicks become counts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from reference.shortener.components.links import Clock

Width = Literal["total", "minute", "hour", "day"]

MINUTE_HOUR_DAY: dict[Width, int] = {"minute": 60, "hour": 3600, "day": 86_400}
"""Seconds of each window; windows begin at multiples of their width since 1970, UTC."""

AHEAD_MAX = 86_400.0
"""Seconds that a click's `time` may be ahead of the clock of whoever counts it."""


@dataclass(frozen=True, slots=True)
class Click:
    """One click, as the event log tells of it. `event_id`: one click, however often it is told. `time`: POSIX seconds,
    of the redirect, not of its counting. `referrer`: a host, or "" for none. `agent`: a family, such as "Firefox".
    `address`: anonymised."""

    event_id: str
    code: str
    time: float
    referrer: str = ""
    agent: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True)
class Bucket:
    """What a count is of: the clicks on `code` in the window that begins at `start` (0 for "total").

    `dimension` "" counts all of them; "referrer" and "agent" those whose referrer or agent is `value`, which may be ""
    too. There are counts by dimension for the widths "total" and "day": a click is in eight buckets."""

    code: str
    width: Width
    start: int
    dimension: Literal["", "referrer", "agent"] = ""
    value: str = ""


@dataclass(frozen=True, slots=True)
class Counted:
    """The effect of a batch, or of a part of it: the clicks that are new, what each bucket grows by, and how far the
    log is done. `offset`: None leaves that as it is, since more of the batch is to come."""

    clicks: tuple[Click, ...]
    growth: Mapping[Bucket, int]
    offset: str | None


class ClickStore(Protocol):
    """Port: the counts of one partition of the log, which no one else adds to meanwhile.

    Promises: `commit` does all of `Counted` or nothing, and remembers the ids of its clicks.
    Errors: `Unavailable` (nothing happened), `Indefinite` (all or nothing happened); `LeaseLost`: the partition is
    somebody else's now, and nothing happened. After any error the caller drops the component, finds out how far
    the log is done, and begins anew from there with a new one.
    """

    async def known(self, event_ids: Iterable[str]) -> set[str]:
        """Those that were committed before (in the last day at least)."""
        ...

    async def commit(self, counted: Counted) -> None: ...


class ClickAggregator(Protocol):
    """Slot `url-shortener/click-aggregator`: one instance for each partition of the log.

    Clicks come at least once: again, late, out of order by time. Every click counts once, in the windows of its own
    `time`, however late it comes. A `time` that cannot be (no finite number, negative, or more than AHEAD_MAX ahead
    of the clock) tells nothing but that there was a click: it counts in the three buckets of width "total" only.
    """

    def __init__(self, *, store: ClickStore, clock: Clock) -> None: ...

    async def count(self, events: Sequence[Click | None], offset: str) -> int:
        """Counts a batch: the events between the last commit and `offset`. None stands for an event that could not be
        read (a poison event): it must not stop those behind it. Returns how many clicks were new.

        Raises what the store raises."""
        ...
