"""Metrics of one process, in Prometheus' text format. A registry for each process: nothing is global."""

from __future__ import annotations

import re
from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

SECONDS = (0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
"""Bounds of the histograms. The limits of the objectives, 10 and 100 ms, are among them, so what is said of those is
exact; any other quantile is known within a factor of 2.5 (see `histograms`)."""

_CREATED = re.compile(rb"(?m)^(# (HELP|TYPE) )?[a-z_]+_created[ {].*\n")


class Metrics:
    """What every server of every case counts; a case adds its own through `counter`, `gauge`, `histogram`."""

    content_type = CONTENT_TYPE_LATEST

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.before_text: list[Callable[[], None]] = []
        """Called before the text is made: by whoever keeps counts of its own until then."""
        self.http_requests = self.counter("http_requests", "Requests answered", "route", "status")
        self.http_seconds = self.histogram("http_request_seconds", "Time to answer", "route")
        self.store_operations = self.counter("store_operations", "Calls of the store", "operation", "outcome")
        self.cache_commands = self.counter("cache_commands", "Commands but for pings", "command", "outcome")
        self.component_errors = self.counter("component_errors", "What components raised", "slot", "error")

    def counter(self, name: str, help: str, *labels: str) -> Counter:
        """Appears as `<name>_total`."""
        return Counter(name, help, labels, registry=self.registry)

    def gauge(self, name: str, help: str, *labels: str) -> Gauge:
        return Gauge(name, help, labels, registry=self.registry)

    def histogram(self, name: str, help: str, *labels: str) -> Histogram:
        """Of seconds."""
        return Histogram(name, help, labels, buckets=SECONDS, registry=self.registry)

    def text(self) -> bytes:
        """Without the times at which each counter was created, which the library adds and nobody reads."""
        for each in self.before_text:
            each()
        return _CREATED.sub(b"", generate_latest(self.registry))
