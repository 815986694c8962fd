"""Which hosts a server may be asked for.

A page on somebody's site can have its name resolve to our address, and then ask us as if it were ours: only the Host
header tells. RFC 9112 (3.2) has a request without a valid Host, or with two, answered with 400; RFC 9110 (15.5.20) has
one for a host that is not served here answered with 421.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from reference.platform.problems import Problem

LOCAL = ("localhost", "127.0.0.1", "[::1]")
ANY = "*"
REMEMBERED = 1000

_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._~!$&'()*+,;=%-]+)(?::[0-9]*)?")


class Hosts:
    """`names`: allowed besides this machine's own; ANY allows all. Ports are not looked at: a proxy has another."""

    def __init__(self, names: Iterable[str] = ()) -> None:
        self._names = {name.lower().rstrip(".") for name in (*LOCAL, *names)}
        self._known: set[bytes] = set()

    def known(self, host: bytes | None) -> bool:
        """Whether `problem` has lately found nothing wrong with this Host. For a path that has no time to look."""
        return host in self._known

    def problem(self, values: list[bytes], http_version: str) -> Problem | None:
        """What is wrong with the Host headers of a request, if anything is."""
        if not values and http_version == "1.0":
            return None
        parsed = _HOST.fullmatch(values[0].decode("latin-1")) if len(values) == 1 else None
        if parsed is None:
            return Problem(400, "bad-host", "A request has one Host header, with a host and perhaps a port.")
        if ANY not in self._names and parsed[1].lower().rstrip(".") not in self._names:
            return Problem(421, "wrong-host", "This server does not answer for that host.")
        if len(self._known) >= REMEMBERED:
            self._known.clear()
        self._known.add(values[0])
        return None
