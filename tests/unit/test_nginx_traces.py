"""What nginx writes of a traced request, and how its milliseconds are put between what is known exactly."""

import json
from typing import Any

import pytest
from workbench.stack.containers.nginx_log import spans
from workbench.tracing.rounding import fitted

NAMES = {"10.213.1.11": "app-1", "10.213.1.12": "app-2"}


def line(**more: Any) -> str:
    told = {
        "traced": "trace-1",
        "time": 1000.020,
        "seconds": 0.018,
        "method": "GET",
        "path": "/abc",
        "status": 302,
        "asked": "10.213.1.12:8000",
        "took": "0.016",
        "answered": "302",
        "kept": "",
    }
    return json.dumps(told | more)


def read(*lines: str) -> list[dict[str, Any]]:
    return spans("\n".join(lines), "trace-1", NAMES, "balancer", -900.0)


def test_a_line_is_what_it_was_asked_and_what_it_asked() -> None:
    took, asked = read("2026/11/23 10:00:00 [warn] 7#7: something", '"text"', line(traced="trace-2"), line())
    assert (took["name"], took["path"], took["status"], took["to"]) == ("pass on", "/abc", 302, "")
    assert (took["began"], took["seconds"]) == (pytest.approx(100.002), 0.018)
    assert (asked["name"], asked["to"], asked["status"], asked["seconds"]) == ("ask", "app-2", 302, 0.016)


def test_servers_that_were_asked_in_turn() -> None:
    more = {"asked": "10.213.1.11:8000, 10.213.1.12:8000 : 10.9.9.9:80", "took": "0.002, - : 0.003"}
    _, *asks = read(line(**more, answered="502, 504 : 0"))
    assert [(ask["to"], ask.get("status"), ask.get("failed")) for ask in asks] == [
        ("app-1", 502, None),
        ("app-2", 504, None),
        ("balancer", None, "no answer"),
    ]
    assert [ask["began"] for ask in asks] == pytest.approx([100.002, 100.004, 100.004])


def test_what_it_kept_was_asked_of_nobody() -> None:
    [took] = read(line(asked="", took="", answered="", kept="HIT"))
    assert took["how"] == "edge"


def record(name: str, began: float, ended: float, to: str = "", rounded: bool = True) -> dict[str, Any]:
    found = {"name": name, "to": to, "began": began, "seconds": ended - began}
    return found | ({"rounded": 0.001} if rounded else {})


def test_each_lies_within_the_outer_one_and_around_the_inner_one() -> None:
    found = {
        "edge": [record("pass on", 9.999, 10.009), record("ask", 10.000, 10.008, "balancer")],
        "balancer": [record("pass on", 10.003, 10.007), record("ask", 10.001, 10.006, "app-1")],
        "app-1": [
            record("handle", 10.0021, 10.0072, rounded=False),
            record("click", 10.007, 10.007, rounded=False),
        ],
    }
    moved = fitted(found, "edge", 10.0004, 10.0091)
    chain = [
        moved["edge"][0],
        moved["edge"][1],
        moved["balancer"][0],
        moved["balancer"][1],
        moved["app-1"][0],
    ]
    ends = [r["began"] + r["seconds"] for r in chain]
    assert [r["began"] for r in chain] == sorted(r["began"] for r in chain)
    assert ends == sorted(ends, reverse=True)
    assert (chain[0]["began"], chain[-1]) == (10.0004, found["app-1"][0])
    assert found["edge"][0]["began"] == 9.999, "it is a copy"


def test_what_nobody_handled_is_held_by_the_outer_one_alone() -> None:
    found = {"edge": [record("pass on", 9.9, 10.2), record("ask", 9.9, 10.3, "balancer")]}
    moved = fitted(found, "edge", 10.0, 10.1)["edge"]
    assert [(r["began"], round(r["seconds"], 3)) for r in moved] == [(10.0, 0.1), (10.0, 0.1)]


def test_what_is_exact_is_left_alone() -> None:
    found = {
        "balancer": [record("pass on", 1.0, 2.0, rounded=False), record("ask", 1.1, 1.9, "app-1", False)]
    }
    assert fitted(found, "balancer", 1.5, 1.6) == found
