"""Judge a recorded history against the oracle. A checker sees the judge's own record, never the component."""

from __future__ import annotations

from grading.checks.errors import cause_of, told
from grading.checks.url_shortener.redirect_cache.answers import (
    DELETION_BOUND,
    PORT_ERROR,
    REDIS_ERROR,
    acknowledged_change,
    asked,
    asking,
    first_wrong,
    resolves,
    used_the_cache,
)
from grading.checks.url_shortener.redirect_cache.script import role_of
from grading.checks.url_shortener.redirect_cache.store import EDGE, LinkStore
from grading.checks.url_shortener.redirect_cache.workloads import MARK_MAX
from grading.judge.history import Call, History
from grading.judge.plan import Plan
from grading.judge.requirement import Broken, Kept, NotShown, Outcome
from grading.judge.wording import grown, server_name, show

NEGATIVE_TTL_MAX = 60.0
NOTHING_TWICE = NotShown("nothing was asked for twice", "a code that is asked for a second time")
SPREAD = 0.05
"""Share of ttl over which the deaths of entries filled together are spread at least."""


def in_role(plan: Plan, history: History, role: str) -> Call | None:
    """The call that has this role; None: it was left out."""
    return next((c for c in history.calls.values() if role_of(plan, c.name) == role), None)


def right_answers(plan: Plan, history: History, store: LinkStore) -> Outcome:
    return first_wrong(plan, history, store, resolves(history)) or Kept()


# --- what it costs


def cheap_hits(plan: Plan, history: History, store: LinkStore) -> Outcome:
    """Calls in this workload are alone; what a server sends until the next one begins is the call's doing."""
    calls = sorted(history.calls.values(), key=lambda call: call.began)
    wrong = first_wrong(plan, history, store, calls)
    if wrong is not None:
        return wrong
    for index, call in enumerate(calls):
        until = calls[index + 1].began if index + 1 < len(calls) else float("inf")
        trips = len(history.trips_between(call.began, until))
        queries = len(history.asks_between(call.began, until))
        got = f"round trips to the cache: {trips}; queries of the store: {queries}"
        role = role_of(plan, call.name)
        hit = hit_by_now(history, calls[:index], call) if role == "hit" else ""
        if hit and (queries or trips > 1):
            return Broken(hit, f"{asking(call)} is a {hit}: one round trip to the cache, no query", got)
        if role == "miss" and (queries > 1 or trips > 3):
            return Broken(
                "miss", f"{asking(call)} is a miss: at most 3 round trips to the cache, 1 query", got
            )
    if any(role_of(plan, call.name) == "hit" for call in calls):
        return Kept()
    return NOTHING_TWICE


def hit_by_now(history: History, earlier: list[Call], call: Call) -> str:
    """What kind of hit the call must be: the code was asked for before, and no invalidation hinders its fill."""
    told = [c for c in earlier if c.method == "invalidate" and c.args == call.args]
    free = max((c.ended or c.began for c in told), default=-MARK_MAX) + MARK_MAX
    asked_for = [c for c in earlier if c.method == "resolve" and c.args == call.args and c.began >= free]
    if not any(went_out(history, c) for c in asked_for):
        return ""
    if told:
        return f"hit, as it was asked for before, over {MARK_MAX:g} s after the invalidation"
    return "hit (of an expired link)" if call.value["state"] == "expired" else "hit"


def went_out(history: History, call: Call) -> bool:
    """Whether it was answered by the cache or the store: what a server itself remembers fills nothing for others."""
    end = (call.ended or call.began) + EDGE
    return bool(history.trips_between(call.began, end) or history.asks_between(call.began, end))


def one_query_per_code(plan: Plan, history: History, store: LinkStore) -> Outcome:
    wrong = first_wrong(plan, history, store, resolves(history))
    if wrong is not None:
        return wrong
    groups: dict[tuple[str, int, float], int] = {}
    for call in resolves(history):
        key = (call.args[0], call.server, call.began)
        groups[key] = groups.get(key, 0) + 1
    for (code, server, began), callers in groups.items():
        queries = [a for a in asked(history, code, began, began + 1.5) if a.server == server]
        if callers > 1 and len(queries) > 1:
            return Broken(
                "stampede",
                f"{callers} callers ask {server_name(server)} for the cold code {code} at {began:g} s: one query",
                f"{server_name(server)} sent {len(queries)} queries for it",
            )
    return (
        Kept()
        if any(callers > 1 for callers in groups.values())
        else NotShown("nobody asked at the same time", "several callers for one code at one moment")
    )


# --- how long it is remembered


def bounded_and_spread(plan: Plan, history: History, store: LinkStore) -> Outcome:
    wrong = first_wrong(plan, history, store, resolves(history))
    if wrong is not None:
        return wrong
    if not used_the_cache(history):
        return NotShown(
            "the component never used the cache", "keys in the cache, whose TTLs can be looked at"
        )
    limit = 1000 * plan.ttl
    for keys in history.inspections.values():
        for key, left in keys.items():
            if left is None:
                return Broken(
                    "for ever",
                    f"every key has a TTL of at most ttl = {plan.ttl:g} s",
                    f"{key!r} stays for ever",
                    writes=True,
                )
            if left > limit:
                got = f"{key!r} has {left / 1000:.1f} s to live two seconds after it was filled"
                return Broken(
                    "too long", f"every key has a TTL of at most ttl = {plan.ttl:g} s", got, writes=True
                )
    return _asks_again(plan, history) or _spread(plan, history) or Kept()


def _asks_again(plan: Plan, history: History) -> Broken | None:
    code = plan.facts["popular"]
    last = in_role(plan, history, "after-ttl")
    if last is None or len([c for c in resolves(history) if c.args[0] == code]) < 2:
        return None
    if asked(history, code, last.began - plan.ttl):
        return None
    return Broken(
        "kept too long",
        f"{code} is looked up anew by {last.began:g} s: no entry stays longer than ttl = {plan.ttl:g} s, however often "
        "it is asked for",
        "the store was not asked again",
    )


UNITS = "The commands that write, and the life that each gives: px= and PX take whole milliseconds, ex= and EX seconds."


def _spread(plan: Plan, history: History) -> Broken | None:
    if not history.inspections:
        return None
    keys = next(iter(history.inspections.values()))
    lifetimes = [left / 1000 for left in keys.values() if left is not None and left > 200 * plan.ttl]
    filled = len({c.args[0] for c in resolves(history) if c.began < 2})
    if filled < plan.facts["filled"]:
        return None
    expected = f"{filled} entries filled within a tenth of a second die spread over {SPREAD * plan.ttl:.0f} s or more"
    if not lifetimes:
        longest = max((left / 1000 for left in keys.values() if left is not None), default=0.0)
        got = (
            f"two seconds later the one that lives longest has {longest:.1f} s left, of a ttl of {plan.ttl:g} s"
            if keys
            else "two seconds later none of them was in the cache any more"
        )
        return Broken("nothing kept", expected, got, writes=True, read_next=UNITS)
    spread = max(lifetimes) - min(lifetimes)
    if len(lifetimes) < 20 or spread < SPREAD * plan.ttl:
        got = f"they lie under {len(lifetimes)} keys, which die within {spread:.1f} s of each other"
        return Broken("together", expected, got, writes=True)
    return None


def remembered_for_a_minute(plan: Plan, history: History, store: LinkStore) -> Outcome:
    calls = sorted(resolves(history), key=lambda call: call.began)
    wrong = first_wrong(plan, history, store, calls)
    if wrong is not None:
        return wrong
    for call in calls:
        code = call.args[0]
        before = asked(history, code, until=call.began - EDGE)
        during = asked(history, code, call.began, call.began + 1)
        if role_of(plan, call.name) == "again" and before and during:
            age = f"{call.began - before[-1].sent:.1f} s"
            return Broken(
                "asked again",
                f"{asking(call)} gets 'unknown' from the cache: the store said so {age} earlier",
                f"the store was asked for {code} again",
            )
        if not during and (not before or call.began - before[-1].sent > NEGATIVE_TTL_MAX):
            age = f"{call.began - before[-1].sent:.1f} s" if before else "never"
            return Broken(
                "remembered too long",
                f"{asking(call)} makes the store be asked: 'unknown' is remembered for {NEGATIVE_TTL_MAX:g} s "
                "(NEGATIVE_TTL_MAX) at most",
                f"the store was not asked; its last answer was {age} old",
            )
    return Kept() if len(calls) > 1 else NOTHING_TWICE


# --- failures

PORT_ERRORS = "PortError (the error types of the store: Unavailable, TimedOut)"
USES_THE_CACHE = "a cache that is filled, so that a deletion has something to race with"


def right_without_the_cache(plan: Plan, history: History, store: LinkStore) -> Outcome:
    wrong = first_wrong(plan, history, store, resolves(history))
    if wrong is not None:
        return wrong
    met = [trip for trip in history.trips if trip.fault]
    if not met:
        return NotShown(
            "the component sent nothing to the cache while it failed", "a command to the cache while it fails"
        )
    first, second = in_role(plan, history, "after-1"), in_role(plan, history, "after-2")
    if (
        first is not None
        and second is not None
        and asked(history, first.args[0], second.began, second.began + 1)
    ):
        return Broken(
            "no hits again",
            f"a minute after the cache came back, {second.args[0]} is asked for twice: the second is a hit",
            "the store was asked both times",
        )
    return Kept()


def error_and_then_right(plan: Plan, history: History, store: LinkStore) -> Outcome:
    fault = plan.faults[0] if plan.faults else None
    for call in resolves(history):
        if fault is None or call.began >= fault.end:
            wrong = first_wrong(plan, history, store, [call])
            if wrong is not None:
                return wrong
        elif call.began >= fault.start and not call.raised(PORT_ERROR):
            if call.ended is not None and call.ended >= fault.end and call.outcome == "returned":
                continue  # it waited until the store was back
            if call.outcome == "returned":
                got = f"it got {show(call.value)}"
            else:
                got = f"it got {told(call.error) if call.error else 'CancelledError'}"
            return Broken(
                "not an error",
                f"{asking(call)} while the store fails, gets a {PORT_ERRORS}",
                got,
                cause=cause_of(call.error),
            )
    if not any(ask.error for ask in history.asks):
        return NotShown("the store was not asked while it failed", "a query of the store while it fails")
    return Kept()


def gone_for_good(plan: Plan, history: History, store: LinkStore) -> Outcome:
    """After an acknowledged deletion nobody redirects; before it, either answer is right."""
    for call in resolves(history):
        if met_a_failure(history, call) and call.outcome == "raised":
            continue  # what becomes of a resolve without a cache is the concern of cache-failure
        wrong = first_wrong(plan, history, store, [call])
        if wrong is None:
            continue
        since = acknowledged_change(history, store, call)
        if wrong.kind != "wrong live" or not since:
            return wrong
        told = min(
            (c.ended or 0.0) for c in invalidations(history) if c.outcome == "returned" and c.began >= since
        )
        return Broken(
            "redirects after deletion",
            f"{asking(call)} gets 'unknown': its deletion was acknowledged at {told:.3f} s, "
            f"more than {DELETION_BOUND:g} s earlier",
            f"it got {show(call.value)}",
        )
    wrong = needless_failure(history)
    if wrong is not None:
        return wrong
    if not used_the_cache(history):
        return NotShown("the component never used the cache, so there was nothing to delete", USES_THE_CACHE)
    return Kept()


def gone_from_a_warm_cache(plan: Plan, history: History, store: LinkStore) -> Outcome:
    """As `gone_for_good`; shown only if the link was warm, that is, some call was answered without a query."""
    outcome = gone_for_good(plan, history, store)
    if isinstance(outcome, Broken):
        return outcome
    for call in resolves(history):
        live = call.outcome == "returned" and call.value["state"] == "live"
        if live and not asked(history, call.args[0], call.began, call.ended or 0.0):
            return Kept()
    return NotShown(
        "no call was answered from the cache, so there was nothing to delete",
        "a call that is answered without a query, before the link is deleted",
    )


def live_on_all_servers(plan: Plan, history: History, store: LinkStore) -> Outcome:
    """Right answers, and an invalidate that does not fail."""
    return first_wrong(plan, history, store, resolves(history)) or needless_failure(history) or Kept()


def invalidations(history: History) -> list[Call]:
    return [call for call in history.calls.values() if call.method == "invalidate"]


def met_a_failure(history: History, call: Call) -> bool:
    """Whether a request to the cache that this call's server sent meanwhile was disturbed."""
    end = call.ended if call.ended is not None else float("inf")
    return any(trip.fault for trip in history.trips_between(call.began, end + EDGE, call.server))


def needless_failure(history: History) -> Broken | None:
    """An invalidate that raised though the cache was there, or raised what the service does not expect."""
    for call in invalidations(history):
        if call.outcome != "raised":
            continue
        got = f"it raised {told(call.error)}"
        if not call.raised(PORT_ERROR, REDIS_ERROR):
            return Broken(
                "strange error", f"{call.name} returns, or raises a RedisError or a {PORT_ERRORS}", got
            )
        if not met_a_failure(history, call):
            return Broken("fails without need", f"{call.name} returns: the cache is there", got)
    return None


# --- callers and memory


def others_unharmed(plan: Plan, history: History, store: LinkStore) -> Outcome:
    wrong = first_wrong(plan, history, store, resolves(history))
    if wrong is not None:
        return wrong
    for call in resolves(history):
        if call.cancelled_at is not None and call.ended is not None and call.ended - call.cancelled_at > 1.0:
            got = f"it went on for {call.ended - call.cancelled_at:.1f} s"
            return Broken("not cancelled", f"{call.name} ends when it is cancelled", got)
    code, server = plan.facts["code"], plan.facts["server"]
    left = [call for call in resolves(history) if call.cancelled_at is not None]
    waiting = [
        c for c in resolves(history) if c.args[0] == code and c.began < 2.0 + EDGE and c.server == server
    ]
    staying = [call for call in waiting if call not in left]  # who left may not have come to his query
    queries = [a for a in asked(history, code, 1.9, 4) if a.server == server]
    if not left:
        return NotShown(
            "every call had ended before it could be cancelled",
            "a caller who is still waiting when he leaves",
        )
    if len(queries) >= len(staying) > 1:
        return NotShown(
            "every caller made a query of its own, so nobody waited for another",
            "callers that share one query (single flight), and one of them leaving",
        )
    return Kept()


BLOCKS_PER_CODE = 0.5


def memory_stays(plan: Plan, history: History, store: LinkStore) -> Outcome:
    wrong = first_wrong(plan, history, store, resolves(history))
    if wrong is not None:
        return wrong
    codes = len({c.args[0] for c in resolves(history) if history.op_times.get("before", 0) < c.began})
    if "before" not in history.weights or "after" not in history.weights or codes < 100:
        return NotShown("the memory was not weighed", "the memory before and after a hundred codes more")
    growth = (history.weights["after"] - history.weights["before"]) / codes
    if growth > BLOCKS_PER_CODE:
        return Broken(
            "grows",
            "the memory is the same after further codes were asked for, and nothing is under way",
            grown(growth, "code"),
        )
    return Kept()
