"""What each hop of a redirect costs, on real services in containers beside local ones. Writes results/hops.json.

`python tests/bench/bench_hops.py [ROUNDS]`, with wrk on PATH, a Docker engine and `make images`. Two stacks run, and
take turns within each round, so that a drift of the machine meets both; whichever is not asked idles. Links are hot:
what a redirect costs that a server's own memory answers. Two things are measured:

    rate and p99    by wrk, 32 kept connections: through the edge, at the balancer, at one server
    share           at a steady 300 redirects a second through the edge: processor time of each role a redirect, less
                    what it takes when nobody asks
"""

import asyncio
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from workbench import create_links, load
from workbench.stack import Stack

RESULT = Path(__file__).parent / "results/hops.json"
CONNECTIONS, SECONDS = 32, 4
STEADY, STEADY_SECONDS = 300, 6
HOPS = ("edge", "balancer", "app-1")
PROFILES = ("local", "compose")


def by_wrk(url: str) -> dict[str, float]:
    argv = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{SECONDS}s", "--latency", url]
    told = subprocess.run(argv, capture_output=True, text=True, check=True).stdout
    assert "Non-2xx" not in told, told
    lines = {line.split()[0]: line.split()[1] for line in told.splitlines() if len(line.split()) > 1}
    return {"redirects_per_second": float(lines["Requests/sec:"]), "p99_ms": milliseconds(lines["99%"])}


def milliseconds(text: str) -> float:
    unit = next(unit for unit in ("us", "ms", "s") if text.endswith(unit))
    return float(text.removesuffix(unit)) * {"us": 0.001, "ms": 1.0, "s": 1000.0}[unit]


async def spent(stack: Stack, codes: list[str]) -> dict[str, float]:
    """By role: microseconds of processor time a redirect."""
    before, began = stack.cpu(), time.monotonic()
    await asyncio.sleep(STEADY_SECONDS / 2)
    between, idled = stack.cpu(), time.monotonic() - began
    began = time.monotonic()
    result = await load(stack, codes, rate=STEADY, seconds=STEADY_SECONDS)
    after, worked = stack.cpu(), time.monotonic() - began
    assert result.failed == 0, result
    idle = {role: (between[role] - before[role]) / idled for role in between}
    return {
        role: 1e6 * max(0.0, after[role] - between[role] - idle[role] * worked) / result.answered
        for role in between
    }


def all_counted(stack: Stack) -> None:
    """Waits for the consumer, which has a hundred thousand clicks to count after each run at the full rate."""
    deadline = time.monotonic() + 120
    while stack.readings().value("consumer_lag_events") > 0:
        assert time.monotonic() < deadline, "the consumer does not come to an end"
        time.sleep(0.5)
    time.sleep(2)


async def measure(rounds: int) -> dict[str, Any]:
    found: dict[str, dict[str, list[dict[str, float]]]] = {
        p: {h: [] for h in (*HOPS, "spent")} for p in PROFILES
    }
    stacks = {profile: Stack(profile=profile, settings={"edge": True}).start() for profile in PROFILES}
    try:
        codes = {profile: await create_links(stack, 50) for profile, stack in stacks.items()}
        for _ in range(rounds):
            for profile, stack in stacks.items():
                await asyncio.to_thread(all_counted, stack)
                found[profile]["spent"].append(await spent(stack, codes[profile]))
                for hop in HOPS:
                    url = f"{stack.server_url(hop)}/{codes[profile][0]}"
                    found[profile][hop].append(await asyncio.to_thread(by_wrk, url))
    finally:
        for stack in stacks.values():
            stack.stop()
    return {
        profile: {
            name: {key: round(statistics.median(run[key] for run in runs), 1) for key in runs[0]}
            for name, runs in by_hop.items()
        }
        for profile, by_hop in found.items()
    }


def shares(spent: dict[str, float]) -> dict[str, float]:
    total = sum(spent.values())
    return {role: round(each / total, 3) for role, each in sorted(spent.items(), key=lambda item: -item[1])}


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    load_before = os.getloadavg()[0]
    medians = asyncio.run(measure(rounds))
    result = {
        "machine": f"{os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}",
        "load before": round(load_before, 1),
        "rounds": rounds,
        "medians": medians,
        "share of processor time": {profile: shares(medians[profile]["spent"]) for profile in PROFILES},
        "compose / local": {
            hop: round(
                medians["compose"][hop]["redirects_per_second"]
                / medians["local"][hop]["redirects_per_second"],
                3,
            )
            for hop in HOPS
        },
    }
    RESULT.write_text(json.dumps(result, indent=1) + "\n", "utf-8")
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
