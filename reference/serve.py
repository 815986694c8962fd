"""One process of a stack in a container: `python -m reference.serve KIND` (app, consumer, keeper; migrate, which ends).

Where no supervisor is, a container engine takes its part, and needs three things of the process:
- SIGTERM drains it: it takes no more work, finishes what it has in hand, and ends with status 0.
- A heartbeat: the file `alive` is written four times a second from the event loop, with what `health` says. A health
  check asks how old it is; it is too old if code blocks the loop, and there is none before the process serves.
- Commands, as the supervisor sends them: on a socket that only its own user may open, so only who may enter the
  container can. `python -m reference.serve command NAME [JSON]` there sends one; `relay.py` keeps a channel open.

SIGUSR1 has it write where it stands into the file `where`, also while code blocks the loop.
"""

from __future__ import annotations

import asyncio
import faulthandler
import json
import os
import signal
import socket
import sys
import time
from pathlib import Path
from typing import Any

from reference.build import runnable
from reference.build.migrate import migrate
from reference.platform import blame, exits
from reference.platform.event_loop import loop_factory, settle
from reference.platform.logs import JsonLog
from reference.platform.process import Runnable
from reference.platform.settings import Settings

PLACE = Path("/run/workbench")
HEARTBEAT = 0.25
LINE_LIMIT = 4_000_000
"""Bytes of one command, or of its answer: a component's text goes with a swap."""


async def serve(kind: str, settings: Settings, place: Path = PLACE) -> None:
    """Until SIGTERM or SIGINT. OSError: a port or a file cannot be had."""
    record = JsonLog(settings.role)
    control = Control()

    def told(event: dict[str, Any]) -> None:
        record.write("warning", "a component", **event)
        control.tell({"event": event})

    process = runnable(kind, settings, told)
    ending = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ending.set)
    addresses = await process.start()
    settle(kind)
    record.write("info", "serving", **addresses)
    path = place / "control.sock"
    path.unlink(missing_ok=True)
    control.process = process
    os.umask(0o177)
    commands = await asyncio.start_unix_server(control.accept, path, limit=LINE_LIMIT)
    beat = asyncio.create_task(beating(process, place / "alive", control), name="heartbeat")
    await ending.wait()
    record.write("info", "draining")
    began = time.monotonic()
    await process.stop()
    commands.close()
    beat.cancel()
    record.write("info", "stopped", seconds=round(time.monotonic() - began, 3))


def confess(role: str, place: Path = PLACE) -> None:
    """From now on this process says, in its log, which line of a component ends it, and in `where`, when it is asked by
    SIGUSR1, at which lines it stands."""
    record = JsonLog(role)

    def leaving(what: str, at: blame.Place | None) -> None:
        record.write("warning", "a component", kind="exiting", what=what, **(at.json() if at else {}))

    exits.report_exits(leaving)
    faulthandler.enable()
    where = (place / "where").open("w", encoding="utf-8")
    faulthandler.register(signal.SIGUSR1, file=where, all_threads=True)


async def beating(process: Runnable, alive: Path, control: Control) -> None:
    partial = alive.with_suffix(".partial")
    while True:
        health = process.health()
        partial.write_text(json.dumps(health), "utf-8")
        partial.replace(alive)
        control.tell({"heartbeat": health})
        await asyncio.sleep(HEARTBEAT)


class Control:
    """The socket for commands. Each line is one: `{"command": NAME, "args": {...}, "id": 1}`; its answer, a line too,
    is `{"id": 1, "ok": ...}` or `{"id": 1, "error": {...}}`. Who sends `watch` gets heartbeats and events as well."""

    process: Runnable

    def __init__(self) -> None:
        self.watching: set[asyncio.StreamWriter] = set()

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        begun: set[asyncio.Task[None]] = set()
        try:
            while line := await reader.readline():
                task = asyncio.create_task(self.answer(line, writer))  # a swap must not hold up the next one
                begun.add(task)
                task.add_done_callback(begun.discard)
        except ValueError as error:  # a line beyond the limit
            self.write(writer, {"error": blame.describe(error)})
        except OSError:
            pass  # whoever asked has gone
        await asyncio.gather(*begun, return_exceptions=True)
        self.watching.discard(writer)
        writer.close()

    async def answer(self, line: bytes, writer: asyncio.StreamWriter) -> None:
        number: dict[str, Any] = {}
        try:
            asked = json.loads(line)
            number = {"id": asked["id"]} if "id" in asked else {}
            if asked["command"] == "watch":
                self.watching.add(writer)
                found: Any = None
            elif asked["command"] == "health":
                found = self.process.health()
            else:
                found = await self.process.command(asked["command"], asked.get("args") or {})
        except Exception as error:
            self.write(writer, number | {"error": blame.describe(error)})
        else:
            self.write(writer, number | {"ok": found})

    def tell(self, message: dict[str, Any]) -> None:
        for writer in list(self.watching):
            self.write(writer, message)

    def write(self, writer: asyncio.StreamWriter, message: dict[str, Any]) -> None:
        if not writer.is_closing():
            writer.write(json.dumps(message, default=str).encode() + b"\n")


def send(name: str, args: dict[str, Any], place: Path = PLACE) -> dict[str, Any]:
    """Has the process that serves here carry out a command. OSError: none does."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(place / "control.sock"))
        connection.sendall(json.dumps({"command": name, "args": args}).encode() + b"\n")
        with connection.makefile("rb") as answer:
            found: dict[str, Any] = json.loads(answer.readline())
            return found


def main(arguments: list[str]) -> int:
    match arguments:
        case ["command", name]:
            found = send(name, {})
        case ["command", name, "-"]:
            found = send(name, json.load(sys.stdin))
        case ["command", name, args]:
            found = send(name, json.loads(args))
        case ["migrate"]:
            return asyncio.run(migrate(Settings.in_container()))
        case [kind] if kind in ("app", "consumer", "keeper"):
            settings = Settings.in_container()
            confess(settings.role)
            with asyncio.Runner(loop_factory=loop_factory(kind)) as runner:
                runner.run(serve(kind, settings))
            return 0
        case _:
            print("usage: python -m reference.serve app|consumer|keeper|migrate", file=sys.stderr)
            print("       python -m reference.serve command NAME [JSON|-]", file=sys.stderr)
            return 2
    print(json.dumps(found))
    return 1 if "error" in found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
