"""`workbench load`: puts load on a running stack, from a terminal."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from workbench.loadgen.recorder import Tick
from workbench.loadgen.result import LoadResult
from workbench.loadgen.watch import Reading


def add_parser(subparsers: argparse._SubParsersAction[Any]) -> None:
    text = "put open-loop load on a stack"
    load = subparsers.add_parser("load", help=text, description=text)
    load.add_argument("--name", help="the stack's name (default: 'default', else the only one that runs)")
    load.add_argument("--on", metavar="SERVER", help="one server, past the balancer")
    load.add_argument("--rate", type=float, default=200.0, help="requests/s (default 200)")
    load.add_argument("--seconds", type=float, default=5.0, help="how long (default 5)")
    load.add_argument(
        "--skew", type=float, default=1.0, help="Zipf exponent of the links' popularity (default 1)"
    )
    load.add_argument(
        "--links", type=int, default=200, help="how many links to create and ask for (default 200)"
    )
    load.add_argument("--codes", nargs="+", help="ask for these instead")
    load.add_argument("--seed", type=int, default=1)
    load.add_argument(
        "--even", action="store_true", help="evenly spaced requests instead of Poisson arrivals"
    )
    load.add_argument("--json", action="store_true", help="for programs: the whole result")
    load.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """0 if every request was answered without a 5xx, else 1."""
    result = asyncio.run(_run(args))
    print(json.dumps(asdict(result)) if args.json else result.text())
    return 0 if result.failed == 0 else 1


async def _run(args: argparse.Namespace) -> LoadResult:
    from workbench.loadgen.load import load
    from workbench.notebook.links import create_links
    from workbench.stack import Stack

    stack = Stack.connect(args.name)
    codes = args.codes or await create_links(stack, args.links)
    return await load(
        stack.server_url(args.on) if args.on else stack,
        codes,
        args.rate,
        args.seconds,
        args.skew,
        seed=args.seed,
        arrivals="even" if args.even else "poisson",
        view=TerminalView(args.seconds),
    )


class TerminalView:
    """One line on standard error that is written over; nothing where that is no terminal."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.shown = sys.stderr.isatty()

    def begin(self, stop: Callable[[], None]) -> None: ...

    def tick(self, tick: Tick) -> None:
        if self.shown and tick.seconds:
            p99 = "–" if tick.p99 is None else f"{tick.p99:,.1f} ms"
            rate = tick.answered / tick.seconds
            line = f"{tick.t:5.1f} of {self.seconds:g} s: {rate:6.0f} answered/s, {tick.failed} failed, p99 {p99}"
            print(f"\r{line:<78}", end="", file=sys.stderr, flush=True)

    def reading(self, before: Reading | None, reading: Reading) -> None: ...
    def mark(self, t: float, text: str) -> None: ...

    def end(self, result: LoadResult | None) -> None:
        if self.shown:
            print("\r" + " " * 78 + "\r", end="", file=sys.stderr, flush=True)
