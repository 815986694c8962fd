"""How long a learner waits for `Stack().start()` on `embedded`, and what of it is imports. Writes results/start.json.

`python tests/bench/bench_start.py [ROUNDS]`
"""

import json
import os
import platform
import statistics
import subprocess
import sys
import time
from pathlib import Path

from workbench import Stack

RESULT = Path(__file__).parent / "results/start.json"
KINDS = ("balancer", "services", "keeper", "consumer", "app")


def start_once() -> dict[str, float]:
    """Seconds until `start` has returned, until a killed server has come back, and until `stop` has returned."""
    stack = Stack()
    began = time.perf_counter()
    stack.start()
    started = time.perf_counter()
    try:
        stack.kill("app-1")
        killed = time.perf_counter()
        stack.revive("app-1")
        revived = time.perf_counter()
        megabytes = sum(role["megabytes"] for role in stack.status().roles.values())
        stopping = time.perf_counter()
    finally:
        stack.stop()
    return {
        "start": round(started - began, 3),
        "revive a server": round(revived - killed, 3),
        "stop": round(time.perf_counter() - stopping, 3),
        "resident MB, shared pages counted in each": megabytes,
    }


def import_cpu(kind: str) -> float:
    """Seconds of processor time with which a process of that kind, started alone, comes to its configuration."""
    program = (
        f"import time; from reference.build import factory; factory({kind!r}); print(time.process_time())"
    )
    return float(subprocess.run([sys.executable, "-c", program], capture_output=True, check=True).stdout)


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
    start_once()  # warms the file cache
    found = [start_once() for _ in range(rounds)]
    result = {
        "what": "seconds of a stack on `embedded` with its default roles: start, revival of one server, stop",
        "command": "python tests/bench/bench_start.py",
        "machine": f"{os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}",
        "load_average_before": load,
        "median": {name: statistics.median(each[name] for each in found) for name in found[0]},
        "rounds": found,
        "imports_cpu_seconds": {
            kind: statistics.median(import_cpu(kind) for _ in range(3)) for kind in KINDS
        },
    }
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(result, indent=1) + "\n", "utf-8")
    print(json.dumps(result["median"]), json.dumps(result["imports_cpu_seconds"]))


if __name__ == "__main__":
    main()
