"""`workbench up | down | status | fault | swap | set | reshard`: a stack that outlives the command which started it."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from workbench.stack import Stack, StackError, state
from workbench.stack.client import DEFAULT_NAME
from workbench.stack.request import PROFILES


def add_parser(subparsers: argparse._SubParsersAction[Any]) -> None:
    up = _add(subparsers, "up", start, "start a stack and leave it running")
    up.add_argument("--case", default="url-shortener")
    up.add_argument("--profile", choices=PROFILES, default="embedded")
    up.add_argument("--servers", type=int, default=3, help="app servers, 1 to 16 (default 3)")
    up.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a start setting")

    down = _add(subparsers, "down", stop, "stop it, and remove all that it kept")
    down.add_argument("--all", action="store_true", help="every stack of yours, and what dead ones have left")

    status = _add(subparsers, "status", show, "what runs, and in which state")
    status.add_argument("--json", action="store_true", help="for programs")
    status.add_argument("--topology", choices=("text", "mermaid"), help="the picture instead of the table")
    status.add_argument("--incidents", action="store_true", help="what went wrong unasked")
    status.add_argument("--logs", metavar="ROLE", help="the last lines that a role wrote")

    fault = _add(subparsers, "fault", break_it, "break something, or mend it")
    actions = ("kill", "pause", "revive", "restart", "slow", "cut", "hang", "mend", "flush")
    fault.add_argument("action", choices=actions)
    fault.add_argument(
        "target", nargs="?", help="a role (app-2), a service (cache), an edge ('app-1->cache')"
    )
    fault.add_argument("seconds", nargs="?", type=float, help="for slow: the delay, each way")

    swap = _add(subparsers, "swap", fill, "put a component into a slot")
    swap.add_argument("slot", help="such as url-shortener/redirect-cache")
    swap.add_argument("component", help="a file, or plain, or reference")
    swap.add_argument("--on", action="append", metavar="SERVER", help="only there (may be repeated)")

    turn = _add(subparsers, "set", turn_it, "turn a live setting; without a name, show them all")
    turn.add_argument("setting", nargs="?", metavar="NAME", help="such as code_strategy")
    turn.add_argument("value", nargs="?", help="such as pool")

    reshard = _add(
        subparsers, "reshard", move, "move the links to another number of shards, while they are followed"
    )
    reshard.add_argument(
        "shards", type=int, help="how many; up --set spare_shards=1 lets one more stand ready"
    )


def _add(subparsers: Any, name: str, run: Any, text: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = subparsers.add_parser(name, help=text, description=text)
    parser.add_argument("--name", help="the stack's name (default: 'default', else the only one that runs)")
    parser.set_defaults(run=run)
    return parser


def start(args: argparse.Namespace) -> int:
    settings = dict(_setting(text) for text in args.set)
    stack = Stack(
        args.case, args.profile, args.name or DEFAULT_NAME, args.servers, settings, owner=None
    ).start()
    print(stack.status())
    return 0


def _setting(text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    if not equals:
        raise ValueError(f"--set takes NAME=VALUE, not {text!r}")
    return name, _value(value)


def _value(text: str) -> Any:
    """What a word on the command line means: JSON if it is that (3, true), else itself."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def stop(args: argparse.Namespace) -> int:
    if not args.all:  # a notebook's stack is stopped by name only, never by accident
        Stack.connect(args.name or DEFAULT_NAME).stop()
        return 0
    for found in state.all_states():
        if found.alive():
            Stack.connect(found.name).stop()
        else:
            state.clear(found.name)
        print(f"{found.name}: stopped")
    return 0


def show(args: argparse.Namespace) -> int:
    stack = Stack.connect(args.name)
    if args.logs:
        print(stack.logs(args.logs))
    elif args.incidents:
        print("\n".join(map(str, stack.incidents())) or "no incidents")
    elif args.topology == "mermaid":
        print(stack.topology().mermaid)
    elif args.topology:
        print(stack.topology())
    elif args.json:
        print(json.dumps(stack.status().data))
    else:
        print(stack.status())
    return 0


def break_it(args: argparse.Namespace) -> int:
    stack = Stack.connect(args.name)
    if args.target is None and args.action not in ("mend", "flush"):
        raise StackError(f"{args.action} needs a target")
    if args.action == "slow":
        if args.seconds is None:
            raise StackError("slow needs the seconds of delay")
        stack.slow(args.target, args.seconds)
    elif args.action == "flush":
        stack.flush(args.target or "cache")
    else:
        getattr(stack, args.action)(args.target)
    return 0


def fill(args: argparse.Namespace) -> int:
    component = args.component
    if component not in ("plain", "reference"):
        try:
            component = Path(component).read_text("utf-8")
        except OSError as error:
            raise StackError(f"{component}: {error.strerror}") from error
    Stack.connect(args.name).swap(args.slot, component, on=args.on)
    return 0


def turn_it(args: argparse.Namespace) -> int:
    stack = Stack.connect(args.name)
    if args.setting is None:
        print("\n".join(f"{name} = {value}" for name, value in stack.settings().items()))
    elif args.value is None:
        raise StackError(f"{args.setting} needs a value")
    else:
        stack.set(args.setting, _value(args.value))
    return 0


def move(args: argparse.Namespace) -> int:
    print(
        ", ".join(f"{name}: {value}" for name, value in Stack.connect(args.name).reshard(args.shards).items())
    )
    return 0
