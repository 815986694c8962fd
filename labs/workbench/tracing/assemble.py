"""From what each process recorded to the steps of one request in their order.

All processes of a machine read one clock, so that what they recorded can be put in order. A call over HTTP is recorded
twice, by who asks and by who is asked: that is one step here, with the times of who asks. A proxy is done with an
answer a moment after its client has it; that moment is left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import inf
from typing import Any

from workbench.tracing.rounding import end_of, fitted
from workbench.tracing.spans import Kind, Span, Trace
from workbench.tracing.words import of_command, of_sql

Record = Mapping[str, Any]
OUTER: frozenset[Kind] = frozenset({"edge", "balancer", "server", "count"})
"""Steps within which others happen."""
SLACK = 0.000_05
"""Seconds by which a step may seem to end after the one that it belongs to."""


@dataclass(frozen=True, slots=True)
class Asked:
    """The request as its client saw it; times in seconds on the machine's clock."""

    method: str
    path: str
    to: str
    began: float
    seconds: float
    status: int
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Step:
    """A span before it is put in its place."""

    source: str
    target: str
    what: str
    said: str
    began: float
    seconds: float | None
    kind: Kind
    behind: bool = False
    """The client never waits for it."""

    @property
    def end(self) -> float:
        return self.began + (self.seconds or 0.0)


def assemble(
    request_id: str,
    found: Mapping[str, Sequence[Record]],
    asked: Asked | None = None,
    *,
    servers: Sequence[str] = (),
    shards: Sequence[str] = (),
    profile: str = "",
    offset: float = 0.0,
) -> Trace:
    """`found`: what each role recorded. `asked`: None if somebody else sent the request. `offset`: seconds from the
    clock of what was recorded to that of the wall."""
    outermost = asked.to if asked is not None else _outermost(found)
    limits = (asked.began, asked.began + asked.seconds) if asked is not None else (-inf, inf)
    found = fitted(found, outermost, *limits)
    hops = _hops(found, asked, outermost)
    if not hops:
        return Trace(request_id, "?", "?", None, ())
    first = hops[0]
    began, answered = first.began, first.end
    hops = [replace(hop, seconds=min(hop.end, answered) - hop.began) if hop.seconds else hop for hop in hops]
    resolved = next((r for records in found.values() for r in records if r["name"] == "resolve"), None)
    steps = hops + [step for role, records in found.items() for step in _own(role, records)]
    spans = _placed(steps, began, answered)
    handled = [
        (role, r) for role, records in found.items() for r in records if r["name"] in ("handle", "pass on")
    ]
    handled.sort(key=lambda each: each[1]["began"])
    how = str(next((r["how"] for _, r in handled if r.get("how")), (resolved or {}).get("how", "")))
    method, _, path = first.what.partition(" ")
    return Trace(
        id=request_id,
        method=method,
        path=path,
        status=asked.status if asked else next((r["status"] for _, r in handled if r.get("status")), None),
        spans=tuple(spans),
        server=next((role for role, r in reversed(handled) if r["name"] == "handle"), ""),
        how=how,
        servers=tuple(servers),
        shards_known=tuple(shards),
        body=asked.body if asked else b"",
        records=found,
        profile=profile,
        began=began,
        offset=offset,
    )


def _outermost(found: Mapping[str, Sequence[Record]]) -> str:
    """Whom nobody asked, of those that were asked; "" if nobody was."""
    called = {str(r["to"]) for records in found.values() for r in records if r["name"] == "ask"}
    began = {
        role: r["began"]
        for role, records in found.items()
        for r in records
        if r["name"] in ("pass on", "handle")
    }
    return next((role for role in sorted(began, key=lambda role: began[role]) if role not in called), "")


# --- over HTTP, from process to process


def _hops(found: Mapping[str, Sequence[Record]], asked: Asked | None, outermost: str) -> list[Step]:
    """From the client inwards. The first is the client's own; if that is not known, what the outermost process saw."""
    asks = [(role, r) for role, records in found.items() for r in records if r["name"] == "ask"]
    handles = {
        role: r for role, records in found.items() for r in records if r["name"] in ("pass on", "handle")
    }
    hops = []
    if asked is not None:
        what, said = f"{asked.method} {asked.path}", _answer(asked.status, handles.get(asked.to))
        hops.append(Step("client", asked.to, what, said, asked.began, asked.seconds, _kind(asked.to)))
    elif outermost:
        r = handles[outermost]
        what = f"{r['method']} {r['path']}"
        status = r.get("status") or next((a.get("status") for role, a in asks if role == outermost), None)
        hops.append(
            Step("client", outermost, what, _answer(status, r), r["began"], r["seconds"], _kind(outermost))
        )
    for role, r in sorted(asks, key=lambda each: each[1]["began"]):
        to = str(r["to"])
        what = hops[0].what if hops else "asks"
        said = f"no answer ({r['failed']})" if r.get("failed") else _answer(r.get("status"), handles.get(to))
        hops.append(Step(role, to, what, said, r["began"], r["seconds"], _kind(to)))
    return hops


def _answer(status: int | None, handled: Record | None) -> str:
    how = {"memory": ", from its own memory", "edge": ", from its own memory"}.get(
        (handled or {}).get("how", ""), ""
    )
    return f"{status or 'no answer'}{how}"


def _kind(role: str) -> Kind:
    return role if role in ("edge", "balancer") else "server"  # type: ignore[return-value]


# --- what a process did itself, and what it asked of services


def _own(role: str, records: Sequence[Record]) -> list[Step]:
    steps = []
    resolve = next((r for r in records if r["name"] == "resolve"), None)
    read_store = False
    for r in records:
        if r["name"] in ("pass on", "handle", "ask"):
            continue
        within = (
            resolve is not None and resolve["began"] <= r["began"] and end_of(r) <= end_of(resolve) + SLACK
        )
        step = _step(role, r, within=within, read_store=read_store)
        read_store = read_store or (step.kind == "store" and step.source != "consumer")
        steps.append(step)
    return steps


def _step(role: str, r: Record, *, within: bool, read_store: bool) -> Step:
    name, to = str(r["name"]), str(r["to"])
    at = (float(r["began"]), None if r["seconds"] is None else float(r["seconds"]))
    match name:
        case "resolve":
            said = {"unknown": "unknown", "expired": "expired"}.get(r.get("state", ""), "")
            said = f"a {r['how']}{', ' + said if said else ''}" if "how" in r else _failure(r)
            return Step(role, "", f"finds out what {r['code']} means", said, *at, "server")
        case "click":
            said = f"{r['waiting']} there now" if r["taken"] else "no room: the click is lost"
            return Step(role, "", "puts the click into its buffer", said, *at, "click")
        case "append":
            said = f"{r['events']} click{'s' if r['events'] != 1 else ''}"
            return Step(role, "log", "append", said, *at, "log", behind=True)
        case "count":
            said = (
                _failure(r)
                or f"{r['events']} click{'s' if r['events'] != 1 else ''} of partition {r['partition']}"
            )
            return Step(role, "", "counts a batch", said, *at, "count", behind=True)
    if "key" in r or "commands" in r:
        what, said = of_command(r, resolving=within, read_store=read_store)
        kind: Kind = to if to in ("cache", "pool", "log") else "cache"  # type: ignore[assignment]
    else:
        what, said = of_sql(r)
        kind = "store"
    return Step(role, to, what, _failure(r) or said, *at, kind, behind=role == "consumer")


def _failure(r: Record) -> str:
    return f"failed: {r['failed']}" if r.get("failed") else ""


# --- in their order


def _placed(steps: Sequence[Step], began: float, answered: float) -> list[Span]:
    """In the order in which they began, an outer step before an inner one; each knows how deep it is."""
    ordered = sorted(steps, key=lambda step: (step.began, step.kind == "click", -(step.seconds or 0.0)))
    open_: list[Step] = []
    spans = []
    for number, step in enumerate(ordered, 1):
        waited = not step.behind and step.end <= answered + SLACK
        while open_ and not _holds(open_[-1], step):
            open_.pop()
        spans.append(
            Span(
                number=number,
                source=step.source,
                target=step.target,
                what=step.what,
                said=step.said,
                at=round(1000 * (step.began - began), 3),
                ms=None if step.seconds is None else round(1000 * step.seconds, 3),
                depth=len(open_) if waited or step.source == "consumer" else 0,
                waited=waited,
                kind=step.kind,
            )
        )
        if step.kind in OUTER and (waited or step.behind):
            open_.append(step)
    return [replace(span, number=n) for n, span in enumerate(_later_last(spans), 1)]


def _holds(outer: Step, inner: Step) -> bool:
    if outer.behind != inner.behind:
        return False
    return inner.source in (outer.target or outer.source, outer.source) and inner.end <= outer.end + SLACK


def _later_last(spans: list[Span]) -> list[Span]:
    """What the client waited for first: a batch for the log may have begun before the answer left."""
    return [span for span in spans if span.waited] + [span for span in spans if not span.waited]
