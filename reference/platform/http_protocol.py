"""uvicorn's HTTP protocol, on whichever event loop.

It can leave: see `HttpServer`.

On asyncio's own loop, writing to a client that has left is no error. uvloop raises RuntimeError until it has told the
protocol of it, and uvicorn takes that for an error of the application.
"""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


class Forgiving:
    """A transport on which writing to a client that has left is no error."""

    def __init__(self, transport: asyncio.Transport, protocol: HttpToolsProtocol) -> None:
        self._transport = transport
        self._protocol = protocol

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        try:
            self._transport.write(data)
        except RuntimeError:
            if self._protocol.cycle is not None:
                self._protocol.cycle.disconnected = True


class HttpProtocol(HttpToolsProtocol):
    leaving = False
    """Each answer is the last on its connection."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(Forgiving(transport, self))  # type: ignore[arg-type]

    def leave(self) -> None:
        """From now on answers say `Connection: close` (RFC 9112, 9.6), and whoever keeps the connection sends no more.
        Only then may it be closed: on one that is idle a request may be on its way."""
        self.leaving = True
        if self.cycle is not None and not self.cycle.response_started:
            self.cycle.keep_alive = False

    def on_headers_complete(self) -> None:
        super().on_headers_complete()
        if self.leaving and self.cycle is not None:
            self.cycle.keep_alive = False
