"""What an app server is made of."""

from __future__ import annotations

import random
import secrets
from collections.abc import Mapping

from reference.build.codes import code_holders
from reference.platform import sql
from reference.platform.clock import SystemClock
from reference.platform.event_log import RedisStreamsLog
from reference.platform.holders import Holders
from reference.platform.http_server import HttpServer
from reference.platform.live import Live
from reference.platform.logs import JsonLog
from reference.platform.metrics import Metrics
from reference.platform.process import ComponentFactory, EventSink, Runnable
from reference.platform.redis_client import redis_client
from reference.platform.request_context import RequestContext
from reference.platform.settings import Settings
from reference.platform.slots import Equipment, SlotHolder
from reference.shortener.api import create_app
from reference.shortener.app import AppServer, Services
from reference.shortener.clicks import ClickBuffer
from reference.shortener.repository import SqlLinkRepository
from reference.shortener.service import Shortener, SlottedRedirects
from reference.shortener.slots import REDIRECT_CACHE
from reference.shortener.store import CountedLinks


def app_server(settings: Settings, events: EventSink, replace: Mapping[str, ComponentFactory]) -> Runnable:
    clock, metrics, record = SystemClock(), Metrics(), JsonLog(settings.role)
    live = Live(settings.live)
    store = sql.connect(settings.store_url, settings.store_timeout)
    shards = {name: sql.connect(url, settings.store_timeout) for name, url in settings.shard_urls.items()}
    links = CountedLinks(SqlLinkRepository(shards["shard-1"]), metrics)
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

    redirects = SlotHolder(REDIRECT_CACHE, equip, events, count_error)
    holders = Holders([*code_holders(settings, store, clock, metrics, events), redirects], replace)
    service = Shortener(
        links=links,
        redirects=SlottedRedirects(redirects),
        clicks=clicks,
        clock=clock,
        random=random.SystemRandom(),
        metrics=metrics,
        code_length=settings.code_length,
    )
    services = Services(
        links=links,
        store=store,
        shards=shards,
        cache=redis_client(settings.cache_url, settings.cache_timeout),
        pool=redis_client(settings.pool_url, settings.cache_timeout),
        log=log,
    )
    api = create_app(service, public_url=settings.public_url, metrics=metrics, readiness=services.states)
    handled = RequestContext(api, settings.role, metrics, record, lambda: live.now.request_log_sample)
    return AppServer(
        http=HttpServer(handled, settings.host, settings.port),
        holders=holders,
        services=services,
        clicks=clicks,
        clock=clock,
        record=record,
        live=live,
    )
