"""What a load found: percentiles, counts, and the curve over time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from html import escape
from itertools import pairwise
from typing import Any

from workbench.loadgen.plan import LoadPlan
from workbench.loadgen.recorder import Tick
from workbench.loadgen.watch import Reading, ServerWork
from workbench.stack import Incident


class StoppedEarly(Exception):
    """A load was stopped that had to run to its end."""


LATE_WARNING = 50.0
"""Milliseconds: a generator that lags more than this on its own says so."""


@dataclass(frozen=True, slots=True)
class LoadResult:
    """Latencies in milliseconds, from the intended time. `seconds`: how long it lasted (shorter if stopped)."""

    plan: LoadPlan = field(repr=False)
    seconds: float
    sent: int
    statuses: dict[int, int]
    errors: dict[str, int]
    p50: float | None
    p90: float | None
    p99: float | None
    p999: float | None
    max: float | None
    late: float
    """The generator's own lag at worst, in milliseconds."""
    stopped: bool
    series: tuple[Tick, ...] = field(repr=False)
    readings: tuple[Reading, ...] = field(default=(), repr=False)
    histogram: str = field(default="", repr=False)
    """HdrHistogram in its standard encoding, in microseconds."""
    events: dict[str, float] = field(default_factory=dict, repr=False)
    """What was done during the run, by its text: seconds after the start at which it was done."""
    servers: dict[str, ServerWork] = field(default_factory=dict, repr=False)
    incidents: tuple[Incident, ...] = ()
    """What went wrong in the stack since the load began."""

    @property
    def answered(self) -> int:
        return sum(self.statuses.values())

    @property
    def failed(self) -> int:
        """5xx, and no response at all."""
        return sum(n for status, n in self.statuses.items() if status >= 500) + sum(self.errors.values())

    @property
    def rate(self) -> float:
        """Answered a second."""
        return self.answered / self.seconds if self.seconds else 0.0

    @property
    def store_reads(self) -> int | None:
        """Rows that the servers asked the store for meanwhile; None if nobody watched."""
        return round(self.readings[-1].store_reads - self.readings[0].store_reads) if self.readings else None

    @property
    def hit_rate(self) -> float | None:
        """The share of answered requests that cost the store nothing; None if nobody watched."""
        reads = self.store_reads
        return None if reads is None or not self.answered else 1 - reads / self.answered

    def store_rate(self, after: float = 0.0, until: float | None = None) -> float:
        """Store reads a second between two moments of the run (seconds after its start). ValueError if unwatched.

        Between two readings of the counters the work is taken to be even.
        """
        if len(self.readings) < 2:
            raise ValueError("nobody read the servers' counters: load a stack, not a URL")
        first, last = self.readings[0].t, self.readings[-1].t
        after = min(max(after, first), last)
        until = last if until is None else min(max(until, first), last)
        if until <= after:
            raise ValueError(f"the run was watched from {first:.1f} to {last:.1f} s")
        return (self._store_reads_at(until) - self._store_reads_at(after)) / (until - after)

    def _store_reads_at(self, t: float) -> float:
        for before, later in pairwise(self.readings):
            if before.t <= t <= later.t:
                share = (t - before.t) / (later.t - before.t) if later.t > before.t else 1.0
                return before.store_reads + share * (later.store_reads - before.store_reads)
        return self.readings[-1].store_reads

    def rows(self) -> Iterator[tuple[str, str]]:
        """(what, how much), for people."""

        def ms(value: float | None) -> str:
            return "–" if value is None else f"{value:,.1f} ms"

        yield (
            "asked for",
            f"{self.plan.rate:g} requests/s for {self.plan.seconds:g} s, skew {self.plan.skew:g}",
        )
        yield "answered", f"{self.answered:,} of {self.sent:,} sent ({self.rate:,.0f}/s)"
        yield "latency", f"p50 {ms(self.p50)}, p90 {ms(self.p90)}, p99 {ms(self.p99)}, longest {ms(self.max)}"
        yield "statuses", ", ".join(f"{n:,} × {status}" for status, n in self.statuses.items()) or "none"
        if self.errors:
            yield "no response", ", ".join(f"{n:,} × {kind}" for kind, n in self.errors.items())
        if self.store_reads is not None and self.hit_rate is not None:
            yield "store reads", f"{self.store_reads:,} (hit rate {100 * max(0.0, self.hit_rate):.1f} %)"
        if self.stopped:
            yield "note", f"stopped after {self.seconds:.1f} s"
        for incident in self.incidents:
            yield "incident", str(incident)
        if self.late > LATE_WARNING:
            yield (
                "note",
                f"this machine was busy: requests left up to {self.late:,.0f} ms late, and latencies show it",
            )

    def text(self) -> str:
        return "\n".join(f"{what + ':':<13}{value}" for what, value in self.rows())

    __str__ = text

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        body = "".join(
            f'<tr><th scope="row" style="text-align:left">{escape(what)}</th>'
            f'<td style="text-align:left;white-space:pre-wrap">{escape(value)}</td></tr>'
            for what, value in self.rows()
        )
        return {"text/plain": self.text(), "text/html": f"<table><tbody>{body}</tbody></table>"}
