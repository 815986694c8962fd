"""What finds the shard of a link, in app servers and in keepers: the routing, its routers, and the mover of links."""

from __future__ import annotations

from collections.abc import Mapping

from reference.platform.clock import Clock
from reference.platform.metrics import Metrics
from reference.platform.process import ComponentFactory, EventSink
from reference.platform.settings import Settings
from reference.platform.sql import Database
from reference.shortener.live_routing import LiveRouting
from reference.shortener.resharding import Reshard
from reference.shortener.routers import RouterFactory
from reference.shortener.routing import Placement, RoutingTable
from reference.shortener.slots import SHARD_ROUTER


def routing_of(
    settings: Settings,
    store: Database,
    metrics: Metrics,
    events: EventSink,
    replace: Mapping[str, ComponentFactory],
) -> LiveRouting:
    return LiveRouting(RoutingTable(store), first(settings), routers(metrics, events, replace))


def reshard_of(
    settings: Settings,
    store: Database,
    shards: Mapping[str, Database],
    clock: Clock,
    metrics: Metrics,
    events: EventSink,
    replace: Mapping[str, ComponentFactory],
) -> Reshard:
    made = routers(metrics, events, replace)
    moved = metrics.counter("links_moved", "Links moved to another shard")
    return Reshard(shards, RoutingTable(store), first(settings), made, clock, moved.inc)


def first(settings: Settings) -> Placement:
    """Where links are before anybody has moved them."""
    return Placement({"filling": "reference"}, tuple(settings.first_shards))


def routers(metrics: Metrics, events: EventSink, replace: Mapping[str, ComponentFactory]) -> RouterFactory:
    def count(error: str) -> None:
        metrics.component_errors.labels(SHARD_ROUTER.name, error).inc()

    return RouterFactory(events, count, replace.get(SHARD_ROUTER.name))
