"""The network between roles and services: which proxy listens where.

Toxiproxy has a proxy for each edge of the case's topology that ends at a service. It reads them from `edges.json`,
which `python -m compose.network` writes. The port of `app-2->store` is 10000 + 100 * 2 (the second role) + 4 (that of
the store).
Proxies such as `door->app-1` are for whoever steers the stack and looks into it; no fault is made there.
"""

from __future__ import annotations

from typing import Any

from reference.build import build
from reference.platform.settings import Settings

ROLES = ("app-1", "app-2", "app-3", "consumer", "keeper-1")
"""Those that call services, in the order of their numbers."""

NUMBERS = {
    "cache": 1,
    "log": 8,
    "pool": 3,
    "store": 4,
    "shard-1": 5,
    "shard-2": 6,
    "shard-3": 7,
    "shard-4": 9,
}
"""Of the services. `shard-4` is a spare one. (2 is the Redis `log`, for those who have chosen it in
place of Kafka: redis-log.yaml.)"""

REDIS_LOG = 2
REDIS, POSTGRES, HTTP = 6379, 5432, 8000
KAFKA = 9100
"""Of the broker's listener for the first role less one: a broker tells clients where to find it, so who comes through a
proxy of his own needs a listener of his own, which gives the proxy's address."""


def port(role: str, number: int) -> int:
    return 10_000 + 100 * (ROLES.index(role) + 1) + number


def upstream(role: str, service: str) -> str:
    """Where a service listens: `cache:6379`."""
    if service == "log":
        return f"kafka:{KAFKA + ROLES.index(role) + 1}"
    return f"{service}:{REDIS if service in ('cache', 'pool') else POSTGRES}"


def proxies() -> list[dict[str, Any]]:
    """As Toxiproxy's -config takes them."""
    found = []
    case = build("url-shortener", Settings(edge=True, spare_shards=1))
    for edge in case.edges:
        if edge.target in NUMBERS:
            found.append(
                _proxy(edge.name, port(edge.source, NUMBERS[edge.target]), upstream(edge.source, edge.target))
            )
        if edge.target == "log":
            found.append(_proxy(f"{edge.source}->redis-log", port(edge.source, REDIS_LOG), f"log:{REDIS}"))
    inside = [role.name for role in case.roles if role.name not in ("edge", "log")]
    for number, name in enumerate(inside, 1):
        found.append(_proxy(f"door->{name}", 11_000 + number, door(name)))
    return found


def door(role: str) -> str:
    """Where whoever steers the stack from outside is let in."""
    if role == "balancer":
        return "balancer:8080"
    return f"{role}:{HTTP}" if role in ROLES else upstream("", role)


def _proxy(name: str, listens: int, upstream: str) -> dict[str, Any]:
    return {"name": name, "listen": f"0.0.0.0:{listens}", "upstream": upstream, "enabled": True}
