"""The bytes of a fast redirect. All that two answers of one second have in common is put together once."""

from __future__ import annotations

from reference.platform.settings import LiveSettings
from reference.shortener.near_cache import Hot
from reference.shortener.plain_gets import Headers
from reference.shortener.redirects_api import cache_control

PHRASES = {301: "Moved Permanently", 302: "Found"}


class FastResponses:
    """`start`: how the request ids begin of requests that brought none."""

    def __init__(self, role: str, start: str) -> None:
        self._start = start
        self._tail = f"\r\nserver-role: {role}\r\n\r\n".encode()
        self.default_headers: Headers | None = None
        self.settings: LiveSettings | None = None
        """Those two that the rest was made from."""
        self.status = 302
        self.max_age = 0.0
        self.usual = b""
        """A format of (location, number): the answer, if it may not be kept and brings no id of its own."""

    def renew(self, default_headers: Headers, settings: LiveSettings) -> None:
        """Once a second, when uvicorn has written a new date; and when a setting was turned."""
        self.default_headers, self.settings = default_headers, settings
        self.status, self.max_age = settings.redirect_status, settings.redirect_max_age
        lines = [b"%b: %b\r\n" % header for header in default_headers]
        first = f"HTTP/1.1 {self.status} {PHRASES[self.status]}\r\n".encode()
        self._before = b"".join([first, *lines, b"cache-control: "])
        start, before, after = (
            _literal(part) for part in (self._start.encode(), self._head(0.0), self._tail)
        )
        self.usual = before + b"%b\r\nx-request-id: " + start + b"%016x" + after

    def special(self, hot: Hot, now: float, trace: str) -> bytes:
        """Any other answer."""
        head = self._head(hot.expires_at - now)
        return b"%b%b\r\nx-request-id: %b%b" % (head, hot.location, trace.encode(), self._tail)

    def id_of(self, number: int) -> str:
        """A request without an id of its own has that of its click."""
        return f"{self._start}{number:016x}"

    def _head(self, remaining: float) -> bytes:
        keep = cache_control(self.max_age, remaining)
        return b"%b%b\r\ncontent-length: 0\r\nlocation: " % (self._before, keep.encode())


def _literal(part: bytes) -> bytes:
    """As a part of a format."""
    return part.replace(b"%", b"%%")
