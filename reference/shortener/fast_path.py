"""The fast path: hot redirects, answered where their bytes arrive.

On its way through uvicorn, the middleware, FastAPI's routing and the slot, a redirect from the cache costs some 400
microseconds of Python. Of these, fewer than ten are the redirect's own. So a subclass of uvicorn's protocol looks at
each request when its head is complete; a plain GET of a link that is in the near cache is answered right there, and
everything else goes on as if nobody had looked. Parsing stays the parser's: what cut, joined or malformed requests
mean is decided in one place for both paths. `tests/bench/bench_redirects.py` measures what this brings: sixteen times
the redirects of plain FastAPI with redis-py, 0.6 of what nginx makes of a constant one.

It is a second way to the same answer, and must not be another answer: same headers, same checks, same click, same
metrics, same log. A differential test holds it to that. It is off while somebody's own component is in a slot of the
read path, which would otherwise never be asked.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from typing import NamedTuple

from prometheus_client import Histogram

from reference.platform.clock import Clock
from reference.platform.hosts import Hosts
from reference.platform.live import Live
from reference.platform.logs import JsonLog
from reference.platform.metrics import Metrics
from reference.platform.peers import client_address
from reference.platform.request_context import well_formed
from reference.platform.tally import Tally
from reference.platform.tracing import Traces, asks, is_local
from reference.platform.tracing import clock as steps
from reference.shortener.clicks import ClickBuffer, told
from reference.shortener.fast_log import SampledLog
from reference.shortener.near_cache import Hot, NearCache, steady
from reference.shortener.privacy import visitor
from reference.shortener.redirects_api import cache_control

ROUTE = "/{code}"
KNOWN = 10_000
"""Heads of requests that are remembered."""

SLOW_HEADERS = frozenset({b"content-length", b"transfer-encoding", b"upgrade", b"expect"})
"""What makes a GET more than a plain one."""
VISITOR_HEADERS = (b"referer", b"user-agent", b"x-forwarded-for")
KEEP_ALIVE = (None, b"keep-alive", b"Keep-Alive")

Headers = list[tuple[bytes, bytes]]
Fillings = Callable[[], Mapping[str, str]]
"""Of each slot that the fast path bypasses, the name of what fills it."""


class Plain(NamedTuple):
    """What a plain GET says beside its path. `visitor`: as a click tells of it. `trace`: a request id of the client's
    own, or ""."""

    visitor: str
    trace: str


class Traced(Plain):
    """One that is to be recorded."""

    __slots__ = ()


class FastPath:
    """What the connections of one server share. `proxies`: of ours, in front of this server. `seconds`: counts the fast
    answers among all redirects. `traces`: records the requests that ask for it."""

    def __init__(
        self,
        *,
        near: NearCache,
        clicks: ClickBuffer,
        live: Live,
        clock: Clock,
        random: random.Random,
        metrics: Metrics,
        seconds: Histogram,
        record: JsonLog,
        role: str,
        hosts: Hosts,
        proxies: int,
        fillings: Fillings,
        traces: Traces | None = None,
    ) -> None:
        self.near = near
        self._clicks = clicks
        self._traces = traces or Traces()
        self._put = clicks.put
        self._number = clicks.number
        self._start = clicks.start_id
        self._live = live
        self._now = clock.now
        self._random = random.random
        self._hosts = hosts
        self._proxies = proxies
        self._fillings = fillings
        self._tallies = {
            status: Tally(
                metrics.http_requests.labels(ROUTE, str(status)), metrics.http_seconds.labels(ROUTE), seconds
            )
            for status in (301, 302)
        }
        metrics.before_text += [tally.fold for tally in self._tallies.values()]
        self._log = SampledLog(record, role, ROUTE)
        self.known: dict[tuple[str, bytes], Plain] = {}
        """Of requests that were parsed before, by peer and by what stood behind the path."""
        self._tail = f"\r\nserver-role: {role}\r\n\r\n".encode()
        self._settings = live.now
        self._default_headers: Headers | None = None
        self.ended = 0.0
        """When the last answer was ready."""
        self.on = False
        self.look()

    def write_log(self) -> None:
        """Of the requests that the log is to tell of, those that it has not been told of yet."""
        self._log.write()

    # --- whether it may be used

    def look(self) -> None:
        """To be called whenever a slot or a live setting has changed."""
        self.on = self._live.now.fast_path and self._swapped() is None
        if not self.on:
            self.near.clear()

    def _swapped(self) -> str | None:
        return next(
            (f"{slot} holds {name}" for slot, name in self._fillings().items() if name != "reference"), None
        )

    def state(self) -> str:
        """ "on", or "off: " and why."""
        if not self._live.now.fast_path:
            return "off: live setting fast_path"
        if (swapped := self._swapped()) is not None:
            return f"off: {swapped}"
        if steady() >= self.near.fresh_until:
            return "off: no word from the cache"
        return "on"

    # --- one answer

    def remember(self, peer: str, rest: bytes, asked: Plain) -> None:
        if len(self.known) >= KNOWN:
            self.known.clear()
        self.known[peer, rest] = asked

    def plain(self, headers: Headers, peer: str) -> Plain | None:
        """What the headers of a GET say, if they say nothing that needs the slow path."""
        found = dict(headers)
        if (
            len(found) != len(headers)  # a header that is there twice
            or not SLOW_HEADERS.isdisjoint(found)
            or found.get(b"connection") not in KEEP_ALIVE
            or not self._hosts.known(found.get(b"host"))
        ):
            return None
        referer, agent, forwarded = (found.get(name, b"").decode("latin-1") for name in VISITOR_HEADERS)
        given = found.get(b"x-request-id")
        trace = given.decode() if given is not None and well_formed(given) else ""
        kind = Traced if asks(trace) and is_local(peer, forwarded) else Plain
        return kind(told(visitor(referer, agent, client_address(forwarded, peer, self._proxies))), trace)

    def answer(self, hot: Hot, asked: Plain, default_headers: Headers) -> bytes | None:
        """The response to a GET of `hot`, which now counts as a click; None: not here. `default_headers`: uvicorn's."""
        began, now = steady(), self._now()
        if began >= self.near.fresh_until or hot.expires_at <= now:
            return None
        if self._default_headers is not default_headers or self._settings is not self._live.now:
            self._renew(default_headers)
        who, trace = asked
        number = self._number()
        taken = self._put((number, hot.code, now, trace, who))
        hot.used = True
        if trace:
            response = self._form(hot, now, trace.encode())
            if isinstance(asked, Traced):
                self._record(trace, hot, steady() - began, taken)
        elif self._max_age >= 1:
            response = self._form(hot, now, self._id(number).encode())
        else:  # nearly all
            response = self._usual % (hot.location, number)
        self.ended = ended = steady()
        seconds = ended - began
        self._observe(seconds)
        if self._random() < self._sample:
            self._log.add(trace or self._id(number), self._status, seconds, now)
        return response

    def _record(self, trace: str, hot: Hot, seconds: float, taken: bool) -> None:
        recording = self._traces.begin(trace)
        recording.add(
            "handle",
            method="GET",
            path=f"/{hot.code}",
            began=steps() - seconds,
            seconds=seconds,
            status=self._status,
            how="memory",
        )
        self._clicks.follow(trace, recording, taken)

    def _id(self, number: int) -> str:
        """A request without an id of its own has that of its click."""
        return f"{self._start}{number:016x}"

    def _renew(self, default_headers: Headers) -> None:
        """Once a second, when uvicorn has written a new date; and when a setting was turned."""
        self._default_headers, self._settings = default_headers, self._live.now
        self._status, self._max_age = self._settings.redirect_status, self._settings.redirect_max_age
        self._sample = self._settings.request_log_sample
        self._observe = self._tallies[self._status].observe
        phrase = {301: "Moved Permanently", 302: "Found"}[self._status]
        lines = [b"%b: %b\r\n" % header for header in default_headers]
        self._before = b"".join(
            [f"HTTP/1.1 {self._status} {phrase}\r\n".encode(), *lines, b"cache-control: "]
        )
        start, before, after = (
            _literal(part) for part in (self._start.encode(), self._head(0.0), self._tail)
        )
        self._usual = before + b"%b\r\nx-request-id: " + start + b"%016x" + after

    def _head(self, remaining: float) -> bytes:
        keep = cache_control(self._max_age, remaining)
        return b"%b%b\r\ncontent-length: 0\r\nlocation: " % (self._before, keep.encode())

    def _form(self, hot: Hot, now: float, trace: bytes) -> bytes:
        return b"%b%b\r\nx-request-id: %b%b" % (
            self._head(hot.expires_at - now),
            hot.location,
            trace,
            self._tail,
        )


def _literal(part: bytes) -> bytes:
    """As a part of a format."""
    return part.replace(b"%", b"%%")
