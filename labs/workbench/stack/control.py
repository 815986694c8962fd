"""The control API of a stack: `POST /COMMAND` with JSON, on loopback, for whoever holds the token.

It runs code, so each request must carry the bearer token, and must name this very host: a web page that
resolves its own name to 127.0.0.1 (DNS rebinding) is refused by the second, any other by the first.
"""

from __future__ import annotations

import asyncio
import hmac
import http
import json
from collections.abc import Awaitable, Callable
from typing import Any

BODY_LIMIT = 8 << 20
Handler = Callable[[str, dict[str, Any]], Awaitable[Any]]


class Refused(Exception):
    """The request is not one of ours. `args`: the HTTP status and a word."""


class ControlServer:
    """`handle(command, arguments)` gives what is answered as `{"ok": ...}`; it answers with `describe(error)` else."""

    def __init__(self, token: str, handle: Handler, describe: Callable[[Exception], dict[str, Any]]) -> None:
        self._token = token
        self._handle = handle
        self._describe = describe
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self.port = 0

    async def start(self) -> int:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0, limit=1 << 16)
        self.port = self._server.sockets[0].getsockname()[1]
        return self.port

    async def stop(self) -> None:
        """Answers nobody any more: open connections are dropped."""
        if self._server is not None:
            self._server.close()
        for writer in self._writers:
            writer.transport.abort()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            async with asyncio.timeout(120):
                status, answer = await self._answer(reader)
                body = json.dumps(answer, default=str).encode()
                head = f"HTTP/1.1 {status} {http.HTTPStatus(status).phrase}\r\nContent-Type: application/json\r\n"
                writer.write(
                    f"{head}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body
                )
                await writer.drain()
        except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass
        finally:
            self._writers.discard(writer)
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader) -> tuple[int, dict[str, Any]]:
        try:
            command, arguments = await self._request(reader)
        except Refused as refused:
            status, word = refused.args
            return status, {"error": {"type": "Refused", "message": word}}
        try:
            return 200, {"ok": await self._handle(command, arguments)}
        except Exception as error:
            return 409, {"error": self._describe(error)}

    async def _request(self, reader: asyncio.StreamReader) -> tuple[str, dict[str, Any]]:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        method, _, rest = head[0].partition(" ")
        path = rest.partition(" ")[0]
        headers = {
            name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])
        }
        if headers.get("host") not in (f"127.0.0.1:{self.port}", f"localhost:{self.port}"):
            raise Refused(403, "wrong Host")
        if not hmac.compare_digest(
            headers.get("authorization", "").encode(), f"Bearer {self._token}".encode()
        ):
            raise Refused(401, "wrong token")
        if method != "POST":
            raise Refused(405, "POST only")
        length = headers.get("content-length", "")
        if not length.isdigit() or "transfer-encoding" in headers:
            raise Refused(411, "Content-Length is needed")
        if int(length) > BODY_LIMIT:
            raise Refused(413, "too large")
        try:
            arguments = json.loads(await reader.readexactly(int(length)) or b"{}")
        except ValueError:
            raise Refused(400, "not JSON") from None
        if not isinstance(arguments, dict):
            raise Refused(400, "not a JSON object")
        return path.strip("/"), arguments
