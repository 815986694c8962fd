"""`python -m compose.chaos [FAULT ...]`: starts a stack of its own in containers, breaks it, prints the table.

Without a name, all faults. The table goes to `compose/chaos/table.md`, and all figures to
`tests/bench/results/chaos.json`, with `--keep`.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import sys
from pathlib import Path

from compose.chaos import table
from compose.chaos.faults import FAULTS
from compose.chaos.project import missing, stack
from compose.chaos.run import Outcome, run

HERE = Path(__file__).parent
HEAD = """# Journeys and faults

Made by `python -m compose.chaos --keep`: what became of each journey while a fault lasted. A journey works if at most
2 % of its requests fail and its p99 is below a second, fails if 90 % fail, and is degraded in between. "Well after":
seconds from the order to end the fault to the last request that failed.
"""
RESULT = HERE.parents[1] / "tests/bench/results/chaos.json"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m compose.chaos", description=__doc__)
    parser.add_argument("faults", nargs="*", choices=[*FAULTS, []], metavar="FAULT", help=", ".join(FAULTS))
    parser.add_argument("--keep", action="store_true", help="write the table and the figures")
    options = parser.parse_args()
    if (reason := missing()) is not None:
        print(f"This needs containers: {reason}.", file=sys.stderr)
        return 2
    predicted = table.predictions()
    outcomes: list[Outcome] = []
    with stack("workbench-chaos", "10.213.243") as (project, base):
        for name in options.faults or FAULTS:
            outcome = asyncio.run(run(name, FAULTS[name], project, base))
            outcomes.append(outcome)
            print(table.markdown([outcome], predicted).splitlines()[-1], flush=True)
            for broken in outcome.broken[:5]:
                print(f"  BROKEN: {broken}")
            for said, times in outcome.details.items():
                print(f"  {times} times {said}")
            if not outcome.met:
                print("  the fault met no work")
    if options.keep:
        told = table.markdown(outcomes, predicted)
        (HERE / "table.md").write_text(f"{HEAD}\n{told}\n{table.surprises(outcomes, predicted)}", "utf-8")
        result = {
            "machine": f"{os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}",
            "images": (HERE.parent / ".env").read_text("utf-8").split(),
            "faults": {outcome.name: table.record(outcome) for outcome in outcomes},
            "not as predicted": table.misses({each.name: table.row(each) for each in outcomes}, predicted),
        }
        RESULT.write_text(json.dumps(result, indent=1) + "\n", "utf-8")
    return 1 if any(outcome.broken or not outcome.met for outcome in outcomes) else 0


if __name__ == "__main__":
    sys.exit(main())
