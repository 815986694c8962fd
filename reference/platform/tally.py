"""Observations kept in plain integers, for a path on which a metric's own methods would cost a tenth of the request.

They are added to the real metrics when somebody looks: see `Metrics.before_text`.
"""

from __future__ import annotations

from bisect import bisect_left

from prometheus_client import Counter, Histogram

from reference.platform.metrics import SECONDS


class Tally:
    """Of requests of one kind. `counter`, `histograms`: what they are to be added to, labels and all."""

    __slots__ = ("_counter", "_histograms", "counts", "seconds")

    def __init__(self, counter: Counter, *histograms: Histogram) -> None:
        self._counter = counter
        self._histograms = histograms
        self._reset()

    def _reset(self) -> None:
        self.counts = [0] * (len(SECONDS) + 1)
        self.seconds = 0.0

    def observe(self, seconds: float) -> None:
        self.counts[bisect_left(SECONDS, seconds)] += 1
        self.seconds += seconds

    def fold(self) -> None:
        """Adds what there is to the metrics, and begins anew."""
        counts, seconds = self.counts, self.seconds
        self._reset()
        self._counter.inc(sum(counts))
        for histogram in self._histograms:
            # The library has no method for many observations at once; these are what its `observe` adds to.
            histogram._sum.inc(seconds)
            for bucket, count in zip(histogram._buckets, counts, strict=True):
                bucket.inc(count)
