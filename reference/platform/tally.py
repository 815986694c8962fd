"""Requests counted in plain integers, for a path on which a metric's own method would cost a tenth of the request.

They are added to the real metrics when somebody looks: see `Metrics.text`.
"""

from __future__ import annotations

from bisect import bisect_left

from reference.platform.metrics import SECONDS, Metrics


class Tally:
    """Of requests to one route with one status."""

    __slots__ = ("_metrics", "_route", "_status", "counts", "seconds")

    def __init__(self, metrics: Metrics, route: str, status: int) -> None:
        self._metrics = metrics
        self._route = route
        self._status = str(status)
        self._reset()
        metrics.before_text.append(self.fold)

    def _reset(self) -> None:
        self.counts = [0] * (len(SECONDS) + 1)
        self.seconds = 0.0

    def observe(self, seconds: float) -> None:
        self.counts[bisect_left(SECONDS, seconds)] += 1
        self.seconds += seconds

    def fold(self) -> None:
        """Adds what there is to the metrics, and begins anew."""
        counts, seconds = self.counts, self.seconds
        if not any(counts):
            return
        self._reset()
        self._metrics.http_requests.labels(self._route, self._status).inc(sum(counts))
        histogram = self._metrics.http_seconds.labels(self._route)
        # The library has no method for many observations at once; these two are what its `observe` adds to.
        histogram._sum.inc(seconds)
        for bucket, count in zip(histogram._buckets, counts, strict=True):
            bucket.inc(count)
