"""What a new link costs, by strategy: round trips, counted; and links a second, measured. Writes results/shorten.json.

`python tests/bench/bench_shorten.py [ROUNDS] [PROFILE ...]`

Counted: what `Codes.new_code` asks of the services, over embedded ones, with the strategies as a server has them.
Measured: POST /api/v1/shorten on a stack of one app server behind its balancer, CLIENTS connections, the strategies in
turn, so that a drift of the machine meets all of them. `snowflake` is measured in bursts: in the long run, its layout
of seven characters makes 128 codes a second and server, and no more.
"""

import asyncio
import json
import os
import platform
import random
import statistics
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

from workbench.stack import Stack

from reference.build.codes import code_holders, codes
from reference.platform import sql
from reference.platform.clock import SystemClock
from reference.platform.embedded import EmbeddedServices
from reference.platform.holders import Holders
from reference.platform.metrics import Metrics
from reference.platform.settings import Settings

RESULT = Path(__file__).parent / "results/shorten.json"
STRATEGIES = ("random", "hash", "snowflake", "pool")
SLOTS = ("base62", "hash-codes", "snowflake-codes", "key-pool")
LINKS = 1000
"""For which round trips are counted."""
BURST = 300
"""Links in one measurement."""
CLIENTS = 16


# --- counted


class CountingSql:
    """A store that counts what it is asked."""

    def __init__(self, database: sql.Database, counted: Counter[str]) -> None:
        self.database = database
        self.counted = counted

    async def define(self, tables: Any) -> None:
        self.counted["store"] += 1
        await self.database.define(tables)

    async def query(self, text: str, *values: Any) -> Any:
        self.counted["store"] += 1
        return await self.database.query(text, *values)

    async def transaction(self, statements: Any) -> Any:
        self.counted["store"] += 1
        return await self.database.transaction(statements)

    async def close(self) -> None:
        await self.database.close()


class CountingNamespace:
    """All codes, in memory: a claim is one statement to a shard, and so is a look."""

    def __init__(self, counted: Counter[str]) -> None:
        self.owned: set[str] = set()
        self.counted = counted

    async def claim(self, code: str) -> bool:
        self.counted["claims"] += 1
        mine = code not in self.owned
        self.owned.add(code)
        return mine

    async def taken(self, code: str) -> bool:
        self.counted["looks"] += 1
        return code in self.owned


async def count(filling: str, strategy: str, url: str) -> dict[str, float]:
    """Round trips for one of LINKS links in a row. `url`: with a place for a number, or without, for links that all
    have one URL."""
    services = EmbeddedServices(Settings())
    ports = await services.start()
    settings = Settings(pool_url=f"redis://127.0.0.1:{ports['pool']}/0")
    counted: Counter[str] = Counter()
    store: Any = CountingSql(sql.connect(f"sqlite+tcp://127.0.0.1:{ports['store']}", 5.0), counted)
    metrics = Metrics()
    slots = code_holders(settings, store, SystemClock(), metrics, lambda event: None)
    holders = Holders(slots)
    await holders.start()
    for slot in SLOTS if filling == "plain" else ():
        await holders.command("swap", {"slot": f"url-shortener/{slot}", "filling": filling})
    await holders.at("url-shortener/key-pool").call("generate")
    counted.clear()
    made = codes(settings, slots, random.SystemRandom(), lambda: strategy)
    namespace = CountingNamespace(counted)
    for number in range(LINKS):
        await made.new_code(url.format(number), namespace)
    spops = metrics.registry.get_sample_value("pool_commands_total", {"command": "SPOP", "outcome": "ok"})
    await holders.stop()
    await store.close()
    await services.stop()
    return {name: round(value / LINKS, 4) for name, value in {**counted, "pool": spops or 0}.items() if value}


async def counted() -> dict[str, dict[str, float]]:
    found = {"random": await count("reference", "random", "https://example.org/{}")}
    for strategy in STRATEGIES[1:]:
        for filling in ("reference", "plain"):
            if (strategy, filling) != ("snowflake", "plain"):  # it waits for each second: 128 links in it
                found[f"{strategy}, {filling}"] = await count(filling, strategy, "https://example.org/{}")
    for filling in ("reference", "plain"):
        found[f"hash, {filling}, one URL"] = await count(filling, "hash", "https://example.org/")
    return found


# --- measured


async def burst(host: str, port: int) -> float:
    """Links a second, for BURST of them over CLIENTS connections."""
    waiting = iter(range(BURST))

    async def client() -> None:
        reader, writer = await asyncio.open_connection(host, port)
        for number in waiting:
            body = json.dumps({"long_url": f"https://example.org/{number}/{random.random()}"}).encode()
            writer.write(
                b"POST /api/v1/shorten HTTP/1.1\r\nHost: %b:%d\r\nContent-Type: application/json\r\n"
                b"Content-Length: %d\r\n\r\n%b" % (host.encode(), port, len(body), body)
            )
            head = await reader.readuntil(b"\r\n\r\n")
            length = next(
                int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")
            )
            answer = await reader.readexactly(length)
            if not head.startswith(b"HTTP/1.1 201"):
                raise RuntimeError(f"no link: {head[:40]!r} {answer[:200]!r}")
        writer.close()
        await writer.wait_closed()

    began = time.perf_counter()
    await asyncio.gather(*(client() for _ in range(CLIENTS)))
    return BURST / (time.perf_counter() - began)


def measured(profile: str, rounds: int) -> dict[str, Any]:
    rates: dict[str, list[float]] = {strategy: [] for strategy in STRATEGIES}
    with Stack(profile=profile, servers=1) as stack:
        host, port = stack.url.removeprefix("http://").split(":")
        for number in range(rounds + 1):
            for strategy in STRATEGIES:
                stack.set("code_strategy", strategy)
                rate = asyncio.run(burst(host, int(port)))
                if number:  # the first warms up
                    rates[strategy].append(round(rate, 1))
    ratios = {
        strategy: [mine / other for mine, other in zip(rates[strategy], rates["random"], strict=True)]
        for strategy in STRATEGIES
    }
    return {
        "links_per_second": {strategy: statistics.median(values) for strategy, values in rates.items()},
        "of_random": {strategy: round(statistics.median(values), 3) for strategy, values in ratios.items()},
        "rounds": rates,
    }


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    profiles = sys.argv[2:] or ["embedded", "local"]
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
    result: dict[str, Any] = {
        "what": f"a new link by strategy; {CLIENTS} connections to the balancer, 1 app server, bursts of {BURST}",
        "command": "python tests/bench/bench_shorten.py " + " ".join(sys.argv[1:]),
        "machine": f"{os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}",
        "load_average_before": load,
        "round_trips_per_link": asyncio.run(counted()),
        "limits": {"snowflake": "128 links a second and server in the long run, 1,408 at once"},
        "profiles": {profile: measured(profile, rounds) for profile in profiles},
    }
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(result, indent=1) + "\n", "utf-8")
    print(
        json.dumps(
            {**result, "profiles": {p: result["profiles"][p]["links_per_second"] for p in profiles}}, indent=1
        )
    )


if __name__ == "__main__":
    main()
