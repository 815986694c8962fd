"""What an app server is made of."""

from __future__ import annotations

import random
import secrets
from collections.abc import Mapping

from reference.build.api import STORE_TABLES, api, shortener
from reference.build.codes import code_holders, codes
from reference.build.fast_path import FastFront, hosts_of
from reference.build.links import routing_of
from reference.platform import event_log, sql
from reference.platform.admission import Admission
from reference.platform.clock import SkewedClock
from reference.platform.fillings import Equipment
from reference.platform.holders import Holders
from reference.platform.http_server import HttpServer
from reference.platform.live import Live
from reference.platform.logs import JsonLog
from reference.platform.metrics import Metrics
from reference.platform.process import ComponentFactory, EventSink, Runnable
from reference.platform.redis_client import redis_client
from reference.platform.request_context import RequestContext
from reference.platform.settings import Settings
from reference.platform.slots import SlotHolder
from reference.platform.traced_sql import TracedDatabase
from reference.platform.tracing import Near, Traces
from reference.shortener.app import AppServer
from reference.shortener.app_services import Services
from reference.shortener.clicks import ClickBuffer
from reference.shortener.deletions import AnnouncedRedirects
from reference.shortener.redirect_times import TimedRedirects
from reference.shortener.redirects import SlottedRedirects
from reference.shortener.sharded_links import ShardedLinks
from reference.shortener.slots import REDIRECT_CACHE, SHARD_ROUTER
from reference.shortener.store import CountedLinks


def app_server(settings: Settings, events: EventSink, replace: Mapping[str, ComponentFactory]) -> Runnable:
    clock, metrics, record = SkewedClock(), Metrics(), JsonLog(settings.role)
    live, traces = Live(settings.live), Traces(Near(settings.traced_from))
    store = TracedDatabase(sql.connect(settings.store_url, settings.store_timeout), "store")
    shards = {
        name: TracedDatabase(sql.connect(url, settings.store_timeout), name)
        for name, url in settings.shard_urls.items()
    }
    routing = routing_of(settings, store, metrics, events, replace)
    sharded = ShardedLinks(shards, routing)
    links = CountedLinks(sharded, metrics)
    log = event_log.connect(settings.log_url, settings.partitions, settings.log_timeout)
    clicks = ClickBuffer(log, settings.click_buffer, clock, random.SystemRandom(), metrics)

    def count_command(command: str, outcome: str) -> None:
        if command != "PING":  # housekeeping: a server that nobody asks sends four a second
            metrics.cache_commands.labels(command, outcome).inc()

    def equip() -> Equipment:
        """A client of the cache for each component: one that closes its own must not close the next one's."""
        cache = redis_client(settings.cache_url, settings.cache_timeout, count_command, service="cache")
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

    redirects = SlotHolder(REDIRECT_CACHE, equip, events, count_error)
    timed = TimedRedirects(SlottedRedirects(redirects), metrics)
    hosts = hosts_of(settings)
    front = FastFront(
        settings,
        clicks=clicks,
        live=live,
        clock=clock,
        metrics=metrics,
        seconds=timed.seconds.labels("fast"),
        record=record,
        hosts=hosts,
        fillings=lambda: {REDIRECT_CACHE.name: redirects.filling, SHARD_ROUTER.name: routing.label},
        count=count_command,
        traces=traces,
    )
    redirects.on_change = front.path.look
    code_slots = code_holders(settings, store, clock, metrics, events)
    holders = Holders([*code_slots, redirects], replace)
    service = shortener(
        settings,
        links=links,
        codes=codes(settings, code_slots, random.SystemRandom(), lambda: live.now.code_strategy),
        redirects=AnnouncedRedirects(timed, front.cache, front.near),
        clicks=clicks,
        store=store,
        clock=clock,
        metrics=metrics,
    )
    services = Services(
        links=sharded,
        store=store,
        shards=shards,
        cache=redis_client(settings.cache_url, settings.cache_timeout, service="cache"),
        pool=redis_client(settings.pool_url, settings.cache_timeout, service="pool"),
        log=log,
        tables=STORE_TABLES,
    )
    app = api(
        settings,
        service,
        store=store,
        cache=services.cache,
        clock=clock,
        metrics=metrics,
        readiness=services.states,
        live=lambda: live.now,
    )
    admitted = Admission(app, lambda: live.now, metrics)
    handled = RequestContext(
        admitted, settings.role, metrics, record, lambda: live.now.request_log_sample, hosts, traces
    )
    return AppServer(
        http=HttpServer(
            handled,
            settings.host,
            settings.port,
            linger=settings.linger,
            protocol=front.connections,
        ),
        front=front,
        holders=holders,
        services=services,
        routing=routing,
        clicks=clicks,
        clock=clock,
        record=record,
        live=live,
        traces=traces,
    )
