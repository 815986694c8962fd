"""A channel to the process that serves in this container: lines of JSON on standard input and output, both ways.

`python -S -E -P relay.py [PLACE PID]`, begun in the container by whoever steers the stack; standard library only, as
it is to be there at once. What it is given goes to the process's socket, and what comes from there it passes on:
commands, answers, heartbeats, events (see `serve.py`). Of its own it says `{"ready": {}}` when the process serves, adds
to each heartbeat what the process uses (`resident` bytes, `cpu` seconds), and answers `{"where": true}` with
`{"dump": "..."}`, the lines at which the process stands, which it has from the process even if that is blocked.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
import threading
import time
from pathlib import Path
from typing import Any

FIRST = 1
"""The process id of the one that serves: it is the container's first."""

TO_SAY = 0.1
"""Seconds that writing a traceback may take."""
TO_BEGIN = 2.0
"""Seconds until it begins: on a busy machine the process may have to wait for its turn."""

_lock = threading.Lock()


def say(message: dict[str, Any]) -> None:
    with _lock:
        sys.stdout.buffer.write(json.dumps(message).encode() + b"\n")
        sys.stdout.buffer.flush()


def connect(path: Path) -> socket.socket:
    """Waits until the process listens; its end ends the container, and so this."""
    while True:
        connection = socket.socket(socket.AF_UNIX)
        try:
            connection.connect(str(path))
            return connection
        except OSError:
            connection.close()
            time.sleep(0.05)


def used(server: int) -> dict[str, float]:
    proc = Path(f"/proc/{server}")
    fields = (proc / "stat").read_text().rpartition(")")[2].split()
    ticks = int(fields[11]) + int(fields[12])
    pages = int((proc / "statm").read_text().split()[1])
    return {"resident": pages * os.sysconf("SC_PAGE_SIZE"), "cpu": ticks / os.sysconf("SC_CLK_TCK")}


def where(place: Path, server: int) -> str:
    """What faulthandler writes there. The file grows; the last of it is of now."""
    path = place / "where"
    before = path.stat().st_size
    os.kill(server, signal.SIGUSR1)
    until = time.monotonic() + TO_BEGIN
    while path.stat().st_size == before and time.monotonic() < until:
        time.sleep(0.01)
    time.sleep(TO_SAY)
    with path.open("rb") as file:
        file.seek(before)
        return file.read().decode("utf-8", "replace")


def outwards(connection: socket.socket, server: int) -> None:
    """From the process, until it closes."""
    with connection.makefile("rb") as lines:
        for line in lines:
            if line.startswith(b'{"heartbeat"'):
                message = json.loads(line)
                message["heartbeat"] |= used(server)
                say(message)
            else:
                with _lock:
                    sys.stdout.buffer.write(line)
                    sys.stdout.buffer.flush()
    os._exit(0)


def main(place: Path, server: int = FIRST) -> None:
    connection = connect(place / "control.sock")
    threading.Thread(target=outwards, args=(connection, server), daemon=True).start()
    connection.sendall(b'{"command": "watch", "id": 0}\n')
    say({"ready": {}})
    for line in sys.stdin.buffer:
        message = json.loads(line)
        if "where" in message:
            say({"dump": where(place, server)})
        elif "command" in message:
            connection.sendall(line)


if __name__ == "__main__":
    main(*(Path(sys.argv[1]), int(sys.argv[2])) if len(sys.argv) > 2 else (Path("/run/workbench"),))
