"""What stands before the app servers: the balancer, and the edge cache before that."""

from __future__ import annotations

from collections.abc import Mapping

from reference.platform.balancer import Balancer
from reference.platform.edge import Edge
from reference.platform.process import ComponentFactory, EventSink, Runnable
from reference.platform.settings import Settings


def balancer(settings: Settings, events: EventSink, replace: Mapping[str, ComponentFactory]) -> Runnable:
    return Balancer(settings.host, settings.port, settings.backends, settings.live)


def edge(settings: Settings, events: EventSink, replace: Mapping[str, ComponentFactory]) -> Runnable:
    return Edge(settings.host, settings.port, settings.upstream_url, settings.live)
