"""How long a learner waits for `await check(...)`: wall time with process starts. Writes results/check.json.

`python tests/bench/bench_check.py [ROUNDS]`
"""

import asyncio
import json
import os
import platform
import statistics
import sys
import time
from pathlib import Path

from workbench import check
from workbench.notebook.component import define

from grading import checks
from grading.matrix import filling

RESULT = Path(__file__).parent / "results/check.json"


async def measure(rounds: int) -> dict[str, list[float]]:
    """Seconds of each check, slots and fillings in turn, so that a drift of the machine meets all."""
    components = {
        f"{slot} {name}": define(slot, filling(slot, name))
        for slot in checks.SLOTS
        for name in ("reference", "plain")
    }
    seconds: dict[str, list[float]] = {name: [] for name in components}
    for number in range(rounds + 1):
        for name, component in components.items():
            began = time.perf_counter()
            await check(component)
            if number:  # the first warms the file cache
                seconds[name].append(round(time.perf_counter() - began, 3))
    return seconds


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 15
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
    seconds = asyncio.run(measure(rounds))
    result = {
        "what": "seconds of `await check(component)` on the public seeds, process starts included",
        "machine": f"{os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}",
        "load_average_before": load,
        "median": {name: statistics.median(values) for name, values in seconds.items()},
        "seconds": seconds,
    }
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(result, indent=1) + "\n", "utf-8")
    print(json.dumps(result["median"], indent=1))


if __name__ == "__main__":
    main()
