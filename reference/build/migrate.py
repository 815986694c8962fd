"""What has to be there before the first server starts: the tables of the store and of each shard, the topic of the log.

Servers make their tables by themselves, as soon as they can; this does it once, for all, and says when it is done.
"""

from __future__ import annotations

import asyncio

from reference.build.api import STORE_TABLES
from reference.build.links import routing_of
from reference.platform import event_log, sql
from reference.platform.clock import SystemClock
from reference.platform.errors import PortError
from reference.platform.logs import JsonLog
from reference.platform.metrics import Metrics
from reference.platform.process import ignore_events
from reference.platform.settings import Settings
from reference.shortener.click_repository import SqlClickRepository
from reference.shortener.sharded_links import ShardedLinks

PATIENCE = 30.0
"""Seconds for services that are still starting."""


async def migrate(settings: Settings) -> None:
    """Idempotent. Raises PortError if a service stays away."""
    record, clock = JsonLog(settings.role), SystemClock()
    store = sql.connect(settings.store_url, settings.store_timeout)
    shards = {name: sql.connect(url, settings.store_timeout) for name, url in settings.shard_urls.items()}
    log = event_log.connect(settings.log_url, settings.partitions, settings.log_timeout)
    links = ShardedLinks(shards, routing_of(settings, store, Metrics(), ignore_events, {}))
    steps = {
        "tables of the store": lambda: store.define(STORE_TABLES),
        "tables of the clicks": SqlClickRepository(store, clock).prepare,
        "tables of the links": links.prepare,
        "event log": log.create,
    }
    try:
        for name, step in steps.items():
            began = clock.now()
            while True:
                try:
                    await step()
                    break
                except PortError as error:
                    if clock.now() - began > PATIENCE:
                        raise
                    record.write("info", "waits", step=name, error=str(error))
                    await clock.sleep(0.5)
            record.write("info", "made", step=name)
    finally:
        await log.close()
        await asyncio.gather(store.close(), *(shard.close() for shard in shards.values()))
