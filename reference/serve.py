"""One process of a stack in a container: `python -m reference.serve KIND` (app, consumer, keeper; migrate, which ends).

Where no supervisor is, a container engine takes its part, and needs three things of the process:
- SIGTERM drains it: it takes no more work, finishes what it has in hand, and ends with status 0.
- A heartbeat: the file `alive` is written twice a second from the event loop, with what `health` says. A health check
  asks how old it is; it is too old if code blocks the loop, and there is none before the process serves.
- Commands, as the supervisor sends them: on a socket that only its own user may open, so only who may enter the
  container can. `python -m reference.serve command NAME [JSON]` there sends one.
"""

from __future__ import annotations

import asyncio
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
from reference.platform.event_loop import loop_factory, settle
from reference.platform.logs import JsonLog
from reference.platform.process import Runnable
from reference.platform.settings import Settings

PLACE = Path("/run/workbench")
HEARTBEAT = 0.5
LINE_LIMIT = 4_000_000
"""Bytes of one command, or of its answer: a component's text goes with a swap."""


async def serve(kind: str, settings: Settings, place: Path = PLACE) -> None:
    """Until SIGTERM or SIGINT. OSError: a port or a file cannot be had."""
    record = JsonLog(settings.role)

    def told(event: dict[str, Any]) -> None:
        record.write("warning", "a component", **event)

    process = runnable(kind, settings, told)
    ending = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ending.set)
    addresses = await process.start()
    settle(kind)
    record.write("info", "serving", **addresses)
    control = place / "control.sock"
    control.unlink(missing_ok=True)
    os.umask(0o177)
    commands = await asyncio.start_unix_server(answering(process), control, limit=LINE_LIMIT)
    beat = asyncio.create_task(beating(process, place / "alive"), name="heartbeat")
    await ending.wait()
    record.write("info", "draining")
    began = time.monotonic()
    await process.stop()
    commands.close()
    beat.cancel()
    record.write("info", "stopped", seconds=round(time.monotonic() - began, 3))


async def beating(process: Runnable, alive: Path) -> None:
    partial = alive.with_suffix(".partial")
    while True:
        partial.write_text(json.dumps(process.health()), "utf-8")
        partial.replace(alive)
        await asyncio.sleep(HEARTBEAT)


def answering(process: Runnable) -> Any:
    """What serves one connection: one command, one answer, `{"ok": ...}` or `{"error": {...}}`, each a line of JSON."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            asked = json.loads(await reader.readline())
            if asked["command"] == "health":
                found: dict[str, Any] = {"ok": process.health()}
            else:
                found = {"ok": await process.command(asked["command"], asked.get("args") or {})}
        except Exception as error:
            found = {"error": {"type": type(error).__name__, "message": str(error)}}
        try:
            writer.write(json.dumps(found, default=str).encode() + b"\n")
            await writer.drain()
        except OSError:
            pass  # whoever asked has gone
        writer.close()

    return answer


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
            with asyncio.Runner(loop_factory=loop_factory(kind)) as runner:
                runner.run(serve(kind, Settings.in_container()))
            return 0
        case _:
            print("usage: python -m reference.serve app|consumer|keeper|migrate", file=sys.stderr)
            print("       python -m reference.serve command NAME [JSON|-]", file=sys.stderr)
            return 2
    print(json.dumps(found))
    return 1 if "error" in found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
