"""The metrics of a role, as its `/metrics` gave them at one moment."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from prometheus_client.parser import text_string_to_metric_families

from reference.platform.histograms import Buckets, Quantile


@dataclass(frozen=True, slots=True)
class Sample:
    name: str
    labels: dict[str, str]
    value: float


class Metrics:
    """`metrics.value("store_operations_total", operation="find")` adds up the samples that match."""

    def __init__(self, samples: Iterable[Sample]) -> None:
        self.samples = tuple(samples)

    @classmethod
    def parse(cls, *texts: str) -> Metrics:
        """From Prometheus' text format; of several texts, all samples."""
        return cls(
            Sample(sample.name, dict(sample.labels), float(sample.value))
            for text in texts
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        )

    def value(self, name: str, **labels: str) -> float:
        """The sum over all samples of that name that carry these labels. 0.0 if a counter has not counted yet."""
        return sum(sample.value for sample in self._matching(name, labels))

    def by(self, label: str, name: str, **labels: str) -> dict[str, float]:
        """`metrics.by("status", "http_requests_total")`: the sums for each value of a label."""
        found: dict[str, float] = {}
        for sample in self._matching(name, labels):
            value = sample.labels.get(label, "")
            found[value] = found.get(value, 0.0) + sample.value
        return found

    def buckets(self, name: str, **labels: str) -> Buckets:
        """Of the histogram `name`, over all samples that carry these labels."""
        samples = self._matching(f"{name}_bucket", labels)
        return Buckets.of((float(sample.labels["le"]), sample.value) for sample in samples)

    def quantile(self, name: str, q: float, **labels: str) -> Quantile | None:
        """`metrics.quantile("http_request_seconds", 0.99, route="/{code}")`: `.value`, and `.low` and `.high`, between
        which it lies for sure: a histogram knows no more. None: nothing was observed."""
        return self.buckets(name, **labels).quantile(q)

    def since(self, before: Metrics) -> Metrics:
        """What was added since `before`: counters and histograms as differences, gauges as they are now. A counter
        that is smaller now was started anew, with its process, and counts from zero."""
        old, new = before._sums(), self._sums()
        return Metrics(
            Sample(name, dict(labels), grown(value, old.get((name, labels), 0.0)) if adds_up(name) else value)
            for (name, labels), value in new.items()
        )

    def __add__(self, other: Metrics) -> Metrics:
        """Of several roles, together."""
        return Metrics((*self.samples, *other.samples))

    def _matching(self, name: str, labels: dict[str, str]) -> Iterable[Sample]:
        wanted = labels.items()
        return (s for s in self.samples if s.name == name and wanted <= s.labels.items())

    def _sums(self) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
        sums: dict[tuple[str, tuple[tuple[str, str], ...]], float] = {}
        for sample in self.samples:
            key = sample.name, tuple(sorted(sample.labels.items()))
            sums[key] = sums.get(key, 0.0) + sample.value
        return sums

    def names(self) -> list[str]:
        return sorted({sample.name for sample in self.samples})

    def __repr__(self) -> str:
        return f"<Metrics: {len(self.samples)} samples of {len(self.names())} metrics>"


def adds_up(name: str) -> bool:
    """Whether this is a sum since the process began, and not what is now."""
    return name.endswith(("_total", "_count", "_sum", "_bucket"))


def grown(now: float, before: float) -> float:
    return now - before if now >= before else now
