"""The metrics of a role, as its `/metrics` gave them at one moment."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from prometheus_client.parser import text_string_to_metric_families


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
        wanted = labels.items()
        return sum(s.value for s in self.samples if s.name == name and wanted <= s.labels.items())

    def names(self) -> list[str]:
        return sorted({sample.name for sample in self.samples})

    def __repr__(self) -> str:
        return f"<Metrics: {len(self.samples)} samples of {len(self.names())} metrics>"
