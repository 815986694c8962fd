"""Loopback ports that stay ours while the process that serves on them is down."""

from __future__ import annotations

import random
import socket
import sys
from pathlib import Path

RANGE_FILE = Path("/proc/sys/net/ipv4/ip_local_port_range")
LOWEST, USUAL_END = 10_000, 32_768  # 32,768 is where Linux begins to hand out ports to whoever asks for any
TRIES = 200


class PortLease:
    """A free TCP port on 127.0.0.1, kept for as long as the lease is held.

    On Linux the lease is a socket that is bound but does not listen: while no server listens on the port,
    connections are refused. A server that sets SO_REUSEADDR can listen on it, and so could a stranger who names
    the number. Many programs do: they ask the kernel for any port, close it, and open it again a second later.
    So a lease is never one of those that the kernel hands out to who asks for any, and it is bound without
    SO_REUSEADDR first, which fails if anybody, another lease too, has the port in any state.
    Elsewhere two sockets cannot share a port safely, so the lease only picks a number.
    `port`: that one (OSError if it is taken); 0: any.
    """

    def __init__(self, host: str = "127.0.0.1", port: int = 0) -> None:
        self._socket = _bound(host, port) if port else _bound_to_any(host)
        self.port: int = self._socket.getsockname()[1]
        if sys.platform == "linux":
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        else:
            self._socket.close()

    def release(self) -> None:
        self._socket.close()


def _bound_to_any(host: str) -> socket.socket:
    end = handed_out_from()
    chance = random.SystemRandom()  # two stacks that start together must not try the same ports in one order
    for _ in range(TRIES if end > LOWEST else 0):
        try:
            return _bound(host, chance.randrange(LOWEST, end))
        except OSError:
            continue
    return _bound(host, 0)  # crowded, or a machine that hands out all ports


def _bound(host: str, port: int) -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        made.bind((host, port))
    except BaseException:
        made.close()
        raise
    return made


def handed_out_from() -> int:
    """The first of the ports that the kernel hands out to programs that ask for any."""
    try:
        return min(int(RANGE_FILE.read_text().split()[0]), USUAL_END)
    except (OSError, ValueError, IndexError):
        return USUAL_END
