"""A trace for OpenTelemetry's tools: as OTLP in JSON (OTLP 1.x, "JSON Protobuf Encoding"), which collectors, Jaeger and
Tempo take at /v1/traces. Names and attributes follow the semantic conventions for HTTP, databases and messaging."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from reference.platform.trace_context import trace_id_of

if TYPE_CHECKING:
    from workbench.tracing.spans import Trace

Record = Mapping[str, Any]
INTERNAL, SERVER, CLIENT, PRODUCER, CONSUMER = 1, 2, 3, 4, 5
ERROR = 2
SCOPE = {"name": "workbench"}
SYSTEMS: dict[str, dict[str, str]] = {
    "embedded": {"store": "sqlite", "log": "redis"},
    "local": {"store": "postgresql", "log": "redis"},
    "compose": {"store": "postgresql", "log": "kafka"},
}
"""What the store and the log are, by profile. The cache and the pool are a Redis everywhere."""


@dataclass(slots=True)
class Node:
    """A span on its way to OTLP. `began`, `ended`: seconds on the machine's clock."""

    service: str
    name: str
    kind: int
    began: float
    ended: float
    attributes: dict[str, Any]
    failed: str
    id: str = ""
    parent: str = ""


def otlp(trace: Trace) -> dict[str, Any]:
    """An ExportTraceServiceRequest. A span that was not over yet is left out."""
    nodes = list(_nodes(trace))
    for number, node in enumerate(nodes):
        node.id = hashlib.sha256(f"{trace.id}/{number}".encode()).hexdigest()[:16]
    for node in nodes:
        node.parent = _parent(node, nodes)
    services = dict.fromkeys(node.service for node in nodes)
    return {
        "resourceSpans": [
            {
                "resource": {"attributes": _attributes({"service.name": service})},
                "scopeSpans": [
                    {
                        "scope": SCOPE,
                        "spans": [
                            _span(id_of(trace.id), n, trace.offset) for n in nodes if n.service == service
                        ],
                    }
                ],
            }
            for service in services
        ]
    }


def id_of(request_id: str) -> str:
    """The trace id of a request; one that has an id of its client's own gets one made of that."""
    return trace_id_of(request_id) or hashlib.sha256(request_id.encode()).hexdigest()[:32]


def _nodes(trace: Trace) -> Iterator[Node]:
    records: Mapping[str, Sequence[Record]] = trace.records
    systems = SYSTEMS.get(trace.profile, {})
    front = trace.spans[0] if trace.spans else None
    if front is not None and front.source == "client" and front.ms is not None:
        facts: dict[str, Any] = {"http.request.method": trace.method, "url.path": trace.path}
        facts["server.address"] = front.target
        if trace.status:
            facts["http.response.status_code"] = trace.status
        yield Node("client", trace.method, CLIENT, trace.began, trace.began + front.ms / 1000, facts, "")
    for role, spans in records.items():
        for r in spans:
            if r["seconds"] is not None:
                name, kind, facts = _told(r, systems)
                status = r.get("status") or 0
                failed = str(r.get("failed") or (status if status >= 500 else ""))
                if failed:
                    facts["error.type"] = failed
                yield Node(role, name, kind, r["began"], r["began"] + r["seconds"], facts, failed)


def _told(r: Record, systems: Mapping[str, str]) -> tuple[str, int, dict[str, Any]]:
    """Name, kind, attributes."""
    name, to = str(r["name"]), str(r["to"])
    facts: dict[str, Any] = {"server.address": to} if to else {}
    if "status" in r:
        facts["http.response.status_code"] = r["status"]
    match name:
        case "pass on" | "handle":
            return r["method"], SERVER, facts | {"http.request.method": r["method"], "url.path": r["path"]}
        case "ask":
            return "ask", CLIENT, facts
        case "append":
            log = {"messaging.system": systems.get("log", ""), "messaging.operation.type": "send"}
            return "send clicks", PRODUCER, facts | log | {"messaging.batch.message_count": r["events"]}
        case "count":
            log = {"messaging.system": systems.get("log", ""), "messaging.operation.type": "process"}
            return "process clicks", CONSUMER, facts | log | {"messaging.batch.message_count": r["events"]}
        case "resolve" | "click":
            return name, INTERNAL, facts
    if not to:
        return name, INTERNAL, facts
    redis = "key" in r or "commands" in r
    system = "redis" if redis else systems.get("store", "")
    facts |= {"db.system.name": system, "db.query.summary": name}
    if redis:
        return f"{name} {to}", CLIENT, facts | {"db.operation.name": name}
    return name, CLIENT, facts | {"db.operation.name": name.partition(" ")[0]}


def _parent(node: Node, nodes: Sequence[Node]) -> str:
    """Of one that handles what somebody asked of it: who asked. Else the innermost span of its own process around it;
    else the client's, to which all belongs."""
    if node.kind == SERVER:
        asked = [n for n in nodes if n.attributes.get("server.address") == node.service and n is not node]
        around = [n for n in asked if n.kind == CLIENT and n.began <= node.began]
        return max(around, key=lambda n: n.began).id if around else ""
    around = [
        n
        for n in nodes
        if n is not node and n.service == node.service and n.kind in (SERVER, CONSUMER, INTERNAL)
        if n.began <= node.began and node.ended <= n.ended
    ]
    if around:
        return min(around, key=lambda n: n.ended - n.began).id
    return nodes[0].id if nodes[0] is not node else ""


def _span(trace_id: str, node: Node, offset: float) -> dict[str, Any]:
    """`offset`: seconds from the machine's clock to that of the wall."""
    span = {
        "traceId": trace_id,
        "spanId": node.id,
        "name": node.name,
        "kind": node.kind,
        "startTimeUnixNano": str(round((node.began + offset) * 1e9)),
        "endTimeUnixNano": str(round((node.ended + offset) * 1e9)),
        "attributes": _attributes(node.attributes),
        "status": {"code": ERROR, "message": node.failed} if node.failed else {},
    }
    return span | {"parentSpanId": node.parent} if node.parent else span


def _attributes(facts: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [
        {
            "key": key,
            "value": {"intValue": str(value)} if isinstance(value, int) else {"stringValue": str(value)},
        }
        for key, value in facts.items()
        if value != ""
    ]
