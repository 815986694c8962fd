"""What one browser keeps of redirects: as much of RFC 9111 as the choice between 301 and 302 needs.

Left out: `Expires`, validation, `Vary`, and redirects of other methods than GET.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from reference.platform.freshness import directives, seconds

KEPT_UNASKED = (301, 308)
"""Redirects that a cache may keep although nothing is said of caching (RFC 9110, 15.1). RFC 9111 leaves to the browser
for how long; the common ones set no end, and ask again when they have forgotten the redirect for want of room."""

REDIRECTS = (301, 302, 303, 307, 308)


class Response(Protocol):
    """What is needed of an `httpx.Response`."""

    @property
    def status_code(self) -> int: ...
    @property
    def headers(self) -> Mapping[str, str]: ...


Fetch = Callable[[str], Response]


@dataclass(frozen=True, slots=True)
class Visit:
    """What came of a click. `kept`: the browser knew the way already, and asked nobody."""

    status: int
    location: str
    kept: bool


@dataclass(frozen=True, slots=True)
class Known:
    visit: Visit
    until: float


class Browser:
    """One browser, with a time of its own (`wait`). `asked`: the requests that it has sent by `fetch`."""

    def __init__(self, fetch: Fetch) -> None:
        self.fetch = fetch
        self.now = 0.0
        self.asked = 0
        self.known: dict[str, Known] = {}

    def wait(self, seconds: float) -> None:
        self.now += seconds

    def click(self, url: str) -> Visit:
        """Follows a link as far as its Location."""
        known = self.known.get(url)
        if known is not None and self.now < known.until:
            return known.visit
        self.asked += 1
        answer = self.fetch(url)
        location = answer.headers.get("location", "")
        fresh_for = lifetime(answer.status_code, answer.headers)
        self.known.pop(url, None)
        if fresh_for > 0:
            self.known[url] = Known(Visit(answer.status_code, location, kept=True), self.now + fresh_for)
        return Visit(answer.status_code, location, kept=False)


def lifetime(status: int, headers: Mapping[str, str]) -> float:
    """Seconds that a browser may use a redirect again without asking; 0: it must ask each time."""
    if status not in REDIRECTS:
        return 0.0
    said = directives(headers.get("cache-control", "").encode())
    if (
        b"no-store" in said or b"no-cache" in said
    ):  # with no-cache it may be kept, and must be asked for all the same
        return 0.0
    max_age = seconds(
        said.get(b"max-age")
    )  # s-maxage is for caches that many people share: not for a browser
    if max_age is not None:
        age = headers.get("age")
        return max(0.0, max_age - (seconds(age.encode()) or 0.0 if age is not None else 0.0))
    return math.inf if status in KEPT_UNASKED else 0.0


@dataclass(frozen=True, slots=True)
class Bare:
    """An answer whose server says nothing of caching."""

    status_code: int
    headers: Mapping[str, str]


def bare(fetch: Fetch) -> Fetch:
    """`fetch`, and the header Cache-Control is taken off its answers."""

    def fetch_bare(url: str) -> Bare:
        answer = fetch(url)
        rest = {name.lower(): value for name, value in answer.headers.items()}
        rest.pop("cache-control", None)
        return Bare(answer.status_code, rest)

    return fetch_bare
