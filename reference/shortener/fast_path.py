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

from prometheus_client import Histogram

from reference.platform.clock import Clock
from reference.platform.live import Live
from reference.platform.logs import JsonLog
from reference.platform.metrics import Metrics
from reference.platform.tally import Tally
from reference.platform.tracing import Traces
from reference.platform.tracing import clock as steps
from reference.shortener.clicks import ClickBuffer
from reference.shortener.fast_log import SampledLog
from reference.shortener.fast_responses import FastResponses
from reference.shortener.near_cache import Hot, NearCache, steady
from reference.shortener.plain_gets import Headers, Plain, PlainGets, Traced

ROUTE = "/{code}"
Fillings = Callable[[], Mapping[str, str]]
"""Of each slot that the fast path bypasses, the name of what fills it."""


class FastPath:
    """What the connections of one server share. `gets`: which requests it takes. `seconds`: counts the fast answers
    among all redirects. `traces`: records the requests that ask for it."""

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
        gets: PlainGets,
        fillings: Fillings,
        traces: Traces | None = None,
    ) -> None:
        self.near = near
        self.gets = gets
        self._clicks = clicks
        self._traces = traces or Traces()
        self._put = clicks.put
        self._number = clicks.number
        self._live = live
        self._now = clock.now
        self._random = random.random
        self._fillings = fillings
        self._tallies = {
            status: Tally(
                metrics.http_requests.labels(ROUTE, str(status)), metrics.http_seconds.labels(ROUTE), seconds
            )
            for status in (301, 302)
        }
        metrics.before_text += [tally.fold for tally in self._tallies.values()]
        self._log = SampledLog(record, role, ROUTE)
        self._responses = FastResponses(role, clicks.start_id)
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

    def answer(self, hot: Hot, asked: Plain, default_headers: Headers) -> bytes | None:
        """The response to a GET of `hot`, which now counts as a click; None: not here. `default_headers`: uvicorn's."""
        began, now = steady(), self._now()
        if began >= self.near.fresh_until or hot.expires_at <= now:
            return None
        responses = self._responses
        if responses.default_headers is not default_headers or responses.settings is not self._live.now:
            self._renew(default_headers)
        who, trace = asked
        number = self._number()
        taken = self._put((number, hot.code, now, trace, who))
        hot.used = True
        sample = self._sample
        if trace:
            response = responses.special(hot, now, trace)
            if isinstance(asked, Traced):
                self._record(trace, hot, steady() - began, taken)
                sample = 1.0
        elif responses.max_age >= 1:
            response = responses.special(hot, now, responses.id_of(number))
        else:  # nearly all
            response = responses.usual % (hot.location, number)
        self.ended = ended = steady()
        seconds = ended - began
        self._observe(seconds)
        if self._random() < sample:
            self._log.add(trace or responses.id_of(number), responses.status, seconds, now)
        return response

    def _renew(self, default_headers: Headers) -> None:
        settings = self._live.now
        self._responses.renew(default_headers, settings)
        self._sample = settings.request_log_sample
        self._observe = self._tallies[settings.redirect_status].observe

    def _record(self, trace: str, hot: Hot, seconds: float, taken: bool) -> None:
        recording = self._traces.begin(trace)
        recording.add(
            "handle",
            method="GET",
            path=f"/{hot.code}",
            began=steps() - seconds,
            seconds=seconds,
            status=self._responses.status,
            how="memory",
        )
        self._clicks.follow(trace, recording, taken)
