"""How many seeds a mark needs: on which share of fresh seeds each scenario finds each wrong component that its
requirement must reject, and what a run of it costs. Writes results/seeds.json.

`python tests/bench/bench_seeds.py [SLOT ...] [--seeds N]`
`--reckon`: only what a mark misses, anew, from the shares that are in the result: after `Scenario.every` was changed.

A scenario that finds a mistake on every seed need not be asked on twenty: `Scenario.every` says on how many it is. What
a mark then misses is in the result, by wrong component: the chance that none of its seeds shows the mistake, estimated
from below (one more miss and one more find than were seen).
"""

from __future__ import annotations

import argparse
import contextlib
import json
import math
import os
import platform
import statistics
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil

from grading import checks
from grading.judge.engine import ANOTHER_SALT, Judge
from grading.judge.hosting import Host
from grading.judge.protocol import HostLost, NotLoadable
from grading.judge.requirement import Broken, Kept, Requirement, Scenario, Suite
from grading.matrix import entries, filling
from grading.nbgrader.seeds import COUNT

RESULT = Path(__file__).parent / "results/seeds.json"
FIRST = 8_000_000
"""Of the seeds, which are none of the public ones and of no mark."""
CPU_SECONDS = 3_600


@contextlib.contextmanager
def judging(suite: Suite, source: str) -> Iterator[Judge]:
    with contextlib.ExitStack() as hosts:
        name = f"<component {suite.slot}>"
        pair = [
            hosts.enter_context(Host(source, suite.schema, name, "auto", CPU_SECONDS, hash_seed=salt))
            for salt in (0, ANOTHER_SALT)
        ]
        yield Judge(suite, *pair)


def processor_seconds() -> float:
    """Of this process and of the hosts, until now."""
    total = 0.0
    for each in [psutil.Process(), *psutil.Process().children(recursive=True)]:
        with contextlib.suppress(psutil.NoSuchProcess):
            used = each.cpu_times()
            total += used.user + used.system
    return total


def seeds_of(scenario: Scenario) -> int:
    """Of a mark's, how many it is asked on."""
    return math.ceil(COUNT / scenario.every)


def right(suite: Suite, seeds: range) -> dict[str, dict[str, dict[str, float]]]:
    """By requirement and scenario: processor seconds of a run with the reference, and the share that showed it."""
    found: dict[str, dict[str, dict[str, float]]] = {}
    with judging(suite, filling(suite.slot, "reference")) as judge:
        for requirement in suite.requirements:
            for scenario in requirement.scenarios:
                asked = seeds[: max(5, len(seeds) // scenario.every)]
                before, kept = processor_seconds(), 0
                for seed in asked:
                    kept += isinstance(judge.first_trial(scenario, seed).outcome, Kept)
                seconds = (processor_seconds() - before) / len(asked)
                found.setdefault(requirement.id, {})[scenario.name] = {
                    "seconds a run": round(seconds, 4),
                    "seeds of a mark": seeds_of(scenario),
                    "shown": kept / len(asked),
                }
    return found


def finds(suite: Suite, requirement: Requirement, source: str, seeds: range) -> dict[str, float]:
    """By scenario: the share of seeds on which it breaks the requirement, or takes the process away."""
    shares: dict[str, float] = {}
    for scenario in requirement.scenarios:
        try:
            with judging(suite, source) as judge:
                broken = [isinstance(judge.first_trial(scenario, each).outcome, Broken) for each in seeds]
            shares[scenario.name] = statistics.mean(broken)
        except (HostLost, NotLoadable):
            shares[scenario.name] = 1.0
    return shares


def missed(requirement: Requirement, shares: dict[str, float], count: int) -> float:
    """The chance that no seed of a mark shows it. `count`: the seeds that each share is from."""
    chance = math.prod(
        (1 - (shares[each.name] * count + 1) / (count + 2)) ** seeds_of(each)
        for each in requirement.scenarios
        if shares[each.name]
    )
    return float(f"{chance:.1e}")


def measure(slot: str, count: int) -> dict[str, Any]:
    suite = checks.suite(slot)
    seeds = range(FIRST, FIRST + count)
    by_id = {each.id: each for each in suite.requirements}
    wrong = {}
    for entry in entries(slot, "wrong"):
        requirement = by_id[entry.rejected_by]
        shares = finds(suite, requirement, entry.source, seeds)
        wrong[entry.name] = {
            "rejected by": requirement.id,
            "found on": shares,
            "missed by a mark": missed(requirement, shares, count),
        }
    return {"scenarios": right(suite, seeds), "wrong": wrong}


def reckon(slot: str, found: dict[str, Any], count: int) -> None:
    """What follows from `Scenario.every`, into what was measured."""
    by_id = {each.id: each for each in checks.suite(slot).requirements}
    for id, scenarios in found["scenarios"].items():
        for each in by_id[id].scenarios:
            scenarios[each.name]["seeds of a mark"] = seeds_of(each)
    for about in found["wrong"].values():
        about["missed by a mark"] = missed(by_id[about["rejected by"]], about["found on"], count)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("slots", nargs="*", default=list(checks.SLOTS))
    parser.add_argument("--seeds", type=int, default=40)
    parser.add_argument("--reckon", action="store_true", help="measure nothing")
    options = parser.parse_args()
    kept = json.loads(RESULT.read_text("utf-8")) if RESULT.exists() else {"slots": {}}
    for slot in options.slots:
        if options.reckon:
            reckon(slot, kept["slots"][slot], kept["seeds"])
        else:
            kept["slots"][slot] = measure(slot, options.seeds)
        worst = max(kept["slots"][slot]["wrong"].values(), key=lambda each: each["missed by a mark"])
        print(slot, worst, flush=True)
    if not options.reckon:
        kept["machine"] = f"{os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}"
        kept["seeds"] = options.seeds
        kept["seeds of a mark"] = COUNT
    RESULT.write_text(json.dumps(kept, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
