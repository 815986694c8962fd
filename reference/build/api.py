"""What the HTTP API of an app server is made of."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import FastAPI
from redis.asyncio import Redis

from reference.platform.callers import Callers
from reference.platform.clock import Clock
from reference.platform.identity import Authenticator
from reference.platform.metrics import Metrics
from reference.platform.rate_limit import RateLimit
from reference.platform.settings import LiveSettings, Settings
from reference.platform.sql import Database
from reference.shortener import (
    accounts,
    aliases,
    audit,
    blocklist,
    click_repository,
    click_tables,
    idempotency,
    personal_data,
)
from reference.shortener.api import Parts, Readiness, create_app
from reference.shortener.click_statistics import ClickStatistics
from reference.shortener.clicks import ClickBuffer
from reference.shortener.links import LinkRepository
from reference.shortener.orders import CodeSource, Orders
from reference.shortener.privacy import network
from reference.shortener.redirects import Redirects
from reference.shortener.service import Shortener

STORE_TABLES = (
    *accounts.TABLES,
    *aliases.TABLES,
    *audit.TABLES,
    *blocklist.TABLES,
    *click_tables.TABLES,
    *idempotency.TABLES,
    *personal_data.TABLES,
)
"""What the API needs of the store that all servers share."""


def shortener(
    settings: Settings,
    *,
    links: LinkRepository,
    codes: CodeSource,
    redirects: Redirects,
    clicks: ClickBuffer,
    store: Database,
    clock: Clock,
    metrics: Metrics,
) -> Shortener:
    """The use cases."""
    orders = Orders(
        links=links,
        codes=codes,
        spellings=aliases.SqlSpellings(store),
        intents=idempotency.SqlIntents(store),
        clock=clock,
        secret=settings.secret,
    )
    return Shortener(
        orders=orders,
        links=links,
        redirects=redirects,
        clicks=clicks,
        statistics=ClickStatistics(store, clock),
        audit=audit.SqlAuditLog(store),
        clock=clock,
        metrics=metrics,
    )


def api(
    settings: Settings,
    service: Shortener,
    *,
    store: Database,
    cache: Redis,
    clock: Clock,
    metrics: Metrics,
    readiness: Readiness,
    live: Callable[[], LiveSettings],
) -> FastAPI:
    """The application around them."""
    known = accounts.SqlAccounts(store)
    callers = Callers(
        Authenticator(known, settings.secret, clock),
        RateLimit("shorten", cache, clock),
        allowed=lambda: live().shorten_limit,
        anonymised=network,
        proxies=2 if settings.edge else 1,
    )
    hosts = blocklist.SqlBlockedHosts(store)
    data = personal_data.PersonalData(
        accounts=known,
        shortener=service,
        clicks=click_repository.SqlClickRepository(store),
        to_erase=personal_data.ToErase(store),
        audit=audit.SqlAuditLog(store),
        clock=clock,
    )
    return create_app(
        Parts(
            service=service,
            callers=callers,
            accounts=known,
            personal_data=data,
            blocked_hosts=hosts,
            blocklist=blocklist.Blocklist(hosts, clock),
            metrics=metrics,
            readiness=readiness,
            live=live,
            public_url=settings.public_url,
            secret=settings.secret,
            code_length=settings.code_length,
        )
    )
