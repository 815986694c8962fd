"""W3C Trace Context: what its header says of a request, and what a request's id says of its trace."""

import io
import json
from typing import Any

import pytest

from reference.platform.logs import JsonLog
from reference.platform.trace_context import request_id_in, trace_id_in, trace_id_of
from reference.platform.tracing import Traces

pytestmark = pytest.mark.anyio

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
SAMPLED, NOT_SAMPLED = f"00-{TRACE}-{PARENT}-01", f"00-{TRACE}-{PARENT}-00"


def test_a_sampled_one_asks_to_be_traced() -> None:
    assert trace_id_in(SAMPLED.encode()) == trace_id_in(NOT_SAMPLED.encode()) == TRACE
    assert request_id_in(SAMPLED.encode()) == f"trace-{TRACE}"
    assert request_id_in(NOT_SAMPLED.encode()) == TRACE
    assert request_id_in(f"cc-{TRACE}-{PARENT}-01-what-will-be".encode()) == f"trace-{TRACE}", (
        "a later version"
    )


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "00",
        f"ff-{TRACE}-{PARENT}-01",
        f"00-{'0' * 32}-{PARENT}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE.upper()}-{PARENT}-01",
        f"00-{TRACE[:-1]}-{PARENT}-01",
        f"00-{TRACE}-{PARENT}-1",
        f"00-{TRACE}-{PARENT}-01x",
        f" {SAMPLED}",
    ],
)
def test_a_malformed_one_is_as_if_it_were_not_there(header: str | None) -> None:
    raw = None if header is None else header.encode()
    assert (trace_id_in(raw), request_id_in(raw)) == ("", "")


@pytest.mark.parametrize(
    ("request_id", "trace_id"),
    [
        (TRACE, TRACE),
        (f"trace-{TRACE}", TRACE),
        ("trace-mine", ""),
        ("mine", ""),
        (TRACE + "0", ""),
        ("", ""),
    ],
)
def test_an_id_of_32_hex_digits_is_a_trace_id(request_id: str, trace_id: str) -> None:
    assert trace_id_of(request_id) == trace_id


@pytest.fixture
def log(world: Any) -> io.StringIO:
    """Of all requests."""
    log = io.StringIO()
    world.app.log, world.app.sample, world.app.traces = JsonLog("app-1", log), lambda: 1.0, Traces()
    return log


@pytest.mark.parametrize(
    ("headers", "request_id", "trace_id", "recorded"),
    [
        ({"traceparent": SAMPLED}, f"trace-{TRACE}", TRACE, True),
        ({"traceparent": NOT_SAMPLED}, TRACE, TRACE, False),
        ({"traceparent": SAMPLED, "X-Request-Id": "mine-1"}, "mine-1", TRACE, False),
        ({"traceparent": SAMPLED, "X-Request-Id": "trace-1"}, "trace-1", TRACE, True),
        ({"traceparent": "nonsense", "X-Request-Id": "mine-1"}, "mine-1", None, False),
        ({"X-Request-Id": f"trace-{TRACE}"}, f"trace-{TRACE}", TRACE, True),
    ],
)
async def test_a_server_takes_it_over_and_its_log_tells_of_it(
    world: Any,
    log: io.StringIO,
    headers: dict[str, str],
    request_id: str,
    trace_id: str | None,
    recorded: bool,
) -> None:
    answer = await world.http.get("/abc1234", headers=headers)
    assert answer.headers["x-request-id"] == request_id
    assert bool(world.app.traces.spans(request_id)) is recorded
    line = json.loads(log.getvalue())
    assert (line["request_id"], line.get("trace_id")) == (request_id, trace_id)


async def test_a_request_that_brings_nothing_has_a_trace_id_all_the_same(
    world: Any, log: io.StringIO
) -> None:
    answer = await world.http.get("/abc1234")
    line = json.loads(log.getvalue())
    assert line["trace_id"] == line["request_id"] == answer.headers["x-request-id"]
