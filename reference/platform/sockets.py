"""Listening sockets that are bound before anything serves, so that a port is known and can be kept."""

from __future__ import annotations

import os
import socket


def listen(host: str, port: int = 0, backlog: int = 1024) -> socket.socket:
    """A non-blocking TCP socket that listens on `host:port`; port 0: any free one. OSError if it is taken."""
    # Named, for asyncio sets TCP_NODELAY on no other: an answer in two writes would wait 40 ms between them.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if (
            os.name == "posix"
        ):  # a restart takes its port back at once; on Windows the flag would let two share it
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(backlog)
        listener.setblocking(False)
    except OSError:
        listener.close()
        raise
    return listener


def port_of(listener: socket.socket) -> int:
    port: int = listener.getsockname()[1]
    return port
