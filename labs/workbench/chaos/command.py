"""`workbench chaos [FAULT ...]`: starts a stack of its own, puts it under load, breaks it, and tells what users met."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
from pathlib import Path
from typing import Any

from workbench.chaos import fidelity, table
from workbench.chaos.faults import FAULTS
from workbench.chaos.run import Outcome, run
from workbench.stack import Stack
from workbench.stack.request import PROFILES

ROOT = Path(__file__).parents[3]
TABLE = ROOT / "compose/journeys.md"


def result_of(profile: str) -> Path:
    return ROOT / f"tests/bench/results/chaos-{profile}.json"


def add_parser(subparsers: argparse._SubParsersAction[Any]) -> None:
    text = "break a stack under load: what becomes of each journey of a user, beside what was predicted"
    parser = subparsers.add_parser("chaos", help=text, description=text)
    parser.add_argument("faults", nargs="*", metavar="FAULT", help=f"without one, all: {', '.join(FAULTS)}")
    parser.add_argument("--profile", choices=PROFILES, default="embedded")
    parser.add_argument(
        "--swap",
        action="append",
        default=[],
        metavar="SLOT=FILE",
        help="with a component of yours on all servers (or SLOT=plain); may be repeated",
    )
    parser.add_argument(
        "--keep", action="store_true", help="write the figures, and the table of all profiles"
    )
    parser.set_defaults(run=main)


def main(options: argparse.Namespace) -> int:
    """1: a promise was broken, or a fault met no work."""
    unknown = set(options.faults) - set(FAULTS)
    if unknown:
        raise ValueError(f"no fault {', '.join(sorted(unknown))}; there are: {', '.join(FAULTS)}")
    outcomes: list[Outcome] = []
    with Stack(profile=options.profile, settings={"edge": True}) as stack:
        for slot, component in map(chosen, options.swap):
            stack.swap(slot, component)
        for name in options.faults or FAULTS:
            outcome = asyncio.run(run(name, FAULTS[name], stack))
            outcomes.append(outcome)
            tell(outcome)
    if options.keep:
        keep(options.profile, outcomes)
    return 1 if any(outcome.broken or not outcome.met for outcome in outcomes) else 0


def chosen(text: str) -> tuple[str, str]:
    slot, equals, what = text.partition("=")
    if not equals:
        raise ValueError(f"--swap takes SLOT=FILE, not {text!r}")
    return slot, what if what == "plain" else Path(what).read_text("utf-8")


def tell(outcome: Outcome) -> None:
    print(table.markdown([outcome], table.predictions()).splitlines()[-1], flush=True)
    for broken in outcome.broken[:5]:
        print(f"  BROKEN: {broken}")
    for said, times in outcome.details.items():
        print(f"  {times} times {said}")
    if not outcome.met:
        print("  the fault met no work")


def keep(profile: str, outcomes: list[Outcome]) -> None:
    """The figures of this profile, and the table of what is on file of all."""
    predicted = table.predictions()
    result = {
        "machine": f"{os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}",
        "profile": profile,
        "faults": {outcome.name: table.record(outcome) for outcome in outcomes},
        "not as predicted": table.misses({each.name: table.row(each) for each in outcomes}, predicted),
    }
    result_of(profile).write_text(json.dumps(result, indent=1) + "\n", "utf-8")
    found = {
        name: json.loads(path.read_text("utf-8"))["faults"]
        for name in PROFILES
        if (path := result_of(name)).is_file()
    }
    TABLE.write_text(fidelity.page(found, predicted), "utf-8")
