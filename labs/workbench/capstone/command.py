"""`workbench capstone FILE|NOTEBOOK`: a component in the whole running service, under load and faults."""

from __future__ import annotations

import argparse
import asyncio
import sys
from typing import Any

from workbench.checking import DEFAULT_SLOT, components, show

SECONDS = 12.0
FILLINGS = ("plain", "reference")


def add_parser(subparsers: Any) -> None:
    text = "put a component into the whole service, under load and faults, and judge it from outside"
    parser = subparsers.add_parser("capstone", help=text, description=text)
    parser.add_argument(
        "file", help="a component's module, a notebook, - for standard input; or plain, or reference"
    )
    parser.add_argument("--slot", help=f"of a module whose first line does not name it; else {DEFAULT_SLOT}")
    parser.add_argument("--profile", choices=["embedded", "local"], default="embedded")
    parser.add_argument("--seed", type=int, default=1, help="of what is asked, and of the faults (default 1)")
    parser.add_argument(
        "--seconds",
        type=float,
        default=SECONDS,
        help=f"how long the load lasts (default {SECONDS:g}, least 8)",
    )
    parser.add_argument("--plan", action="store_true", help="only show the faults that will come, and when")
    parser.add_argument("--json", action="store_true", help="print the verdict as JSON")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """0: full marks; 1: not."""
    from workbench.capstone.plan import described, plan_for

    if options.file in FILLINGS:
        found = [(options.slot or DEFAULT_SLOT, options.file)]
    else:
        found = components(options.file, options.slot)
    passed = True
    for slot, source in found:
        plan = plan_for(slot, options.seed, options.seconds)
        if options.plan:
            show("\n".join([slot, *described(plan)]))
            continue
        verdict = asyncio.run(_judge(plan, source, options.profile, options.json))
        show(verdict.to_json() if options.json else verdict.text())
        passed = passed and verdict.passed
    return 0 if passed else 1


async def _judge(plan: Any, source: str, profile: str, quiet: bool) -> Any:
    from workbench.capstone.run import run as run_plan
    from workbench.capstone.verdict import verdict

    def say(text: str) -> None:
        print(f"{plan.slot}: {text} …", file=sys.stderr, flush=True)

    say_it = (lambda text: None) if quiet else say
    return verdict(await run_plan(plan, source, profile=profile, say=say_it), profile)
