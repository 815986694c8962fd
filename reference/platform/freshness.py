"""What a shared cache may keep, and for how long: the part of RFC 9111 that an edge needs.

Left out, always to the safe side: heuristics and `Expires` (what has no explicit age is not kept), validation (what is
stale is fetched anew), `Vary` (an answer that has one is not kept), `Authorization` (a request that has one passes by).
"""

from __future__ import annotations

import re

from reference.platform.http1 import RequestHead, ResponseHead

STORABLE = (200, 301, 302)
REDIRECTS = (301, 302)
LONGEST = 31_536_000.0
"""Seconds: a year; more is taken for that."""

_DIRECTIVE = re.compile(rb'([!#$%&\'*+.^_`|~0-9A-Za-z-]+)(?:=(?:"((?:[^"\\]|\\.)*)"|([^\s,;"]*)))?')


def directives(value: bytes | None) -> dict[bytes, bytes]:
    """Of a Cache-Control: name, in lower case, to its argument (b"" if it has none). The first of a kind counts."""
    found: dict[bytes, bytes] = {}
    for name, quoted, plain in _DIRECTIVE.findall(value or b""):
        found.setdefault(name.lower(), quoted or plain)
    return found


def seconds(argument: bytes | None) -> float | None:
    """A number of seconds; None if there is none. What cannot be read is 0: stale at once (RFC 9111, 4.2.1)."""
    if argument is None:
        return None
    return min(float(argument), LONGEST) if argument.isdigit() and len(argument) < 20 else 0.0


def may_answer(request: RequestHead) -> bool:
    """Whether a stored answer may serve this request, and its answer be stored."""
    if request.method not in (b"GET", b"HEAD") or request.framing != 0 or request.upgrades:
        return False
    if b"authorization" in request.fields or b"range" in request.fields:
        return False
    return b"no-store" not in directives(request.get(b"cache-control"))


def wants_fresh(request: RequestHead) -> bool:
    """Whether the client refuses a stored answer, as a browser does on a hard reload."""
    asked = directives(request.get(b"cache-control"))
    return (
        b"no-cache" in asked
        or asked.get(b"max-age") == b"0"
        or b"no-cache" in (request.get(b"pragma") or b"")
    )


def lifetime(answer: ResponseHead, redirect_ttl: float = 0.0) -> float:
    """Seconds that the answer to a GET may be served without asking; 0: it is not to be kept.

    `redirect_ttl`: if not 0, what holds for a redirect whatever its Cache-Control says.
    """
    if answer.status not in STORABLE or b"vary" in answer.fields or b"set-cookie" in answer.fields:
        return 0.0
    if answer.status in REDIRECTS and redirect_ttl:
        return redirect_ttl
    said = directives(answer.get(b"cache-control"))
    if said.keys() & {b"no-store", b"private", b"no-cache"}:
        return 0.0
    shared = seconds(said.get(b"s-maxage"))
    given = shared if shared is not None else seconds(said.get(b"max-age"))
    return max(0.0, (given or 0.0) - age_of(answer))


def age_of(answer: ResponseHead) -> float:
    """Seconds that the answer has already spent in caches before this one."""
    return seconds(answer.get(b"age")) or 0.0
