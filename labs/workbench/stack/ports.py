"""Loopback ports that stay ours while the process that serves on them is down."""

from __future__ import annotations

import socket
import sys


class PortLease:
    """A free TCP port on 127.0.0.1, kept for as long as the lease is held.

    On Linux the lease is a socket that is bound but does not listen: the kernel gives the port to nobody else, a
    server that sets SO_REUSEADDR can listen on it, and while none does, connections are refused. Elsewhere two
    sockets cannot share a port safely, so the lease only picks a number; another program may then take it.
    `port`: that one (OSError if it is taken); 0: any.
    """

    def __init__(self, host: str = "127.0.0.1", port: int = 0) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            if sys.platform == "linux":
                self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._socket.bind((host, port))
            self.port: int = self._socket.getsockname()[1]
        except BaseException:
            self._socket.close()
            raise
        if sys.platform != "linux":
            self._socket.close()

    def release(self) -> None:
        self._socket.close()
