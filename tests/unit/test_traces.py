"""From what processes recorded to the steps of a request, its looks, and the questions that are made of it."""

import json
from typing import Any

import pytest
from workbench.tracing.assemble import Asked, assemble
from workbench.tracing.making import made
from workbench.tracing.questions import Quiz, questions
from workbench.tracing.spans import Trace

SERVERS, SHARDS = ("app-1", "app-2", "app-3"), ("shard-1", "shard-2", "shard-3")


def record(name: str, began: float, ms: float | None, to: str = "", **facts: Any) -> dict[str, Any]:
    """`began` in ms."""
    return {
        "name": name,
        "to": to,
        "began": 100 + began / 1000,
        "seconds": None if ms is None else ms / 1000,
        **facts,
    }


def hop(server: str, began: float, ms: float, status: int | None = 302) -> list[dict[str, Any]]:
    """What the balancer records."""
    ask = record(
        "ask", began + 0.5, ms - 0.7, server, **({"status": status} if status else {"failed": "Gone"})
    )
    return [record("pass on", began, ms, method="GET", path="/abc"), ask]


def counted(began: float) -> list[dict[str, Any]]:
    return [
        record("count", began, 6, partition=2, events=1),
        record("SELECT raw_clicks", began + 0.2, 2, "store", rows=0),
        record("UPDATE partition_leases; INSERT raw_clicks", began + 3, 2.5, "store", statements=2),
    ]


CLICK = {"waiting": 1, "taken": True}


def miss() -> Trace:
    found = {
        "balancer": hop("app-2", 0.4, 19.3),
        "app-2": [
            record("handle", 1.5, 17.8, method="GET", path="/abc", status=302),
            record("resolve", 2, 16, code="abc", how="miss", state="live"),
            record("GET", 2.2, 2, "cache", key="redirect:abc", value="", answer="nothing"),
            record("SET", 4.4, 1, "cache", key="redirect:abc", value="ticket:1", answer="True"),
            record("SELECT shard_epoch, links", 5.6, 10, "shard-3", rows=1),
            record("EVAL", 15.8, 2, "cache", key="redirect:abc", value="", answer="nothing"),
            record("click", 18.5, 0, **CLICK),
            record(
                "append", 19, 4, "log", events=1
            ),  # began before the answer was out, and was not waited for
        ],
        "consumer": counted(30),
    }
    return assemble(
        "trace-1", found, Asked("GET", "/abc", "balancer", 100, 0.02, 302), servers=SERVERS, shards=SHARDS
    )


def hit(ms: float = 6.0, server: str = "app-3") -> Trace:
    found = {
        "balancer": hop(server, 0.4, ms + 2),  # done only after the client had its answer
        server: [
            record("handle", 1.5, ms - 2, method="GET", path="/abc", status=302),
            record("resolve", 2, 2.5, code="abc", how="hit", state="live"),
            record(
                "GET", 2.2, 2, "cache", key="redirect:abc", value="", answer='["https://example.org/", 1]'
            ),
            record("click", 4.6, 0, **CLICK),
            record("append", 20, 4, "log", events=2),
        ],
        "consumer": counted(30),
    }
    asked = Asked("GET", "/abc", "balancer", 100, ms / 1000, 302)
    return assemble("trace-2", found, asked, servers=SERVERS, shards=SHARDS)


def memory() -> Trace:
    found = {
        "app-1": [
            record("handle", 0.5, 0.1, method="GET", path="/abc", status=302, how="memory"),
            record("click", 0.6, 0, **CLICK),
        ]
    }
    return assemble(
        "trace-3", found, Asked("GET", "/abc", "app-1", 100, 0.0008, 302), servers=SERVERS, shards=SHARDS
    )


def unknown(remembered: bool = True) -> Trace:
    fill = (
        [record("EVAL", 12, 2, "cache", key="redirect:no", value="", answer="nothing")] if remembered else []
    )
    found = {
        "balancer": hop("app-1", 0.4, 15, 404),
        "app-1": [
            record("handle", 1.5, 13, method="GET", path="/no", status=404),
            record("resolve", 2, 12.2, code="no", how="miss", state="unknown"),
            record("GET", 2.2, 2, "cache", key="redirect:no", value="", answer="nothing"),
            record("SELECT shard_epoch, links", 5.6, 6, "shard-2", rows=0),
            *fill,
        ],
    }
    return assemble(
        "trace-4", found, Asked("GET", "/no", "balancer", 100, 0.016, 404), servers=SERVERS, shards=SHARDS
    )


def create() -> Trace:
    found = {
        "balancer": hop("app-1", 0.4, 15, 201),
        "app-1": [
            record("handle", 1.5, 13, method="POST", path="/api/v1/shorten", status=201),
            record("INSERT links", 3, 2, "shard-2", statements=1, refused=True),
            record("SELECT shard_epoch", 5, 1, "shard-2", rows=1),
            record("UPDATE shard_epoch", 6, 1, "shard-2", statements=1),
            record("INSERT links", 7, 2, "shard-2", statements=1),
            record("DEL", 10, 1, "cache", key="redirect:new", value="", answer=0),
            record("PUBLISH", 12, 1, "cache", key="deletions", value="new", answer=3),
        ],
    }
    asked = Asked("POST", "/api/v1/shorten", "balancer", 100, 0.016, 201, b'{"code": "new"}')
    return assemble("trace-5", found, asked, servers=SERVERS, shards=SHARDS)


# --- steps


def test_the_way_of_a_miss_in_its_order() -> None:
    found = miss()
    assert [(span.depth, span.where, span.text) for span in found.spans] == [
        (0, "client → balancer", "GET /abc: 302"),
        (1, "balancer → app-2", "GET /abc: 302"),
        (2, "app-2", "finds out what abc means: a miss"),
        (3, "app-2 → cache", "GET redirect:abc: nothing there"),
        (3, "app-2 → cache", "SET redirect:abc: a ticket, for the fill"),
        (3, "app-2 → shard-3", "SELECT links: 1 row"),
        (3, "app-2 → cache", "EVAL redirect:abc: the fill"),
        (2, "app-2", "puts the click into its buffer: 1 there now"),
        (0, "app-2 → log", "append: 1 click"),
        (0, "consumer", "counts a batch: 1 click of partition 2"),
        (1, "consumer → store", "SELECT raw_clicks: no row"),
        (
            1,
            "consumer → store",
            "UPDATE partition_leases, INSERT raw_clicks: one transaction of 2 statements",
        ),
    ]
    assert [span.waited for span in found.spans] == [True] * 8 + [False] * 4
    assert [span.number for span in found.spans] == list(range(1, 13))
    assert (found.server, found.how, found.status, found.shards) == ("app-2", "miss", 302, ["shard-3"])
    assert (found.round_trips, found.later, found.asked_store) == (4, 3, True)
    assert (found.logged, found.counted) == (pytest.approx(23.0), pytest.approx(36.0))


def test_what_was_waited_for_adds_up() -> None:
    spent = miss().spent()
    assert spent == {
        "balancer": pytest.approx(20 - 18.6),
        "server": pytest.approx(18.6 - 15),
        "cache": pytest.approx(5),
        "store": pytest.approx(10),
    }
    assert sum(spent.values()) == pytest.approx(20.0)


def test_a_proxy_that_is_done_after_its_client_is_waited_for_all_the_same() -> None:
    found = hit()
    assert [span.where for span in found.spans if span.waited][:2] == [
        "client → balancer",
        "balancer → app-3",
    ]
    assert found.spans[1].end == pytest.approx(found.ms)
    assert (found.how, found.round_trips, found.asked_store, found.shards) == ("hit", 1, False, [])


def test_memory_a_404_and_a_create() -> None:
    assert memory().spans[0].text == "GET /abc: 302, from its own memory"
    assert (memory().round_trips, memory().how, memory().server) == (0, "memory", "app-1")
    assert unknown().spans[2].text == "finds out what no means: a miss, unknown"
    assert unknown().counted is None
    said = [span.said for span in create().calls]
    assert said[0].startswith("refused: ")
    assert said[-2:] == ["was not there", "heard by 3"]
    assert create().shards == ["shard-2"]
    assert create().json() == {"code": "new"}


def test_who_was_asked_in_vain_is_a_step() -> None:
    failed, answered = hop("app-1", 0.4, 2, None), hop("app-2", 2.5, 4)
    found = assemble(
        "trace-6",
        {
            "balancer": [failed[0], failed[1], answered[1]],
            "app-2": [record("handle", 3.5, 2, method="GET", path="/abc", status=302)],
        },
        Asked("GET", "/abc", "balancer", 100, 0.009, 302),
    )
    assert [span.said for span in found.spans] == ["302", "no answer (Gone)", "302"]
    assert found.server == "app-2"


def test_of_somebody_elses_request_there_is_what_the_outermost_process_saw() -> None:
    found = assemble("trace-7", {"balancer": hop("app-2", 0.4, 9), "app-2": miss_records()})
    assert [span.where for span in found.spans[:2]] == ["client → balancer", "balancer → app-2"]
    assert (found.status, found.method, found.path, found.ms) == (302, "GET", "/abc", pytest.approx(9.0))
    alone = assemble("trace-8", {"app-2": miss_records()})
    assert alone.spans[0].where == "client → app-2"
    assert assemble("trace-9", {}).spans == ()
    assert "nothing was recorded" in assemble("trace-9", {}).text()


def miss_records() -> list[dict[str, Any]]:
    return [record("handle", 1.5, 5, method="GET", path="/abc", status=302)]


def test_a_step_that_is_not_over() -> None:
    found = assemble("trace-7", {"app-2": [*miss_records(), record("GET", 2, None, "cache", key="a")]})
    assert found.spans[-1].ms is None
    assert "not over" in found.text()


# --- looks


def test_as_text_and_as_html() -> None:
    text, html = miss().text(), miss()._repr_mimebundle_()["text/html"]
    assert text.splitlines()[0] == "GET /abc: 302 from app-2, a miss, 20.0 ms, 4 round trips to services"
    assert text.splitlines()[10].strip() == "The answer has left. Nobody waits for what follows:"
    for shown in ("SELECT links: 1 row", "app-2 → shard-3", "10.0"):
        assert shown in text
        assert shown in html
    assert html.count("background:") == 8  # a bar for each step that was waited for
    assert html.count("<tr>") == 1 + 12 + 1


def test_what_a_client_sent_is_never_html_nor_mermaid() -> None:
    asked = Asked("GET", "/<b>;#%%", "app-1", 100, 0.001, 404)
    found = assemble(
        "trace-1", {"app-1": [record("handle", 0, 1, method="GET", path="/", status=404)]}, asked
    )
    assert "<b>" not in found._repr_mimebundle_()["text/html"]
    assert "/#lt;b#gt;#59;#35;#37;#37;" in found.diagram.mermaid


def test_as_a_sequence_diagram() -> None:
    lines = [line.strip() for line in miss().diagram.mermaid.splitlines()]
    assert lines[0] == "sequenceDiagram"
    assert [line.split(" as ")[1] for line in lines if line.startswith("participant")] == [
        *("client", "balancer", "app-2", "cache", "shard-3", "log", "store", "consumer"),
    ]
    told = [line for line in lines[10:] if not line.startswith("Note over app_2")]
    assert told[:4] == [
        "client->>balancer: GET /abc",
        "balancer->>app_2: GET /abc",
        "app_2->>cache: GET redirect:abc",
        "cache-->>app_2: nothing there (2.0 ms)",
    ]
    answered = told.index("Note over client: answered after 20.0 ms")
    assert told[answered - 2 : answered] == [
        "app_2-->>balancer: 302 (18.6 ms)",
        "balancer-->>client: 302 (20.0 ms)",
    ]
    assert told[answered + 1] == "app_2->>log: append"
    assert miss().diagram._repr_mimebundle_()["text/plain"] == miss().text()


# --- questions


def asked_of(*traces: Trace, seed: int = 1) -> dict[str, tuple[str, str]]:
    """By the beginning of a question: the right choice and the evidence."""
    return {each.text: (each.choices[each.right], each.evidence) for each in made(traces, seed, 10)}


def test_what_is_right_is_what_happened() -> None:
    found = asked_of(miss())
    assert found["Which server answered request 1?"][0] == "app-2"
    assert found["Was the store asked for request 1?"][0] == "yes: shard-3"
    right, evidence = found["How many round trips to services did request 1, the miss, have to wait for?"]
    assert right == "4"
    assert evidence.startswith(
        "What request 1 waited for: 1. cache: GET redirect:abc: nothing there; 2. cache: SET"
    )
    right, evidence = found["When was the click of request 1 counted?"]
    assert right == "after the client had its answer"
    assert evidence == (
        "The client had its answer after 20.0 ms. The click was in the log after 23 ms and counted after 36 ms."
    )
    assert asked_of(hit())["Was the store asked for request 1?"][0] == "no: the cache had the answer"
    memorised = asked_of(memory())["Was the store asked for request 1?"]
    assert memorised == (
        "no: the server had it in its own memory",
        "Request 1 called no service: app-1 answered from its own memory.",
    )


def test_what_made_the_difference_is_asked_where_something_did() -> None:
    text = "Request 2 took 6.0 ms and request 1 took 20.0 ms: what made the most of the difference?"
    right, evidence = asked_of(miss(), hit())[text]
    assert right == "waiting for the store (a shard)"
    assert "waiting for the store (a shard) 0.0 and 10.0 ms" in evidence
    alike = asked_of(hit(6.0), hit(6.5))
    assert not [text for text in alike if "difference" in text]


def test_the_next_404_is_cheaper_if_this_one_was_remembered() -> None:
    text = "Request 1 was for a code that does not exist. What about the next request for it?"
    assert asked_of(unknown())[text][0].startswith("it is cheaper: the cache remembers")
    assert asked_of(unknown(remembered=False))[text][0].startswith("it asks the store again")
    assert asked_of(unknown())["When was the click of request 1 counted?"][0] == "not at all: it is no click"


def test_where_a_link_was_written() -> None:
    right, evidence = asked_of(create())["Where was the link that request 1 made written to?"]
    assert right == "shard-2"
    assert evidence == "Step 6, app-1 → shard-2: INSERT links, 2.0 ms."


def test_choices_are_three_or_four_and_differ() -> None:
    for seed in range(30):
        for question in made([miss(), hit(), memory(), unknown(), create()], seed, 10):
            assert len(set(question.choices)) == len(question.choices) in (3, 4)
            assert 0 <= question.right < len(question.choices)


def test_the_same_traces_and_seed_give_the_same_questions() -> None:
    traces = [miss(), hit(), unknown(), create()]
    assert made(traces, 1, 10) == made(traces, 1, 10)
    assert len({json.dumps([each.text for each in made(traces, seed, 10)]) for seed in range(20)}) > 1
    assert len(made(traces, 1, 3)) == 3


def test_without_anything_to_ask_it_says_so() -> None:
    for traces in ([], [assemble("trace-9", {})]):
        with pytest.raises(ValueError, match="no questions"):
            questions(traces)


# --- the quiz


def quiz() -> Quiz:
    return questions([miss(), hit(), unknown(), create()])


def test_an_answer_is_judged_with_the_evidence() -> None:
    found = quiz()
    first = found.questions[0]
    wrong = "abcd"[(first.right + 1) % len(first.choices)]
    verdict = found.answer(1, wrong)
    assert not verdict.right
    assert (
        str(verdict) == f"Not so. It is {'abcd'[first.right]}) {first.choices[first.right]}. {first.evidence}"
    )
    assert found.answer(1, "abcd"[first.right].upper()).text == f"Right. {first.evidence}"
    assert found.score == f"1 of {len(found.questions)} right so far"
    assert f"   Right. {first.evidence}" in found.text()


def test_what_cannot_be_answered_is_said() -> None:
    found = quiz()
    for number, choice, why in (
        (0, "a", "no question 0"),
        (99, "a", "no question 99"),
        (1, "z", "'z'"),
        (1, "", "''"),
    ):
        with pytest.raises(ValueError, match=why):
            found.answer(number, choice)


def test_the_page_is_told_what_is_asked_and_not_what_is_right() -> None:
    found = quiz()
    state = json.dumps([found.requests, found.asked, found.verdicts])
    for question in found.questions:
        assert question.text in json.loads(state)[1][found.questions.index(question)]["text"]
        assert question.evidence not in state
    assert all(set(each) == {"text", "choices"} for each in found.asked)


def test_the_page_answers_by_a_message_and_nonsense_does_no_harm() -> None:
    found = quiz()
    for message in (
        None,
        [],
        {"kind": "choose"},
        {"kind": "choose", "number": "1"},
        {"kind": "x", "number": 1},
    ):
        found._told(None, message, None)
    found._told(None, {"kind": "choose", "number": 99, "choice": "a"}, None)
    assert "no question 99" in found.status
    assert found.verdicts == {}
    right = "abcd"[found.questions[0].right]
    for turn in (1, 2):
        found._told(None, {"kind": "choose", "number": 1, "choice": right}, None)
        assert found.verdicts["1"] == {
            "right": True,
            "text": f"Right. {found.questions[0].evidence}",
            "turn": turn,
        }
    assert found.status == f"Question 1: right. {found.score}"


def test_without_widgets_it_is_text() -> None:
    text = quiz().text()
    assert "  Request 1: GET /abc, answered with 302 after 20.0 ms" in text
    assert "1. Which server answered request " in text
    assert "   a) app-1" in text
    assert quiz()._repr_mimebundle_()[0]["text/plain"] == text
