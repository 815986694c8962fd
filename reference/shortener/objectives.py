"""What the shortener is to reach: the articles' words, each made into a number that can be missed.

All are measured at the servers. What clients see is slower by the network and the balancer, and a request that no
server took shows in the health of the balancer only (`refused`): a load generator measures that.

    redirects fast      "under 100 ms" names no percentile; here 99 % of those that were answered at all
    hits fast           "under 10 ms": 99 % of the redirects for which the store was not asked
    reads available     "very high" is no number: 99.9 % of the reads end without a server error
    links made          99 % of the attempts to make a link end without a server error
    clicks counted      99 % of the clicks that the log has accepted are counted by now
"""

from __future__ import annotations

from reference.platform.histograms import Buckets
from reference.platform.objectives import Measured, Objective, Readings, within

REDIRECT = "/{code}"
SHORTEN = "/api/v1/shorten"
HITS = ("fast", "hit")
"""Values of `how` in `redirect_seconds` that mean: the store was not asked."""


def redirects_fast(readings: Readings) -> Measured:
    return within(0.1, readings.buckets("http_request_seconds", route=REDIRECT))


def hits_fast(readings: Readings) -> Measured:
    found = (readings.buckets("redirect_seconds", how=how) for how in HITS)
    return within(
        0.01, Buckets.of(pair for each in found for pair in zip(each.bounds, each.counts, strict=True))
    )


def reads_available(readings: Readings) -> Measured:
    return without_server_error(readings, REDIRECT)


def links_made(readings: Readings) -> Measured:
    return without_server_error(readings, SHORTEN)


def clicks_counted(readings: Readings) -> Measured:
    counted = readings.value("clicks_counted_total")
    return Measured(counted, counted + readings.value("consumer_lag_events"))


def without_server_error(readings: Readings, route: str) -> Measured:
    """An answer such as 404 or 410 is a good one: the service did what it should. 503, refused for load, is not."""
    statuses = readings.by("status", "http_requests_total", route=route)
    failed = sum(count for status, count in statuses.items() if status.startswith("5"))
    total = sum(statuses.values())
    return Measured(total - failed, total)


OBJECTIVES = (
    Objective("redirects fast", "99 % of redirects within 100 ms", 0.99, redirects_fast),
    Objective("hits fast", "99 % of cache hits within 10 ms", 0.99, hits_fast),
    Objective("reads available", "99.9 % of reads without a server error", 0.999, reads_available),
    Objective("links made", "99 % of shortenings without a server error", 0.99, links_made),
    Objective("clicks counted", "99 % of accepted clicks are counted", 0.99, clicks_counted),
)


def hit_ratio(readings: Readings) -> float | None:
    """Of the redirects, the share for which the store was not asked. None: there was no redirect."""
    by_how = readings.by("how", "redirect_seconds_count")
    total = sum(by_how.values())
    return sum(by_how.get(how, 0.0) for how in HITS) / total if total else None
