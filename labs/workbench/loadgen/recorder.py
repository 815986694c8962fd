"""Counts what came of the requests, over the whole run and for each tick."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any

from hdrh.histogram import HdrHistogram

HIGHEST = 60_000_000
"""Microseconds; a latency above counts as this."""


@dataclass(frozen=True, slots=True)
class Tick:
    """What happened in one short interval that ended `t` seconds after the start. Latencies in milliseconds.

    `p50` and `p99` are None where nothing was answered; `late`: how long after its time the generator itself sent, at
    worst, which is the machine's doing and not the server's.
    """

    t: float
    seconds: float
    sent: int
    answered: int
    failed: int
    in_flight: int
    p50: float | None
    p99: float | None
    late: float


@dataclass(slots=True)
class Recorder:
    """Percentiles are over what was answered, whatever the status, and what timed out (with the time waited)."""

    histogram: Any = field(default_factory=lambda: HdrHistogram(1, HIGHEST, 3))
    statuses: Counter[int] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    sent: int = 0
    late: float = 0.0
    _tick: list[float] = field(default_factory=list)
    _tick_sent: int = 0
    _tick_answered: int = 0
    _tick_failed: int = 0
    _tick_late: float = 0.0
    _tick_began: float = 0.0

    def send(self, late: float) -> None:
        """A request goes out `late` seconds after its time."""
        self.sent += 1
        self._tick_sent += 1
        self._tick_late = max(self._tick_late, late)
        self.late = max(self.late, late)

    def answer(self, status: int, seconds: float) -> None:
        self.statuses[status] += 1
        self._tick_answered += 1
        self._tick_failed += status >= 500
        self._time(seconds)

    def fail(self, kind: str, seconds: float | None = None) -> None:
        """No response. `kind`: refused, broken, timeout, not sent. `seconds`: what was waited, where that counts."""
        self.errors[kind] += 1
        self._tick_failed += 1
        if seconds is not None:
            self._time(seconds)

    def _time(self, seconds: float) -> None:
        self.histogram.record_value(min(HIGHEST, max(1, round(seconds * 1e6))))
        self._tick.append(seconds)

    def tick(self, t: float, in_flight: int) -> Tick:
        """What came since the last tick."""
        times = sorted(self._tick)

        def percentile(share: float) -> float | None:
            return round(1000 * times[min(len(times) - 1, int(share * len(times)))], 3) if times else None

        tick = Tick(
            t=round(t, 3),
            seconds=round(t - self._tick_began, 3),
            sent=self._tick_sent,
            answered=self._tick_answered,
            failed=self._tick_failed,
            in_flight=in_flight,
            p50=percentile(0.50),
            p99=percentile(0.99),
            late=round(1000 * self._tick_late, 3),
        )
        self._tick = []
        self._tick_sent = self._tick_answered = self._tick_failed = 0
        self._tick_late = 0.0
        self._tick_began = t
        return tick

    def summary(self) -> dict[str, Any]:
        """JSON-able; latencies in milliseconds."""
        total = self.histogram.get_total_count()
        percentiles = {
            name: self.histogram.get_value_at_percentile(share) / 1000 if total else None
            for name, share in (("p50", 50), ("p90", 90), ("p99", 99), ("p999", 99.9), ("max", 100))
        }
        return {
            "sent": self.sent,
            "statuses": dict(sorted(self.statuses.items())),
            "errors": dict(sorted(self.errors.items())),
            "late": round(1000 * self.late, 3),
            "histogram": self.histogram.encode().decode(),
            **percentiles,
        }


def tick_json(tick: Tick) -> dict[str, Any]:
    return asdict(tick)
