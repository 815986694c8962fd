"""How recordings of redirect caches are made: which components, in which scenarios, and what is told of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from grading.checks.testers.bank import FILE
from grading.checks.testers.making import Making
from grading.checks.url_shortener import redirect_cache as cache
from grading.checks.url_shortener.redirect_cache import checkers, workloads
from grading.checks.url_shortener.redirect_cache.script import Script
from grading.judge.history import Call, History
from grading.judge.plan import Plan
from grading.judge.requirement import Scenario

PLACES = 6
"""Decimal places of times: microseconds."""


def filled_and_kept(seed: int) -> Plan:
    """Two codes of two dozen: enough for the lives of their entries, and short."""
    plan = workloads.filled_at_one_moment(seed)
    plan = plan.without({f"caller {number}" for number in range(3, 25)})
    asked = {op.args[0] for op in plan.ops if op.do == "call"}
    return replace(plan, rows=tuple(row for row in plan.rows if row["code"] in asked))


def deleted_and_asked_at_once(seed: int) -> Plan:
    """Within two seconds after an acknowledged deletion: a server that keeps an answer for a second may say live."""
    s = Script(seed, "testers deletion-at-once")
    code = s.link()
    servers = s.random.sample(range(3), 3)
    for server in servers:
        s.resolve(code, server, 0.5 + 0.02 * server)
    gone = s.delete(code, s.between(0.7, 0.9))
    told = s.invalidate(code, servers[0], 0.001, gone)
    for server in servers[1:]:
        s.resolve(code, server, s.between(0.05, 0.3), told)
    for server in servers:
        s.resolve(code, server, 2.0 + s.between(0.01, 0.9), told)
    return s.plan()


FILLED_AND_KEPT = replace(
    cache.FILLED_AT_ONE_MOMENT,
    name="filled and kept",
    story="Two codes were asked for and the keys in the cache looked at; one of the codes was asked for until more "
    "than ttl had passed.",
    plan=filled_and_kept,
)

ASKED_AT_ONCE = Scenario(
    "asked at once",
    "A link that was warm on all servers was deleted and invalidated; the servers were asked at once, and after two "
    "seconds.",
    deleted_and_asked_at_once,
    checkers.gone_for_good,
)

SCENARIOS = (
    cache.EVERY_KIND,
    cache.AGAIN_AND_AGAIN,
    cache.AROUND_THE_EXPIRY,
    FILLED_AND_KEPT,
    cache.UNKNOWN_AGAIN,
    cache.ASKED_TOO_EARLY,
    cache.ALL_AT_ONCE,
    cache.CACHE_AWAY,
    cache.CACHE_FAILS_MIDWAY,
    cache.STORE_AWAY,
    cache.DELETED_WHILE_WARM,
    cache.DELETED_DURING_A_FILL,
    cache.DELETED_BEFORE_A_LATE_FILL,
    cache.DELETED_DURING_A_LONG_LOOK_UP,
    cache.DELETED_WITHOUT_THE_CACHE,
    ASKED_AT_ONCE,
    cache.ONE_LEAVES,
    cache.ALL_LEAVE,
)

BUGS = {
    "wrong-answer": [("url_quoted", cache.EVERY_KIND), ("expired_is_unknown", cache.EVERY_KIND)],
    "after-deletion": [
        ("racing_fill", cache.DELETED_DURING_A_FILL),
        ("short_marker", cache.DELETED_BEFORE_A_LATE_FILL),
        ("memory_of_each_server", cache.DELETED_WHILE_WARM),
        ("invalidate_swallows_failure", cache.DELETED_WITHOUT_THE_CACHE),
        ("joins_any_flight", cache.DELETED_DURING_A_LONG_LOOK_UP),
    ],
    "after-expiry": [("entry_outlives_link", cache.AROUND_THE_EXPIRY)],
    "missing-link": [
        ("negative_entry_apart", cache.ASKED_TOO_EARLY),
        ("store_error_is_unknown", cache.STORE_AWAY),
    ],
    "no-answer": [
        ("cache_error_escapes", cache.CACHE_AWAY),
        ("leader_takes_all_down", cache.ONE_LEAVES),
        ("followers_wait_for_ever", cache.ONE_LEAVES),
    ],
    "queries": [
        ("stampede", cache.ALL_AT_ONCE),
        ("no_negative_entries", cache.UNKNOWN_AGAIN),
        ("expired_never_cached", cache.AGAIN_AND_AGAIN),
    ],
    "lifetimes": [
        ("no_ttl", FILLED_AND_KEPT),
        ("ttl_plus_jitter", FILLED_AND_KEPT),
        ("negative_for_an_hour", cache.UNKNOWN_AGAIN),
    ],
}


def neutral(plan: Plan, history: History) -> dict[str, Any]:
    return {
        "ttl": plan.ttl,
        "links": links(plan, history),
        "calls": [call_told(call) for call in history.calls.values()],
        "queries": [
            {
                "server": ask.server,
                "code": ask.args[0],
                "sent": rounded(ask.sent),
                "answered": rounded(ask.answered),
                "error": ask.error,
            }
            for ask in history.asks
        ],
        "looks": [
            {
                "at": rounded(history.op_times[name]),
                "lives": [[key, None if left is None else left / 1000] for key, left in sorted(keys.items())],
            }
            for name, keys in history.inspections.items()
        ],
        "outages": [
            {"of": fault.target, "began": fault.start, "ended": fault.end}
            for fault in plan.faults
            if (fault.target, fault.mode) != ("store", "slow")
        ],
    }


def links(plan: Plan, history: History) -> list[dict[str, Any]]:
    """What the store held and when. No workload creates a code anew that was deleted."""
    found = {row["code"]: link(row, 0.0) for row in plan.rows}
    for op in plan.ops:
        if op.do == "put":
            row = op.args[0]
            found[row["code"]] = link(row, history.op_times[op.name])
        elif op.do == "delete":
            found[op.args[0]]["deleted"] = rounded(history.op_times[op.name])
    return list(found.values())


def link(row: dict[str, Any], created: float) -> dict[str, Any]:
    """`expires_at` of a plan's row is relative to the run's start, as all times of a recording are."""
    return {
        "code": row["code"],
        "long_url": row["long_url"],
        "created": rounded(created),
        "expires": rounded(row["expires_at"]),
        "deleted": None,
    }


def call_told(call: Call) -> dict[str, Any]:
    answered = call.method == "resolve" and call.outcome == "returned"
    return {
        "name": call.name,
        "server": call.server,
        "method": call.method,
        "code": call.args[0],
        "began": rounded(call.began),
        "ended": rounded(call.ended),
        "outcome": call.outcome,
        "answer": call.value if answered else None,
        "error": call.error["type"] if call.error else "",
        "cancelled_at": rounded(call.cancelled_at),
    }


def words(recording: dict[str, Any]) -> set[str]:
    return {each["code"] for part in ("links", "calls") for each in recording[part]}


def rounded(t: float | None) -> float | None:
    return None if t is None else round(t, PLACES)


MAKING = Making(
    path=Path(__file__).with_name(FILE),
    suite=cache.SUITE,
    mutants="grading/mutants/url_shortener/redirect_cache",
    reference="reference/shortener/redirect_cache.py",
    scenarios=SCENARIOS,
    bugs=BUGS,
    only={ASKED_AT_ONCE.name: ["odd/short_memory"]},
    neutral=neutral,
    words=words,
)
