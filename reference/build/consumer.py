"""What the consumer is made of: it reads the log and counts into the store."""

from __future__ import annotations

from collections.abc import Mapping

from reference.platform import event_log, sql
from reference.platform.clock import SystemClock
from reference.platform.fillings import Equipment
from reference.platform.holders import Holders
from reference.platform.http_server import HttpServer
from reference.platform.live import Live
from reference.platform.logs import JsonLog
from reference.platform.metrics import Metrics
from reference.platform.metrics_page import metrics_page
from reference.platform.process import ComponentFactory, EventSink, Runnable
from reference.platform.settings import Settings
from reference.platform.traced_sql import TracedDatabase
from reference.platform.tracing import Traces
from reference.shortener.aggregators import AggregatorSlot, SlottedAggregators
from reference.shortener.click_repository import SqlClickRepository
from reference.shortener.consumer import ClickConsumer
from reference.shortener.consumer_server import ConsumerServer
from reference.shortener.slots import CLICK_AGGREGATOR

BATCH_PATIENCE = 3.0


def consumer(settings: Settings, events: EventSink, replace: Mapping[str, ComponentFactory]) -> Runnable:
    clock, metrics, record, traces = SystemClock(), Metrics(), JsonLog(settings.role), Traces()
    # Nobody waits for the counts, and a batch is a large transaction: it may take longer than a request's.
    database = TracedDatabase(
        sql.connect(settings.store_url, BATCH_PATIENCE * settings.store_timeout), "store"
    )
    log = event_log.connect(settings.log_url, settings.partitions, settings.log_timeout)
    clicks = SqlClickRepository(database, clock)

    async def nothing_to_close() -> None: ...

    def equip() -> Equipment:
        return Equipment({"clock": clock}, nothing_to_close)

    def count_error(error: str) -> None:
        metrics.component_errors.labels(CLICK_AGGREGATOR.name, error).inc()

    aggregator = AggregatorSlot(CLICK_AGGREGATOR, equip, events, count_error)
    counting = SlottedAggregators(aggregator)
    return ConsumerServer(
        http=HttpServer(metrics_page(metrics), settings.host, settings.port),
        consumer=ClickConsumer(log, clicks, settings.role, clock, metrics, record, counting, traces),
        holders=Holders([aggregator], replace),
        log=log,
        database=database,
        live=Live(settings.live),
        traces=traces,
    )
