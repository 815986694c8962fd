"""What processes that run record of a request: a miss, a hit, a create, a 404; the right steps, in their order."""

import asyncio
import json
import secrets
from collections.abc import Iterator

import httpx
import pytest
from workbench import questions, trace, trace_of
from workbench.stack import Stack
from workbench.tracing.spans import Trace

from tests.stack.clients import SLOT, eventually, mend_all, shorten


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with Stack(servers=2) as stack:
        stack.set("fast_path", False)
        meet_the_shards(stack)
        yield stack


@pytest.fixture(autouse=True)
def whole(stack: Stack) -> Iterator[None]:
    yield
    mend_all(stack)
    stack.set("fast_path", False)


def meet_the_shards(stack: Stack) -> None:
    """The first call of each shard tells it the routing, which takes round trips of its own."""
    asked = {shard for n in range(8) for shard in traced(stack, "GET", f"/no-{n}").shards}
    assert asked == {"shard-1", "shard-2", "shard-3"}


def traced(stack: Stack, method: str, path: str, **more: object) -> Trace:
    return asyncio.run(trace(stack, method, path, wait=10.0, **more))  # type: ignore[arg-type]


def calls(trace: Trace) -> list[tuple[str, str]]:
    """(kind of service, first word) of what the client waited for."""
    return [(span.kind, span.what.split()[0]) for span in trace.calls]


def in_order(trace: Trace) -> bool:
    """Each step that was waited for begins after the one before, and ends within those that it is a step of."""
    waited = [span for span in trace.spans if span.waited]
    outer = [next((o for o in reversed(waited[:i]) if o.depth < s.depth), None) for i, s in enumerate(waited)]
    return (
        [span.at for span in waited] == sorted(span.at for span in waited)
        and [span.number for span in trace.spans] == list(range(1, len(trace.spans) + 1))
        and all(
            o is None or (o.at <= s.at and s.end <= o.end + 0.1) for o, s in zip(outer, waited, strict=True)
        )
    )


def test_a_miss_goes_all_the_way_and_a_hit_to_the_cache(stack: Stack) -> None:
    code = shorten(stack)
    miss, hit = traced(stack, "GET", f"/{code}"), traced(stack, "GET", f"/{code}")
    assert (miss.status, miss.how, hit.status, hit.how) == (302, "miss", 302, "hit")
    assert [span.where for span in miss.spans[:3]] == [
        "client → balancer",
        f"balancer → {miss.server}",
        miss.server,
    ]
    assert calls(miss) == [("cache", "GET"), ("cache", "SET"), ("store", "SELECT"), ("cache", "EVAL")]
    assert [span.said for span in miss.calls] == [
        "nothing there",
        "a ticket, for the fill",
        "1 row",
        "the fill",
    ]
    assert calls(hit) == [("cache", "GET")]
    assert [span.said for span in hit.calls] == ["found it"]
    assert (miss.round_trips, hit.round_trips) == (4, 1)
    assert (miss.asked_store, hit.asked_store) == (True, False)
    assert len(miss.shards) == 1
    assert {miss.server, hit.server} == set(miss.servers) == set(stack.servers)
    assert in_order(miss)
    assert in_order(hit)


def test_the_click_is_followed_into_the_log_and_to_its_count(stack: Stack) -> None:
    found = traced(stack, "GET", f"/{shorten(stack)}")
    later = [span for span in found.spans if not span.waited]
    assert [(span.source, span.target, span.kind) for span in later] == [
        (found.server, "log", "log"),
        ("consumer", "", "count"),
        ("consumer", "store", "store"),
        ("consumer", "store", "store"),
    ]
    assert found.logged is not None
    assert found.counted is not None
    assert found.logged < found.counted
    assert found.later == 3
    assert sum(found.spent().values()) == pytest.approx(found.ms, abs=0.5)


def test_the_log_tells_of_it_and_a_strangers_id_will_do(stack: Stack) -> None:
    code = shorten(stack)
    found = traced(stack, "GET", f"/{code}")
    told = [line for line in stack.logs(found.server).splitlines() if found.trace_id in line]
    assert [json.loads(line)["trace_id"] for line in told] == [found.trace_id], "however few are logged"
    theirs = secrets.token_hex(16)
    headers = {"traceparent": f"00-{theirs}-{secrets.token_hex(8)}-01"}
    assert httpx.get(f"{stack.url}/{code}", headers=headers).headers["x-request-id"] == f"trace-{theirs}"
    eventually(lambda: trace_of(stack, f"trace-{theirs}").counted is not None, "the click is counted")
    whole = trace_of(stack, f"trace-{theirs}")
    services = [
        each["resource"]["attributes"][0]["value"]["stringValue"] for each in whole.otlp()["resourceSpans"]
    ]
    assert services == ["client", "balancer", whole.server, "consumer"]
    assert whole.trace_id == theirs


def test_a_create_is_written_to_one_shard_and_a_404_is_remembered(stack: Stack) -> None:
    made = traced(stack, "POST", "/api/v1/shorten", json={"long_url": "https://example.org/"})
    assert made.status == 201
    assert made.json()["long_url"] == "https://example.org/"
    assert calls(made)[-3:] == [("store", "INSERT"), ("cache", "DEL"), ("cache", "PUBLISH")]
    assert len(made.shards) == 1
    assert made.how == ""
    assert made.counted is None
    first, again = traced(stack, "GET", "/no-such"), traced(stack, "GET", "/no-such")
    assert (first.status, again.status) == (404, 404)
    assert [span.said for span in first.calls] == [
        "nothing there",
        "a ticket, for the fill",
        "no row",
        "the fill",
    ]
    assert again.round_trips == 1
    assert first.later == 0
    assert in_order(made)
    assert in_order(first)


def test_a_plain_cache_asks_the_store_each_time(stack: Stack) -> None:
    code = shorten(stack)
    stack.swap(SLOT, "plain")
    found = [traced(stack, "GET", f"/{code}") for _ in range(2)]
    assert [calls(each) for each in found] == [[("store", "SELECT")]] * 2


def test_a_fault_shows_in_the_step_that_it_slows(stack: Stack) -> None:
    code = shorten(stack)
    stack.slow("shards", 0.1)
    found = traced(stack, "GET", f"/{code}")
    assert max(found.calls, key=lambda span: span.ms or 0.0).kind == "store"
    stack.mend()
    stack.cut("cache")
    without = traced(stack, "GET", f"/{code}")
    assert without.status == 302
    assert without.calls[0].said.startswith("failed: ")


def test_a_server_that_is_down_is_passed_over(stack: Stack) -> None:
    code, one = shorten(stack), stack.servers[0]
    stack.kill(one)
    found = [traced(stack, "GET", f"/{code}") for _ in range(2)]
    assert {each.server for each in found} == {stack.servers[1]}
    assert {each.status for each in found} == {302}


def test_the_fast_path_is_told_as_the_servers_own_memory(stack: Stack) -> None:
    code, server = shorten(stack), stack.servers[0]
    stack.set("fast_path", True)

    asked: list[Trace] = []

    def fast() -> bool:
        asked.append(traced(stack, "GET", f"/{code}", server=server))
        return asked[-1].how == "memory"

    eventually(fast, "the link is in the server's memory")
    found = asked[-1]
    assert found.round_trips == 0
    assert found.spans[0].said == "302, from its own memory"
    assert found.counted is not None


def test_what_somebody_else_sent_and_what_was_not_recorded(stack: Stack) -> None:
    code = shorten(stack)
    url, through = f"{stack.url}/{code}", {"X-Forwarded-For": "203.0.113.9"}
    httpx.get(url, headers={"X-Request-Id": "trace-mine"})
    httpx.get(url, headers={"X-Request-Id": "mine-1"})
    httpx.get(url, headers={"X-Request-Id": "trace-afar", **through})
    eventually(lambda: trace_of(stack, "trace-mine").counted is not None, "the click is counted")
    found = trace_of(stack, "trace-mine")
    assert (found.status, found.path) == (302, f"/{code}")
    assert found.spans[0].where == "client → balancer"
    with pytest.raises(LookupError, match="begins with 'trace-'"):
        trace_of(stack, "mine-1")
    with pytest.raises(LookupError, match="another machine"):
        trace_of(stack, "trace-none")
    assert set(stack.spans("trace-afar")) <= {"consumer"}  # which cannot know where a click came from


def test_questions_about_what_ran(stack: Stack) -> None:
    code = shorten(stack)
    quiz = questions([traced(stack, "GET", path) for path in (f"/{code}", f"/{code}", "/no-such-code")])
    assert len(quiz.questions) >= 4
    for number, question in enumerate(quiz.questions, 1):
        assert quiz.answer(number, "abcd"[question.right]).right
    assert quiz.score == f"{len(quiz.questions)} of {len(quiz.questions)} right so far"
