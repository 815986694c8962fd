"""Where the roles of a stack are born (Linux): one process imports what they need, and forks each of them.

Nine processes that each import a web framework take seconds of both cores; a fork takes milliseconds, and the memory of
what was imported is shared. The same holds for a role that is started again. Standard library only until it is asked.

Run by the supervisor as `python -m workbench.stack.nursery PARENT`; its standard input is a socket. A request is
`{"arguments": [role, kind, ..., dumps], "cwd": folder}` with three descriptors, which become the child's 0, 1 and 2. It
is answered with `{"pid": 12}`; `{"ended": 12, "status": -9}` comes when a child ends. The nursery has one thread, for a
fork copies only the one that calls it.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import select
import signal
import socket
import sys
import traceback
from typing import Any

from reference.platform import exits
from workbench.stack import child, lifeline

LINE = 65536
PREPARED = ("network", "services", "balancer", "consumer", "keeper", "app")
"""Kinds of process for which everything is imported before anybody asks, in the order in which they are needed."""


def prepare(kind: str) -> None:
    with contextlib.suppress(Exception):  # what fails here fails in the child too, where it is reported
        child.prepare(kind)


def become(parent: int, control: socket.socket, request: dict[str, Any], descriptors: list[int]) -> None:
    """In the new process: a session, descriptors and a name of its own; then it is a child like any other."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.setsid()
    os.chdir(request["cwd"])
    for number, descriptor in enumerate(descriptors):
        os.dup2(descriptor, number)
    for descriptor in descriptors:
        os.close(descriptor)
    control.close()
    role, kind, dumps = request["arguments"]
    lifeline.call_myself(role)
    child.serve_role(kind, parent, dumps)


def give_birth(control: socket.socket, request: dict[str, Any], descriptors: list[int]) -> int:
    gc.freeze()  # what is shared stays shared: no collection touches it
    parent = os.getpid()
    pid = os.fork()
    if pid == 0:
        try:
            become(parent, control, request, descriptors)
        except BaseException:
            traceback.print_exc()
        exits.leave(1)
    for descriptor in descriptors:
        os.close(descriptor)
    return pid


def ended() -> list[dict[str, int]]:
    found = []
    with contextlib.suppress(ChildProcessError):
        while (one := os.waitpid(-1, os.WNOHANG))[0]:
            found.append({"ended": one[0], "status": os.waitstatus_to_exitcode(one[1])})
    return found


def main() -> None:
    lifeline.die_with_parent(int(sys.argv[1]))
    control = socket.socket(fileno=os.dup(0))
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    awake, wake = os.pipe()
    os.set_blocking(wake, False)
    os.set_blocking(awake, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)

    def say(message: dict[str, int]) -> None:
        control.send(json.dumps(message).encode())

    ahead = [*PREPARED]
    while True:
        ready = select.select([control.fileno(), awake], [], [], 0 if ahead else None)[0]
        if not ready:
            prepare(ahead.pop(0))
        if awake in ready:
            with contextlib.suppress(BlockingIOError):
                os.read(awake, LINE)
        for one in ended():
            say(one)
        if control.fileno() in ready:
            data, descriptors, _, _ = socket.recv_fds(control, LINE, 3)
            if not data:
                return
            request = json.loads(data)
            prepare(request["arguments"][1])
            say({"pid": give_birth(control, request, descriptors)})


if __name__ == "__main__":
    main()
