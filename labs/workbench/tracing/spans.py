"""The steps of one request, as data, and what can be said of them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from workbench.tracing import diagram, otlp, table

Kind = Literal["edge", "balancer", "server", "cache", "store", "pool", "log", "click", "count"]
"""What a step is spent on. Steps at the store that all servers share and at the shards are both "store"; a step from
one process to the next has the kind of where it goes, for the time there is that process's."""

SERVICES = frozenset({"cache", "store", "pool", "log"})


@dataclass(frozen=True, slots=True)
class Span:
    """One step. `at`: ms after the request began; `ms`: how long it took (None: it was not over yet).

    `source`: who did it; `target`: whom it called, "" for work of its own. `depth`: 1 more than the step within which
    it happened. `waited`: the client's answer had to wait for it.
    """

    number: int
    source: str
    target: str
    what: str
    said: str
    """What came of it; "" if there is nothing to say."""
    at: float
    ms: float | None
    depth: int
    waited: bool
    kind: Kind

    @property
    def end(self) -> float:
        return self.at + (self.ms or 0.0)

    @property
    def is_call(self) -> bool:
        """A round trip from a process to a service."""
        return bool(self.target) and self.kind in SERVICES

    @property
    def where(self) -> str:
        return f"{self.source} → {self.target}" if self.target else self.source

    @property
    def text(self) -> str:
        return f"{self.what}: {self.said}" if self.said else self.what


@dataclass(frozen=True, slots=True)
class Trace:
    """What happened to the request `id`. Show it as a cell's last line; `.diagram` is the same as a picture."""

    id: str
    method: str
    path: str
    status: int | None
    """None: no answer was recorded."""
    spans: tuple[Span, ...]
    server: str = ""
    """The app server that answered; "" if none was reached."""
    how: str = ""
    """Of a redirect: "miss" (the store was asked), "hit", "memory" (the server's own, on its fast path), "edge"."""
    servers: tuple[str, ...] = ()
    """All app servers of the stack."""
    shards_known: tuple[str, ...] = ()
    """All shards of the stack."""
    body: bytes = field(default=b"", repr=False)
    records: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict, repr=False)
    """What each process recorded, as it did: what all else here was made of."""
    profile: str = ""
    began: float = 0.0
    """Seconds, on the clock of the machine's processes (`perf_counter`)."""
    offset: float = 0.0
    """Seconds from that clock to the wall's, which counts from 1970."""

    @property
    def ms(self) -> float:
        """What the client waited."""
        return self.spans[0].ms or 0.0 if self.spans else 0.0

    @property
    def calls(self) -> list[Span]:
        """The round trips to services that the client waited for."""
        return [span for span in self.spans if span.is_call and span.waited]

    @property
    def round_trips(self) -> int:
        """How many those are. (A transaction of several statements is one here; PostgreSQL may need more.)"""
        return len(self.calls)

    @property
    def later(self) -> int:
        """The round trips for which the client did not wait: the click's way to the log, and its counting."""
        return sum(span.is_call and not span.waited for span in self.spans)

    @property
    def shards(self) -> list[str]:
        """The shards that were asked while the client waited."""
        return sorted({span.target for span in self.calls if span.target.startswith("shard")})

    @property
    def asked_store(self) -> bool:
        return any(span.kind == "store" for span in self.calls)

    @property
    def logged(self) -> float | None:
        """ms after its beginning at which its click was in the log."""
        return max(
            (span.end for span in self.spans if span.target == "log" and not span.waited), default=None
        )

    @property
    def counted(self) -> float | None:
        """ms after its beginning at which its click was counted; None: it was not, or is not yet."""
        return max((s.end for s in self.spans if s.kind == "count" and s.ms is not None), default=None)

    def spent(self) -> dict[str, float]:
        """The ms that the client waited, by what they went on: `{"cache": 3.1, "store": 2.2, "server": 5.0, ...}`.

        A step's time is its own without that of the steps within it. What a process does while it calls is the call's.
        """
        waited = [span for span in self.spans if span.waited]
        found: dict[str, float] = {}
        for i, span in enumerate(waited):
            inner = _inner(waited, i)
            found[span.kind] = found.get(span.kind, 0.0) + max(0.0, (span.ms or 0.0) - _covered(inner))
        return {kind: ms for kind, ms in found.items() if kind != "click"}

    def json(self) -> Any:
        """The answer's body. ValueError: it is no JSON (or the request was not sent by `trace`)."""
        return json.loads(self.body)

    @property
    def trace_id(self) -> str:
        """32 hex digits; of a request that `trace` sent, what the log lines of all processes call it."""
        return otlp.id_of(self.id)

    def otlp(self) -> dict[str, Any]:
        """The same for OpenTelemetry's tools, as OTLP in JSON: `json.dumps` of it can be posted to a collector."""
        return otlp.otlp(self)

    # --- looks

    @property
    def title(self) -> str:
        hows = {
            "miss": "a miss",
            "hit": "a hit",
            "memory": "from its own memory",
            "edge": "from the edge's memory",
        }
        how = f", {hows[self.how]}" if self.how in hows else ""
        who = f" from {self.server}" if self.server else ""
        trips = f"{self.round_trips} round trip{'s' if self.round_trips != 1 else ''} to services"
        return f"{self.method} {self.path}: {self.status or 'no answer'}{who}{how}, {self.ms:.1f} ms, {trips}"

    @property
    def diagram(self) -> diagram.Diagram:
        """The same as a Mermaid sequence diagram."""
        return diagram.Diagram(self)

    def text(self) -> str:
        return table.text(self)

    __str__ = text

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        return {"text/plain": self.text(), "text/html": table.html(self)}


def _inner(spans: list[Span], i: int) -> list[Span]:
    """The steps within the step `i`, by depth."""
    found = []
    for span in spans[i + 1 :]:
        if span.depth <= spans[i].depth:
            break
        if span.depth == spans[i].depth + 1:
            found.append(span)
    return found


def _covered(spans: Iterable[Span]) -> float:
    """The ms that these took together, counting once what they did at the same time."""
    total, until = 0.0, float("-inf")
    for span in sorted(spans, key=lambda span: span.at):
        total += max(0.0, span.end - max(until, span.at))
        until = max(until, span.end)
    return total
