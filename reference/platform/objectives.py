"""Service-level objectives: what a service is to reach, as a number that can be missed.

"Redirects are fast" cannot fail. "99 % of redirects are answered within 100 ms" can, and what it allows to go wrong
(1 %) is a budget that faults, deployments and experiments may spend.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from reference.platform.histograms import Buckets

QUANTILES = (0.5, 0.95, 0.99)


class Readings(Protocol):
    """The metrics of a service at one moment, or what was added to them between two."""

    def value(self, name: str, **labels: str) -> float:
        """The sum over all samples of that name that carry these labels; 0.0 if there is none."""
        ...

    def by(self, label: str, name: str, **labels: str) -> Mapping[str, float]:
        """The same, for each value of `label`."""
        ...

    def buckets(self, name: str, **labels: str) -> Buckets:
        """Of the histogram `name`, all samples together that carry these labels."""
        ...


@dataclass(frozen=True, slots=True)
class Measured:
    """`good` of `total` events were as they should be. `seconds`: how long they took, where that is what counts."""

    good: float
    total: float
    seconds: Buckets | None = None


@dataclass(frozen=True, slots=True)
class Objective:
    """`target`: the share of the events, 0 to 1, that must be good. `says`: the same in words."""

    name: str
    says: str
    target: float
    measure: Callable[[Readings], Measured]

    def against(self, readings: Readings) -> Attainment:
        return Attainment(self, self.measure(readings))


@dataclass(frozen=True, slots=True)
class Attainment:
    """How an objective stands."""

    objective: Objective
    measured: Measured

    @property
    def share(self) -> float | None:
        """Of the events that were good; None if there were none."""
        return self.measured.good / self.measured.total if self.measured.total else None

    @property
    def met(self) -> bool | None:
        """None: nothing has happened that could be judged."""
        return None if self.share is None else self.share >= self.objective.target

    @property
    def budget_left(self) -> float | None:
        """Of what may go wrong, the share that is not yet spent: 1.0 all of it, below 0 more than there was."""
        if self.share is None or self.objective.target >= 1:
            return None
        return 1 - (1 - self.share) / (1 - self.objective.target)

    def quantiles(self) -> dict[str, float]:
        """Seconds: `{"p50": 0.0021, ...}`; empty where it is not time that counts, or nothing happened."""
        buckets = self.measured.seconds
        found = {f"p{q * 100:g}": buckets.quantile(q) for q in QUANTILES} if buckets else {}
        return {name: quantile.value for name, quantile in found.items() if quantile is not None}

    def json(self) -> dict[str, Any]:
        return {
            "name": self.objective.name,
            "says": self.objective.says,
            "target": self.objective.target,
            "good": self.measured.good,
            "total": self.measured.total,
            "share": self.share,
            "met": self.met,
            "budget_left": self.budget_left,
            **self.quantiles(),
        }


def attainments(objectives: Iterable[Objective], readings: Readings) -> list[Attainment]:
    return [objective.against(readings) for objective in objectives]


def within(limit: float, buckets: Buckets) -> Measured:
    """Of a latency: good is what took `limit` seconds at most, which should be a bound of the histogram."""
    return Measured(buckets.within(limit), buckets.total, buckets)
