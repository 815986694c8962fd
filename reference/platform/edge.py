"""The edge: a caching proxy before the balancer, as a content delivery network has one near its clients.

What it answers from its memory no server sees: that is its use, and it is why such clicks are not counted.
It says what it did in `X-Cache`: hit, miss (the answer came from behind, and is kept if it may be), bypass (this
request must not be served from memory).

A deleted or expired link is redirected for as long as its answer is fresh here. By Cache-Control that is
`redirect_max_age` at most, which is chosen with that in mind; with the live setting `edge_ttl` it is that many
seconds. Command `purge` ends it at once.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from reference.platform.backends import Backends
from reference.platform.edge_cache import ENTRIES, EdgeCache, Key, Stored
from reference.platform.edge_witnesses import Counts, Keeper, Passing
from reference.platform.exchange import Exchange
from reference.platform.freshness import may_answer, wants_fresh
from reference.platform.front import Front
from reference.platform.front_client import Client
from reference.platform.http1 import HOP_BY_HOP, RequestHead
from reference.platform.proxy_traces import traced
from reference.platform.request_ids import id_for
from reference.platform.settings import LiveSettings
from reference.platform.tracing import Traces, remark

UNSAFE = (b"POST", b"PUT", b"PATCH", b"DELETE")
OWN = frozenset((b"x-cache", b"age", b"x-request-id", b"server-role"))
"""Headers of a stored answer that a hit gets anew."""


class Edge:
    """A Runnable. `upstream_url`: the balancer. `now`: for ages; never steps back."""

    def __init__(
        self,
        host: str,
        port: int,
        upstream_url: str,
        live: LiveSettings | None = None,
        now: Callable[[], float] = time.monotonic,
        entries: int = ENTRIES,
    ) -> None:
        upstream = urlsplit(upstream_url)
        assert upstream.hostname is not None
        self.live = live or LiveSettings()
        self.behind = Backends(upstream.hostname, {"balancer": upstream.port or 80})
        """Only one, so there is nothing to choose, and nothing to be learned from health checks."""
        self.cache = EdgeCache(now, entries)
        self._now = now
        self.counts = Counts()
        self._front = Front(host, port, "edge", self._traced_answer)
        self._traces = Traces()

    async def start(self) -> dict[str, Any]:
        return {"port": await self._front.start()}

    async def stop(self) -> None:
        await self._front.stop()
        self.behind.close()

    async def command(self, name: str, args: dict[str, Any]) -> Any:
        match name, args:
            case "purge", _:
                return {"purged": self.cache.purge()}
            case "set", {"name": str() as setting, "value": value}:
                before, self.live = self.live, self.live.with_value(setting, value)
                if before.edge_ttl != self.live.edge_ttl:
                    self.cache.purge()  # what is there was kept by the rule that held before
                return self.live.model_dump()
            case "settings", _:
                return self.live.model_dump()
            case "trace", {"id": str() as request_id}:
                return self._traces.spans(request_id)
        raise ValueError(f"no command {name!r} with {', '.join(args) or 'no arguments'}")

    def health(self) -> dict[str, Any]:
        """`answers`: how many, by what X-Cache said; `redirects`: those of them that were redirects."""
        return {
            "answers": dict(self.counts.answers),
            "redirects": dict(self.counts.redirects),
            "entries": len(self.cache),
            "bytes": self.cache.size,
            "refused": {str(status): count for status, count in self._front.refused.items()},
            "behind": {
                name: count for name, count in self.behind["balancer"].health().items() if name != "state"
            },
        }

    # --- one request

    async def _traced_answer(self, client: Client, request: RequestHead) -> bool:
        with traced(self._traces, client, request):
            return await self._answer(client, request)

    async def _answer(self, client: Client, request: RequestHead) -> bool:
        key = (request.get(b"host") or b"", request.target)
        if not may_answer(request):
            return await self._pass(client, request, key)
        if wants_fresh(request):
            return await self._fetch(client, request, key)
        while True:
            found = self.cache.get(key)
            if found is not None and found.head is not None:
                return await self._hit(client, request, found)
            if (
                found is not None or request.method == b"HEAD"
            ):  # a HEAD's answer is not kept: nobody waits for it
                return await self._fetch(client, request, key)
            if await self.cache.turn(key):
                try:
                    return await self._fetch(client, request, key)
                finally:
                    self.cache.landed(key)

    async def _hit(self, client: Client, request: RequestHead, found: Stored) -> bool:
        assert found.head is not None
        self.counts.add("hit", found.head.status)
        remark(status=found.head.status, how="edge")
        add = [
            (b"age", str(found.age(self._now())).encode()),
            (b"x-cache", b"hit"),
            (b"x-request-id", id_for(request)),
            (b"server-role", b"edge"),
            (b"connection", b"keep-alive" if request.keep_alive else b"close"),
        ]
        body = b"" if request.method == b"HEAD" else found.body
        client.write(found.head.encode(HOP_BY_HOP | OWN, add) + body)
        await client.drain(None)
        return request.keep_alive

    async def _fetch(self, client: Client, request: RequestHead, key: Key) -> bool:
        witness = Keeper(self.cache, self.counts, request, key, self.live.edge_ttl)
        return await Exchange(client, request, self.behind, witness).run()

    async def _pass(self, client: Client, request: RequestHead, key: Key) -> bool:
        try:
            return await Exchange(client, request, self.behind, Passing(self.counts)).run()
        finally:
            if request.method in UNSAFE:  # it may have changed what this URL means (RFC 9111, 4.4)
                self.cache.drop(key)
