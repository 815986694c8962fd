"""A client of a proxy: its connection, and how it may leave."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from reference.platform.http1 import Malformed
from reference.platform.wire import Wire, wake

if TYPE_CHECKING:
    from reference.platform.front import Front


class Client(Wire):
    """A client's connection. When the client hangs up, what is being asked for it is dropped at once, so that the
    server can stop working on it. `upstream`: the connection on which that is asked."""

    def __init__(self, front: Front) -> None:
        super().__init__()
        self.front = front
        self.upstream: Wire | None = None
        self.peer = b""
        self.busy = False
        self.short = False
        """A request is on the short way: what comes meanwhile waits."""
        self.used = False
        """The short way was gone since this was last looked at."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.peer = transport.get_extra_info("peername")[0].encode()
        self.front.accept(self)

    def data_received(self, data: bytes) -> None:
        if self.short:
            self.keep(data)
        elif self.busy or self.buffer or not self.front.take(self, data):
            super().data_received(data)

    def hung_up(self) -> None:
        super().hung_up()
        if self.upstream is not None:
            self.upstream.abort()

    def free(self) -> None:
        """What was on the short way has been answered."""
        self.busy = self.short = False
        if self.buffer:
            wake(self._reader)
        self.front.freed(self)


class ClientFailed(Exception):
    """The client broke off in the middle of its request."""


GONE = (OSError, EOFError, Malformed, ClientFailed, asyncio.CancelledError)
"""How the answer to a request ends if one side is gone in the middle of a message, or we stop."""
