"""What the fast path of an app server is made of."""

from __future__ import annotations

import random
import secrets
from urllib.parse import urlsplit

from prometheus_client import Histogram

from reference.platform.clock import Clock
from reference.platform.hosts import Hosts
from reference.platform.live import Live
from reference.platform.logs import JsonLog
from reference.platform.metrics import Metrics
from reference.platform.redis_client import CommandSink, redis_client
from reference.platform.settings import Settings
from reference.platform.tracing import Traces
from reference.shortener.clicks import ClickBuffer
from reference.shortener.deletions import DeletionNews
from reference.shortener.fast_connections import FastConnections
from reference.shortener.fast_path import FastPath, Fillings
from reference.shortener.near_cache import NearCache, live_entries, steady
from reference.shortener.plain_gets import PlainGets

NEWS_TIMEOUT = 1.0
"""Seconds without any answer after which the connection for news counts as broken."""


class FastFront:
    """The fast path with all that runs for it. `cache`: for the publishing of deletions."""

    def __init__(
        self,
        settings: Settings,
        *,
        clicks: ClickBuffer,
        live: Live,
        clock: Clock,
        metrics: Metrics,
        seconds: Histogram,
        record: JsonLog,
        hosts: Hosts,
        fillings: Fillings,
        count: CommandSink,
        traces: Traces,
    ) -> None:
        self.cache = redis_client(settings.cache_url, settings.cache_timeout, count, service="cache")
        self.near = NearCache(lambda codes: live_entries(self.cache, codes, clock.now()))
        self._subscriber = redis_client(settings.cache_url, NEWS_TIMEOUT)
        self._news = DeletionNews(self._subscriber, self.near, steady)
        self.path = FastPath(
            near=self.near,
            clicks=clicks,
            live=live,
            clock=clock,
            random=random.Random(
                secrets.randbits(128)
            ),  # one draw a request: the system's costs a call of it
            metrics=metrics,
            seconds=seconds,
            record=record,
            role=settings.role,
            gets=PlainGets(hosts, proxies=2 if settings.edge else 1, near=traces.near),
            fillings=fillings,
            traces=traces,
        )
        self.connections = FastConnections(self.path)
        metrics.gauge("near_cache_entries", "Links in the memory of this server").set_function(
            lambda: len(self.near.entries)
        )

    async def start(self) -> None:
        await self.near.start()
        await self._news.start()
        await self.connections.start()

    async def stop(self) -> None:
        await self.connections.stop()
        await self._news.stop()
        await self.near.stop()
        await self._subscriber.aclose()
        await self.cache.aclose()


def hosts_of(settings: Settings) -> Hosts:
    """Those of the public URL and of this machine, and what the settings allow."""
    public = urlsplit(settings.public_url).hostname or ""
    return Hosts((f"[{public}]" if ":" in public else public, settings.host, *settings.allowed_hosts))
