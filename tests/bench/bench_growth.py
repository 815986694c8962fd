"""What a request costs as the system grows: links ×100, shards 1 to 8, servers 1 to 3. Writes results/growth.json.

`python tests/bench/bench_growth.py [ROUNDS]`

Cost is processor time of the server processes and of the services, in microseconds a request, and questions to the
shards, counted; neither depends on how fast the client is. Requests go to the servers, one after the other over one
connection each: a `miss` follows a link that no cache holds yet, `shorten` makes one. A slope is the growth of
the median cost for each doubling (links, shards, servers): near nothing is what the design claims.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import math
import os
import platform
import statistics
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
from workbench.stack import Stack

from reference.platform import sql
from reference.platform.sql import statement
from reference.shortener.shard_router import ShardRouter

RESULT = Path(__file__).parent / "results/growth.json"
REQUESTS = 600
"""Of each kind, at each point of each round."""
POINTS: dict[str, list[dict[str, int]]] = {
    "links": [{"links": n, "shards": 3, "servers": 1} for n in (2_000, 20_000, 200_000)],
    "shards": [{"links": 2_000, "shards": n, "servers": 1} for n in (1, 2, 4, 8)],
    "servers": [{"links": 2_000, "shards": 3, "servers": n} for n in (1, 2, 3)],
}


def sown_code(number: int) -> str:
    return f"b{number:06d}"


async def sow(urls: dict[str, str], links: int, shards: list[str]) -> None:
    """Links straight into the shards, where the router looks for them."""
    router = ShardRouter(shards=shards)
    codes: dict[str, list[str]] = {shard: [] for shard in shards}
    for number in range(links):
        codes[router.shard_of(sown_code(number))].append(sown_code(number))
    for shard, mine in codes.items():
        database = sql.connect(urls[shard], 60.0)
        now = time.time()
        for begin in range(0, len(mine), 20_000):
            await database.transaction(
                [
                    statement(
                        "INSERT INTO links (code, long_url, created_at, expires_at, token_hash, owner, moved) "
                        "SELECT value, 'https://example.org/' || value, CAST($1 AS DOUBLE PRECISION), "
                        "CAST($2 AS DOUBLE PRECISION), $3, '', 0 "
                        "FROM json_array_elements_text(CAST($4 AS JSON)) AS value",
                        now,
                        now + 1e8,
                        "0" * 64,
                        json.dumps(mine[begin : begin + 20_000]),
                    )
                ]
            )
        await database.query("SELECT 1 AS one")
        await database.close()


class Clients:
    """One connection to each server; requests in turn."""

    def __init__(self, stack: Stack) -> None:
        self.connections = [
            http.client.HTTPConnection(stack.server_url(name).removeprefix("http://"), timeout=30)
            for name in stack.servers
        ]
        self.turn = 0

    def ask(self, method: str, path: str, body: str | None = None) -> int:
        self.turn += 1
        connection = self.connections[self.turn % len(self.connections)]
        connection.request(method, path, body, {"Content-Type": "application/json"} if body else {})
        answer = connection.getresponse()
        answer.read()
        return answer.status

    def close(self) -> None:
        for connection in self.connections:
            connection.close()


def processor_seconds(stack: Stack) -> dict[str, float]:
    """Of the servers, and of everything that stands behind them, children (PostgreSQL's) included."""
    totals = {"servers": 0.0, "services": 0.0}
    for role in stack.status().roles.values():
        if role["kind"] in ("app", "service", "services", "network"):
            key = "servers" if role["kind"] == "app" else "services"
            process = psutil.Process(role["pid"])
            for each in [process, *process.children(recursive=True)]:
                used = each.cpu_times()
                totals[key] += used.user + used.system
    return totals


def questions(stack: Stack) -> float:
    return stack.metrics().value("store_operations_total")


def cost(stack: Stack, kind: str, clients: Clients, paths: Iterator[str]) -> dict[str, float]:
    """Of one request, averaged over REQUESTS of them."""
    processor, asked = processor_seconds(stack), questions(stack)
    for _ in range(REQUESTS):
        if kind == "shorten":
            assert clients.ask("POST", "/api/v1/shorten", '{"long_url": "https://example.org/growth"}') == 201
        else:
            assert clients.ask("GET", next(paths)) == 302
    after = processor_seconds(stack)
    return {
        "server microseconds": round(1e6 * (after["servers"] - processor["servers"]) / REQUESTS, 1),
        "service microseconds": round(1e6 * (after["services"] - processor["services"]) / REQUESTS, 1),
        "questions to shards": round((questions(stack) - asked) / REQUESTS, 3),
    }


def measure(point: dict[str, int], rounds: int) -> dict[str, Any]:
    shards = [f"shard-{number}" for number in range(1, point["shards"] + 1)]
    settings = {"shards": point["shards"]}
    with Stack(profile="local", servers=point["servers"], settings=settings) as stack:
        asyncio.run(sow(stack.service_urls(), point["links"], shards))
        clients = Clients(stack)
        paths = (f"/{sown_code(number)}" for number in range(point["links"]))
        found: dict[str, list[dict[str, float]]] = {"miss": [], "shorten": []}
        for _ in range(200):  # connections, prepared statements
            clients.ask("POST", "/api/v1/shorten", '{"long_url": "https://example.org/warm"}')
        for _ in range(rounds):
            stack.flush("cache")
            for kind, costs in found.items():
                costs.append(cost(stack, kind, clients, paths))
        clients.close()
    return {
        kind: {key: statistics.median(each[key] for each in costs) for key in costs[0]}
        for kind, costs in found.items()
    }


def slope(points: list[dict[str, int]], costs: list[float], of: str) -> float:
    """Growth of the cost for each doubling, as a share of the cost at the first point; by least squares."""
    xs = [math.log2(point[of]) for point in points]
    mean_x, mean_y = statistics.mean(xs), statistics.mean(costs)
    rise = sum((x - mean_x) * (y - mean_y) for x, y in zip(xs, costs, strict=True))
    return round(rise / sum((x - mean_x) ** 2 for x in xs) / costs[0], 3)


def main() -> None:
    rounds = min(
        int(sys.argv[1]) if len(sys.argv) > 1 else 3, 3
    )  # each follows links that no cache holds yet
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
    result: dict[str, Any] = {
        "what": "processor time and questions to the shards that one request costs, as the system grows",
        "command": f"python tests/bench/bench_growth.py {rounds}",
        "machine": f"{os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}",
        "load_average_before": load,
        "requests": f"{rounds} rounds of {REQUESTS} of each kind at each point; medians of the rounds",
    }
    for grows, points in POINTS.items():
        costs = [measure(point, rounds) for point in points]
        result[grows] = {
            "points": [point | cost for point, cost in zip(points, costs, strict=True)],
            "growth for each doubling, as a share": {
                kind: {
                    what: slope(points, [each[kind][what] for each in costs], grows)
                    for what in costs[0][kind]
                    if costs[0][kind][what]
                }
                for kind in costs[0]
            },
        }
        print(grows, json.dumps(result[grows]["growth for each doubling, as a share"]))
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(result, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
