"""How recordings of hash codes are made: which components, in which scenarios, and what is told of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from grading.checks.testers.bank import FILE
from grading.checks.testers.making import Making
from grading.checks.url_shortener import hash_codes as codes
from grading.checks.url_shortener.hash_codes import workloads
from grading.judge.history import Ask, Call, History
from grading.judge.plan import Plan

PLACES = 4
"""Decimal places of times: a tenth of a millisecond."""
CODES = 220
"""Of 300 in the workload: what the checker needs to count symbols."""
RECORDED = 100
"""Calls that a recording holds at most: enough for a tester to count symbols, too."""
FORMS = 90
LINKS = 8
"""To one URL, one after the other: a counter as salt needs 4.5 attempts on average for them, and never more than 8."""


def first_calls(plan: Plan, count: int) -> Plan:
    calls = [op.name for op in plan.ops if op.do == "call"]
    return plan.without(set(calls[count:]))


def many_urls(seed: int) -> Plan:
    return first_calls(workloads.many_urls(seed), CODES)


def few_forms(seed: int) -> Plan:
    return first_calls(workloads.many_urls(seed), FORMS)


def links_to_one_url(seed: int) -> Plan:
    """The first of each moment: no two calls overlap."""
    plan = workloads.links_to_one_url(seed)
    moments: dict[float, str] = {}
    for op in plan.ops:
        moments.setdefault(op.at, op.name)
    kept = list(moments.values())[:LINKS]
    return plan.without({op.name for op in plan.ops} - set(kept))


MANY_URLS = replace(
    codes.MANY_URLS,
    name="hundreds of URLs",
    story=f"{CODES} URLs were shortened, and the symbols at each place of their codes counted; the recording holds the "
    f"first {RECORDED}.",
    plan=many_urls,
)
NINETY_URLS = replace(
    codes.MANY_FORMS, name="ninety URLs", story=f"{FORMS} URLs were shortened.", plan=few_forms
)
TO_ONE_URL = replace(
    codes.TO_ONE_URL,
    story=f"{LINKS} links were made to one URL, one after the other, and the attempts counted.",
    plan=links_to_one_url,
)

STORE_FAILS_ONCE_MORE = replace(
    codes.STORE_FAILS,
    name="store fails once more",
    story="The store failed under some of the claims, and the component repeated them.",
)

SCENARIOS = (
    codes.AWKWARD_URLS,
    codes.MANY_AT_ONCE,
    codes.ONE_LEAVES,
    MANY_URLS,
    NINETY_URLS,
    codes.TWO_KEYS,
    TO_ONE_URL,
    codes.COLLISIONS,
    codes.STORE_FAILS,
    STORE_FAILS_ONCE_MORE,
    codes.FREE_CODES,
)

BUGS = {
    "ownership": [
        ("looks_and_takes", codes.MANY_AT_ONCE),
        ("remembers_urls", codes.MANY_AT_ONCE),
        ("one_candidate_at_a_time", codes.MANY_AT_ONCE),
        ("hopes_for_the_best", codes.STORE_FAILS),
    ],
    "form": [("not_padded", NINETY_URLS)],
    "whole-space": [
        ("seven_hex_digits", MANY_URLS),
        ("thirty_two_bits", MANY_URLS),
        ("lower_case", MANY_URLS),
    ],
    "secret": [("bare_hash", codes.TWO_KEYS)],
    "attempts": [
        ("never_gives_up", codes.COLLISIONS),
        ("seven_attempts", codes.COLLISIONS),
        ("an_error_of_its_own", codes.COLLISIONS),
    ],
    "forgotten": [("moves_on_after_a_time_out", codes.STORE_FAILS)],
    "costs": [
        ("counts_collisions", TO_ONE_URL),
        ("salt_from_the_url", TO_ONE_URL),
        ("looks_first", codes.FREE_CODES),
    ],
}


def neutral(plan: Plan, history: History) -> dict[str, Any]:
    calls = list(history.calls.values())[:RECORDED]
    names = {call.name for call in calls}
    different: list[str] = []
    keys = []
    for server in range(plan.servers):
        own = plan.own[server] if server < len(plan.own) else {}
        key = {**plan.values, **own}["_key"]
        if key not in different:
            different.append(key)
        keys.append(different.index(key))
    return {
        "keys": keys,
        "calls": [call_told(call) for call in calls],
        "questions": [question_told(ask) for ask in history.asks if ask.call in names],
    }


def call_told(call: Call) -> dict[str, Any]:
    return {
        "name": call.name,
        "server": call.server,
        "long_url": call.args[0],
        "began": rounded(call.began),
        "ended": rounded(call.ended),
        "outcome": call.outcome,
        "code": call.value if call.outcome == "returned" else None,
        "error": call.error["type"] if call.error else "",
        "cancelled_at": rounded(call.cancelled_at),
    }


def question_told(ask: Ask) -> dict[str, Any]:
    heard = ask.answered is not None and not ask.error
    return {
        "call": ask.call,
        "method": ask.method,
        "code": ask.args[0],
        "sent": rounded(ask.sent),
        "answered": rounded(ask.answered),
        "answer": ask.value if heard else None,
        "done": ask.value if ask.seen is not None and isinstance(ask.value, bool) else None,
        "error": ask.error,
    }


def words(recording: dict[str, Any]) -> set[str]:
    """URLs only: the symbols of the codes are what some recordings are about."""
    urls = {call["long_url"] for call in recording["calls"]}
    return {url for url in urls if url.startswith("https://site")}


def rounded(t: float | None) -> float | None:
    return None if t is None else round(t, PLACES)


MAKING = Making(
    path=Path(__file__).with_name(FILE),
    suite=codes.SUITE,
    mutants="grading/mutants/url_shortener/hash_codes",
    reference="reference/shortener/hash_codes.py",
    scenarios=SCENARIOS,
    bugs=BUGS,
    only={
        MANY_URLS.name: ["reference", "odd/always_salted"],
        NINETY_URLS.name: ["reference", "odd/always_salted"],
        STORE_FAILS_ONCE_MORE.name: ["odd/repeats_a_claim"],
    },
    neutral=neutral,
    words=words,
)
