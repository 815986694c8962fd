"""Overload: a server works on so many requests at once, lets so many wait, and refuses the rest at once.

Without it every request is taken in, all share the same processor, each takes longer, and once they take longer than
clients wait the server is busy with answers that nobody reads: more load brings *less* done. With it what is taken in
is finished in time, and whoever is refused knows at once, with a 503 that says when to come again.

Those that wait are served in the order in which they came. The newest first is the other choice: it serves those whose
clients surely still wait, where the old ones may have given up. Here nobody waits longer than PATIENCE, which is
shorter than what the balancer waits for an answer (`exchange.SILENCE`); so nobody in the queue has given up, and the
fair order costs nothing.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from starlette.types import ASGIApp, Receive, Scope, Send

from reference.platform.metrics import Metrics
from reference.platform.problems import MEDIA_TYPE, Problem
from reference.platform.settings import LiveSettings

PATIENCE = 1.0
"""Seconds that a request may wait for its turn."""
RETRY_AFTER = "1"
EXEMPT = frozenset(("/healthz", "/readyz", "/metrics"))
"""Who looks whether the server lives must not be told no because it is busy."""


class Overloaded(Exception):
    """`str(error)`: why a request was not admitted."""


class Gate:
    """`limits()`: how many may be inside, and how many may wait; asked for at each decision, as they can change."""

    def __init__(self, limits: Callable[[], tuple[int, int]]) -> None:
        self._limits = limits
        self._waiting: deque[tuple[float, asyncio.Future[None]]] = deque()
        """With the time at which each gives up. All wait equally long, so the first in the queue is the first to."""
        self._timer: asyncio.TimerHandle | None = None
        self.inside = 0

    @property
    def queued(self) -> int:
        return len(self._waiting)

    async def enter(self) -> None:
        """Returns once the caller is inside; it must `leave`. Overloaded: it is not, and is not to wait."""
        inside, queue = self._limits()
        if self.inside < inside and not self._waiting:
            self.inside += 1
            return
        if len(self._waiting) >= queue:
            raise Overloaded("queue-full")
        loop = asyncio.get_running_loop()
        place = (loop.time() + PATIENCE, loop.create_future())
        self._waiting.append(place)
        self._watch()
        try:
            await place[1]  # who sets the result has counted us in
        except asyncio.CancelledError:
            if place in self._waiting:
                self._waiting.remove(place)
            elif place[1].done() and not place[1].cancelled() and place[1].exception() is None:
                self.leave()
            raise

    def leave(self) -> None:
        """The next one's turn; more than one's, if the limit has been raised."""
        self.inside -= 1
        while self._waiting and self.inside < self._limits()[0]:
            _, future = self._waiting.popleft()
            if not future.done():
                self.inside += 1
                future.set_result(None)

    def _watch(self) -> None:
        if self._timer is None and self._waiting:
            self._timer = asyncio.get_running_loop().call_at(self._waiting[0][0], self._give_up)

    def _give_up(self) -> None:
        """Those in front whose time has come. One timer serves the whole queue."""
        self._timer = None
        now = asyncio.get_running_loop().time()
        while self._waiting and self._waiting[0][0] <= now:
            _, future = self._waiting.popleft()
            if not future.done():
                future.set_exception(Overloaded("waited-too-long"))
        self._watch()


class Admission:
    """ASGI middleware, inside RequestContext (a refusal is counted and has an id) and outside all that costs."""

    def __init__(self, app: ASGIApp, live: Callable[[], LiveSettings], metrics: Metrics) -> None:
        """`live`: the live settings as they are now; `max_in_flight` and `max_queue` count."""
        self.app = app
        self.gate = Gate(lambda: (live().max_in_flight, live().max_queue))
        metrics.gauge("requests_in_flight", "Requests worked on").set_function(lambda: self.gate.inside)
        metrics.gauge("requests_queued", "Requests that wait for a turn").set_function(
            lambda: self.gate.queued
        )
        self._refused = metrics.counter("requests_refused", "Requests not admitted", "reason")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in EXEMPT:
            return await self.app(scope, receive, send)
        try:
            await self.gate.enter()
        except Overloaded as reason:
            self._refused.labels(str(reason)).inc()
            return await refuse(scope, send)
        try:
            await self.app(scope, receive, send)
        finally:
            self.gate.leave()


async def refuse(scope: Scope, send: Send) -> None:
    problem = Problem(503, "overloaded", "This server has more to do than it can. Come again in a moment.")
    body = problem.body(scope["path"], scope.get("state", {}).get("request_id", ""))
    headers = {
        "content-type": MEDIA_TYPE,
        "content-length": str(len(body)),
        "cache-control": "no-store",
        "retry-after": RETRY_AFTER,
    }
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": problem.status, "headers": raw})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})
