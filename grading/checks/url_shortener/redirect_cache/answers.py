"""Whether what a call returned was right, by the oracle; the part that all checkers share."""

from __future__ import annotations

from collections.abc import Sequence

from grading.checks.errors import gave_up
from grading.checks.url_shortener.redirect_cache.store import LinkStore
from grading.judge.history import Ask, Call, History
from grading.judge.plan import Plan
from grading.judge.requirement import Broken
from grading.judge.wording import server_name, show
from grading.judge.world import EPOCH

DELETION_BOUND = 2.0
PORT_ERROR = "reference.platform.errors.PortError"
REDIS_ERROR = "redis.exceptions.RedisError"
STATES = ("live", "expired", "unknown")


def resolves(history: History) -> list[Call]:
    return [call for call in history.calls.values() if call.method == "resolve"]


def asked(history: History, code: str, since: float = 0.0, until: float = float("inf")) -> list[Ask]:
    """The queries for `code` that were sent in that time."""
    return [ask for ask in history.asks if ask.args[:1] == [code] and since <= ask.sent <= until]


def used_the_cache(history: History) -> bool:
    return bool(history.trips)


def well_formed(call: Call) -> str | None:
    """What is wrong with the value that the call returned, by the slot's schema; None: nothing."""
    value = call.value
    if not isinstance(value, dict) or set(value) != {"state", "long_url"}:
        kind = value.get("not") if isinstance(value, dict) else type(value).__name__
        return f"an Answer, not {kind} ({show(value)})"
    if value["state"] not in STATES:
        return f"a state among {', '.join(STATES)}, not {show(value['state'])}"
    if not (value["long_url"] is None or isinstance(value["long_url"], str)):
        return f"a long_url that is a str or None, not {show(value['long_url'])}"
    return None


def acknowledged_change(history: History, store: LinkStore, call: Call) -> float:
    """The last change of the code's row that was acknowledged early enough before the call; 0: none."""
    code = call.args[0]
    last = 0.0
    for changed in store.changes(code):
        for told in history.calls.values():
            if (
                told.method == "invalidate"
                and told.args[0] == code
                and told.outcome == "returned"
                and told.began >= changed
                and told.ended is not None
                and told.ended + DELETION_BOUND <= call.began
            ):
                last = max(last, changed)
    return last


def wrong_answer(plan: Plan, history: History, store: LinkStore, call: Call) -> Broken | None:
    """Whether what the call returned was true at no instant at which it may have been looked up."""
    malformed = well_formed(call)
    if malformed is not None:
        expected, _, got = malformed.partition(", not ")
        return Broken(
            "malformed",
            f"{call.name} returns {expected}",
            f"it returned {got}",
            cause=f"{call.method} does not return {expected}",
        )
    assert call.ended is not None
    since = acknowledged_change(history, store, call)
    right = store.answers(call.args[0], since, call.began, call.ended, EPOCH)
    state = call.value["state"]
    if {"state": state, "long_url": call.value["long_url"] if state == "live" else None} in right:
        return None
    wanted = " or ".join(dict.fromkeys(show(each) for each in right))
    return Broken(f"wrong {state}", f"{asking(call)} gets {wanted}", f"it got {show(call.value)}")


def asking(call: Call) -> str:
    return f"{call.name}, which asks {server_name(call.server)} for {call.args[0]} at {call.began:.3f} s,"


def unexpected_error(call: Call) -> Broken | None:
    """A resolve that raised although the store was there, or was cancelled though nobody cancelled it."""
    return gave_up(call, f"{asking(call)} gets an answer")


def first_wrong(plan: Plan, history: History, store: LinkStore, calls: Sequence[Call]) -> Broken | None:
    """The first of `calls` that has an error or a wrong answer; those that were cancelled do not count."""
    for call in calls:
        if call.method != "resolve" or call.cancelled_at is not None:
            continue
        found = unexpected_error(call) or wrong_answer(plan, history, store, call)
        if found is not None:
            return found
    return None
