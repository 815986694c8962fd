"""What a keeper is made of: the jobs that nobody waits for, and what they work with."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from functools import partial
from typing import Any

from reference.build.codes import LOW_WATER, POOL_TIMEOUT, code_holders
from reference.build.links import reshard_of
from reference.platform import sql
from reference.platform.clock import SystemClock
from reference.platform.holders import Holders
from reference.platform.http_server import HttpServer
from reference.platform.live import Live
from reference.platform.logs import JsonLog
from reference.platform.metrics import Metrics
from reference.platform.metrics_page import metrics_page
from reference.platform.process import ComponentFactory, EventSink, Runnable
from reference.platform.redis_client import redis_client
from reference.platform.settings import Settings
from reference.shortener.click_tables import forget
from reference.shortener.idempotency import Forgetting
from reference.shortener.keeper_server import Command, Job, KeeperServer
from reference.shortener.key_generator import KeyGenerator
from reference.shortener.purge import Purge
from reference.shortener.retention import Retention
from reference.shortener.slots import BASE62, KEY_POOL


def keeper(settings: Settings, events: EventSink, replace: Mapping[str, ComponentFactory]) -> Runnable:
    clock, metrics, record = SystemClock(), Metrics(), JsonLog(settings.role)
    store = sql.connect(settings.store_url, settings.store_timeout)
    shards = {name: sql.connect(url, settings.store_timeout) for name, url in settings.shard_urls.items()}
    holders = code_holders(settings, store, clock, metrics, events, only=(BASE62, KEY_POOL))
    pool = redis_client(settings.pool_url, POOL_TIMEOUT)
    [key_pool] = [holder for holder in holders if holder.slot == KEY_POOL]
    reshard = reshard_of(settings, store, shards, clock, metrics, events, replace)
    purged = metrics.counter("links_purged", "Links of which the purge has dropped what they tell")
    jobs: dict[str, Job] = {
        "key-generator": KeyGenerator(key_pool, pool, LOW_WATER, clock, metrics, record),
        "purge": Purge(shards, clock, count=purged.inc, forget=partial(forget, store)),
        "reshard": reshard,
        "retention": Retention(store, clock, metrics),
        "idempotency-keys": Forgetting(store, clock),
    }
    commands: dict[str, Command] = {"reshard": reshard.begin, "resharding": reshard.progress}

    async def close() -> None:
        await asyncio.gather(pool.aclose(), store.close(), *(shard.close() for shard in shards.values()))

    def health() -> dict[str, Any]:
        return {"moved": reshard.moved}

    return KeeperServer(
        http=HttpServer(metrics_page(metrics), settings.host, settings.port),
        holders=Holders(holders, replace),
        jobs=jobs,
        commands=commands,
        health=health,
        close=close,
        clock=clock,
        record=record,
        live=Live(settings.live),
    )
