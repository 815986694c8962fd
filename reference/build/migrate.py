"""What has to be there before the first server starts: the schema of the store and of each shard, the topic of the log.

Where this has been, servers leave the schema alone (`Postgres.define`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

from reference.build.links import routing_of
from reference.platform import event_log, migrations, sql
from reference.platform.clock import SystemClock
from reference.platform.errors import PortError
from reference.platform.logs import JsonLog
from reference.platform.metrics import Metrics
from reference.platform.process import ignore_events
from reference.platform.settings import Settings
from reference.shortener.migrations import SHARD, STORE
from reference.shortener.sharded_links import ShardedLinks

PATIENCE = 30.0
"""Seconds for services that are still starting."""


async def migrate(settings: Settings) -> int:
    """The status with which the process is to end: 0, or 1 with a record that says why. Idempotent."""
    record, clock = JsonLog(settings.role), SystemClock()
    store = sql.connect(settings.store_url, settings.store_timeout)
    shards = {name: sql.connect(url, settings.store_timeout) for name, url in settings.shard_urls.items()}
    log = event_log.connect(settings.log_url, settings.partitions, settings.log_timeout)
    links = ShardedLinks(shards, routing_of(settings, store, Metrics(), ignore_events, {}))
    steps: dict[str, Callable[[], Awaitable[str | None]]] = {
        "schema of the store": partial(migrations.upgrade, settings.store_url, STORE),
        **{
            f"schema of {name}": partial(migrations.upgrade, url, SHARD)
            for name, url in settings.shard_urls.items()
        },
        "first routing": links.prepare,
        "event log": log.create,
    }
    try:
        for name, step in steps.items():
            began = clock.now()
            while True:
                try:
                    version = await step()
                    break
                except (migrations.Ahead, migrations.Unfit) as error:
                    record.write("error", "refused", step=name, error=str(error))
                    return 1
                except PortError as error:
                    if clock.now() - began > PATIENCE:
                        record.write("error", "gave up", step=name, error=str(error))
                        return 1
                    record.write("info", "waits", step=name, error=str(error))
                    await clock.sleep(0.5)
            record.write("info", "made", step=name, **({"version": version} if version else {}))
    finally:
        await log.close()
        await asyncio.gather(store.close(), *(shard.close() for shard in shards.values()))
    return 0
