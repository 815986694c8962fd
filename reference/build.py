"""The one composition root: which processes a case has, what each is made of, and who talks to whom.

topology = build("url-shortener", Settings())
print(topology.mermaid())
server = topology.runnable("app-1")      # or: runnable("app", Settings(role="app-1", cache_url=...))
await server.start()
"""

from __future__ import annotations

import random
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field

from reference.platform import sql
from reference.platform.balancer import Balancer
from reference.platform.clock import SystemClock
from reference.platform.embedded import EmbeddedServices
from reference.platform.event_log import RedisStreamsLog
from reference.platform.http_server import HttpServer
from reference.platform.logs import JsonLog
from reference.platform.metrics import Metrics
from reference.platform.process import EventSink, Runnable, ignore_events
from reference.platform.redis_client import redis_client
from reference.platform.request_context import RequestContext
from reference.platform.settings import Settings
from reference.platform.slots import ComponentFactory, Equipment, SlotHolder
from reference.platform.topology import Edge, Role, draw
from reference.shortener.api import create_app
from reference.shortener.app import AppServer, Live, Services
from reference.shortener.click_repository import SqlClickRepository
from reference.shortener.clicks import ClickBuffer
from reference.shortener.consumer import ClickConsumer
from reference.shortener.consumer_server import ConsumerServer
from reference.shortener.consumer_server import create_app as consumer_app
from reference.shortener.repository import SqlLinkRepository
from reference.shortener.service import REDIRECT_CACHE, Shortener, SlottedRedirects
from reference.shortener.store import CountedLinks

SLOTS: tuple[str, ...] = (REDIRECT_CACHE.name,)
"""Every place where a learner's component can go."""


@dataclass(frozen=True, slots=True)
class Topology:
    """A case as it will run: its roles, the edges between them, and how to make what runs in a role."""

    case: str
    settings: Settings
    roles: tuple[Role, ...]
    edges: tuple[Edge, ...]
    replace: Mapping[str, ComponentFactory] = field(default_factory=dict)

    def role(self, name: str) -> Role:
        """The role of that name; KeyError if there is none."""
        for role in self.roles:
            if role.name == name:
                return role
        raise KeyError(f"no role {name!r}; there are: {', '.join(role.name for role in self.roles)}")

    def mermaid(self, states: Mapping[str, str] | None = None) -> str:
        """The picture, as Mermaid text. `states`: role or edge name to a state ("up", "down", "paused",
        "slow", "cut", ...); whatever is not "up" is drawn so that it shows without colour too."""
        return draw(self.roles, self.edges, states or {})

    def runnable(
        self, name: str, settings: Settings | None = None, events: EventSink = ignore_events
    ) -> Runnable:
        """What runs in the role `name`, with the topology's settings unless others are given.

        ValueError: a service, which has no process of its own in every profile; see `runnable("services", ...)`."""
        role = self.role(name)
        if role.is_service:
            raise ValueError(f"{name} is a service: make them all with kind 'services'")
        told = (settings or self.settings).model_copy(update={"role": name})
        return runnable(role.kind, told, events, self.replace)


def build(case: str, settings: Settings, replace: Mapping[str, ComponentFactory] | None = None) -> Topology:
    """The topology of `case`. `replace`: slot to the factory of the component that takes its place.

    ValueError: no such case, or no such slot."""
    unknown = set(replace or {}) - set(SLOTS)
    if unknown:
        raise ValueError(f"no slot {', '.join(sorted(unknown))}; there are: {', '.join(SLOTS)}")
    if case != "url-shortener":
        raise ValueError(f"no case {case!r}; there is: url-shortener")
    apps = [f"app-{n}" for n in range(1, settings.servers + 1)]
    roles = [
        Role("balancer", "balancer"),
        *(Role(name, "app", SLOTS) for name in apps),
        Role("consumer", "consumer"),
        Role("cache", "cache"),
        Role("log", "log"),
        Role("store", "store"),
    ]
    edges = [
        *(Edge("balancer", app, "HTTP") for app in apps),
        *(Edge(app, "cache", "redirects") for app in apps),
        *(Edge(app, "store", "links") for app in apps),
        *(Edge(app, "log", "clicks") for app in apps),
        Edge("consumer", "log", "clicks"),
        Edge("consumer", "store", "counts"),
    ]
    return Topology(case, settings, tuple(roles), tuple(edges), dict(replace or {}))


def runnable(
    kind: str,
    settings: Settings,
    events: EventSink = ignore_events,
    replace: Mapping[str, ComponentFactory] | None = None,
) -> Runnable:
    """What runs in a process of that kind: app, consumer, balancer or services. Connects to nothing until `start`."""
    match kind:
        case "app":
            return app_server(settings, events, replace or {})
        case "consumer":
            return consumer(settings)
        case "balancer":
            return Balancer(settings.host, settings.port, settings.backends)
        case "services":
            return EmbeddedServices(settings)
    raise ValueError(f"no kind of process {kind!r}; there are: app, consumer, balancer, services")


def app_server(settings: Settings, events: EventSink, replace: Mapping[str, ComponentFactory]) -> AppServer:
    clock, metrics, record = SystemClock(), Metrics(), JsonLog(settings.role)
    live = Live(settings.live)
    database = sql.connect(settings.store_url, settings.store_timeout)
    links = CountedLinks(SqlLinkRepository(database), metrics)
    log = RedisStreamsLog(settings.log_url, settings.partitions, settings.log_timeout)
    clicks = ClickBuffer(log, settings.click_buffer, clock, random.SystemRandom(), metrics)

    def count_command(command: str, outcome: str) -> None:
        metrics.cache_commands.labels(command, outcome).inc()

    def equip() -> Equipment:
        """A client of the cache for each component: one that closes its own must not close the next one's."""
        cache = redis_client(settings.cache_url, settings.cache_timeout, count_command)
        keywords = {
            "cache": cache,
            "links": links,
            "clock": clock,
            "random": random.Random(secrets.randbits(128)),
            "ttl": live.now.cache_ttl,
        }
        return Equipment(keywords, cache.aclose)

    def count_error(error: str) -> None:
        metrics.component_errors.labels(REDIRECT_CACHE.name, error).inc()

    holder = SlotHolder(REDIRECT_CACHE, equip, events, count_error)
    service = Shortener(
        links=links,
        redirects=SlottedRedirects(holder),
        clicks=clicks,
        clock=clock,
        random=random.SystemRandom(),
        metrics=metrics,
        code_length=settings.code_length,
    )
    services = Services(links, database, redis_client(settings.cache_url, settings.cache_timeout), log)
    api = create_app(service, public_url=settings.public_url, metrics=metrics, readiness=services.states)
    handled = RequestContext(api, settings.role, metrics, record, lambda: live.now.request_log_sample)
    return AppServer(
        http=HttpServer(handled, settings.host, settings.port),
        holder=holder,
        services=services,
        clicks=clicks,
        clock=clock,
        record=record,
        live=live,
        replace=replace.get(REDIRECT_CACHE.name),
    )


def consumer(settings: Settings) -> ConsumerServer:
    clock, metrics, record = SystemClock(), Metrics(), JsonLog(settings.role)
    database = sql.connect(settings.store_url, settings.store_timeout)
    log = RedisStreamsLog(settings.log_url, settings.partitions, settings.log_timeout)
    clicks = SqlClickRepository(database)
    return ConsumerServer(
        http=HttpServer(consumer_app(metrics), settings.host, settings.port),
        consumer=ClickConsumer(log, clicks, settings.role, clock, metrics, record),
        log=log,
        database=database,
    )
