"""A trace as OTLP: held to OpenTelemetry's own schema, and to what happened."""

import json
from typing import Any

from google.protobuf import json_format
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from workbench.tracing.assemble import Asked, assemble

from tests.unit.test_traces import CLICK, SHARDS, counted, hop, record

TRACE = "0af7651916cd43dd8448eb211c80319c"
FOUND = {
    "balancer": hop("app-2", 0.4, 19.3),
    "app-2": [
        record("handle", 1.5, 17.8, method="GET", path="/abc", status=302),
        record("resolve", 2, 16, code="abc", how="miss", state="live"),
        record("GET", 2.2, 2, "cache", key="redirect:abc", value="", answer="nothing"),
        record("SELECT links", 5.6, 10, "shard-3", failed="Unavailable"),
        record("click", 18.5, 0, **CLICK),
        record("append", 19, 4, "log", events=1),
        record("not over yet", 19, None),
    ],
    "consumer": counted(30),
}


def exported(request_id: str = f"trace-{TRACE}", found: Any = FOUND) -> dict[str, Any]:
    asked = Asked("GET", "/abc", "balancer", 100, 0.02, 302)
    trace = assemble(request_id, found, asked, shards=SHARDS, profile="compose", offset=1_700_000_000.0)
    told: dict[str, Any] = json.loads(json.dumps(trace.otlp()))
    return told


def by_name(told: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    """By service and name."""
    return {
        (each["resource"]["attributes"][0]["value"]["stringValue"], span["name"]): span
        for each in told["resourceSpans"]
        for span in each["scopeSpans"][0]["spans"]
    }


def facts(span: dict[str, Any]) -> dict[str, str]:
    return {each["key"]: next(iter(each["value"].values())) for each in span["attributes"]}


def test_it_keeps_to_the_schema() -> None:
    """OTLP in JSON has the ids in hex, where the rest of JSON Protobuf would have base64."""
    told = exported()
    for each in told["resourceSpans"]:
        for span in each["scopeSpans"][0]["spans"]:
            assert span.pop("traceId") == TRACE
            assert len(bytes.fromhex(span.pop("spanId"))) == 8
            span.pop("parentSpanId", "")
    read = json_format.ParseDict(told, ExportTraceServiceRequest())
    assert [each.resource.attributes[0].value.string_value for each in read.resource_spans] == [
        "client",
        "balancer",
        "app-2",
        "consumer",
    ]


def test_each_span_belongs_to_the_one_that_caused_it() -> None:
    spans = by_name(exported())
    parents = {span["spanId"]: where for where, span in spans.items()}
    assert {where: parents.get(span.get("parentSpanId", "")) for where, span in spans.items()} == {
        ("client", "GET"): None,
        ("balancer", "GET"): ("client", "GET"),
        ("balancer", "ask"): ("balancer", "GET"),
        ("app-2", "GET"): ("balancer", "ask"),
        ("app-2", "GET cache"): ("app-2", "resolve"),
        ("app-2", "resolve"): ("app-2", "GET"),
        ("app-2", "SELECT links"): ("app-2", "resolve"),
        ("app-2", "click"): ("app-2", "GET"),
        ("app-2", "send clicks"): ("client", "GET"),
        ("consumer", "process clicks"): ("client", "GET"),
        ("consumer", "SELECT raw_clicks"): ("consumer", "process clicks"),
        ("consumer", "UPDATE partition_leases; INSERT raw_clicks"): ("consumer", "process clicks"),
    }


def test_times_and_attributes() -> None:
    spans = by_name(exported())
    client, store = spans["client", "GET"], spans["app-2", "SELECT links"]
    assert client["startTimeUnixNano"] == str(1_700_000_100 * 10**9)
    assert int(client["endTimeUnixNano"]) - int(client["startTimeUnixNano"]) == 20_000_000
    assert facts(client) == {
        "http.request.method": "GET",
        "url.path": "/abc",
        "server.address": "balancer",
        "http.response.status_code": "302",
    }
    assert facts(store)["db.system.name"] == "postgresql"
    assert (facts(store)["db.operation.name"], facts(store)["error.type"]) == ("SELECT", "Unavailable")
    assert (store["status"]["code"], client["status"]) == (2, {})
    assert facts(spans["consumer", "process clicks"])["messaging.system"] == "kafka"


def test_an_id_of_ones_own_gives_a_trace_id_too_and_always_the_same() -> None:
    assert exported("trace-mine") == exported("trace-mine")
    [first, *_] = exported("trace-mine")["resourceSpans"]
    assert len(first["scopeSpans"][0]["spans"][0]["traceId"]) == 32


def test_of_nothing_there_is_nothing() -> None:
    assert assemble("trace-1", {}).otlp() == {"resourceSpans": []}
