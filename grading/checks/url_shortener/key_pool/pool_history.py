"""What a run of the key pool shows: what was in the pool, what left it, who got it.

A code is *handed out* when a call claims it. What is in the pool, and what left it, is known from the judge's own
commands to the Redis: `put`, `drawn` and `looks` of the plan's facts.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from grading.checks.errors import cause_of, told
from grading.checks.url_shortener.codes import (
    ALPHABET,
    LENGTH,
    PORT_ERROR,
    returned,
)
from grading.judge.history import Ask, Call, History
from grading.judge.plan import Plan
from grading.judge.requirement import Broken, NotShown
from grading.judge.wording import how_many

REDIS_ERROR = "redis.exceptions.RedisError"
FILLING_ERRORS = "a PortError or a redis.exceptions.RedisError"
SOME = 5
"""Codes that a report shows."""


def incomplete(plan: Plan, history: History) -> NotShown | None:
    """A run without what makes it (left out to find a smaller one) shows nothing."""
    done = {*history.op_times, *history.calls}
    left_out = [name for name in plan.facts.get("needed", ()) if name not in done]
    return NotShown("there were no codes", "codes in the pool") if left_out else None


def looks(plan: Plan, history: History) -> list[tuple[float, set[str]]]:
    """When the judge looked into the pool, and what was in it."""
    names = [name for name in plan.facts.get("looks", ()) if name in history.readings]
    return [(history.op_times[name], set(history.readings[name])) for name in names]


def given(plan: Plan, history: History, until: float = float("inf")) -> set[str]:
    """The codes that the judge put into the pool."""
    return {
        code
        for name, codes in plan.facts.get("put", {}).items()
        if history.op_times.get(name, float("inf")) <= until
        for code in codes
    }


def drawn(plan: Plan, history: History) -> list[tuple[float, list[str]]]:
    """When others took codes out of the pool, and which."""
    names = [name for name in plan.facts.get("drawn", ()) if name in history.readings]
    return [(history.op_times[name], list(history.readings[name])) for name in names]


def claims(history: History) -> list[Ask]:
    """Of codes that were handed out: all but those which the store refused to hear, which may be claimed again."""
    return [ask for ask in history.asks if ask.method == "claim" and ask.error != "Unavailable"]


@dataclass(frozen=True, slots=True)
class Taken:
    """A code left the pool for this one."""

    t: float
    whose: str
    server: int = -1
    undecided: bool = False
    """The claim has no answer that its server knows of: that server may try the code for another link."""


def _events(plan: Plan, history: History) -> Iterator[tuple[float, str, Taken | set[str]]]:
    """When, which code was taken and by whom; or ("") when, what was in the pool."""
    for ask in claims(history):
        undecided = bool(ask.error) or ask.answered is None
        yield ask.sent, ask.args[0], Taken(ask.sent, ask.call, ask.server, undecided)
    for t, codes in drawn(plan, history):
        for code in codes:
            yield t, code, Taken(t, "others")
    for t, found in looks(plan, history):
        yield t, "", found


def twice(plan: Plan, history: History) -> Broken | None:
    """A code that was taken by two, or is in the pool after it was taken."""
    taken: dict[str, Taken] = {}
    deaths = history.crashes
    for t, code, event in sorted(_events(plan, history), key=lambda each: each[0]):
        if isinstance(event, Taken):
            before = taken.setdefault(code, event)
            alive = all(not (before.t <= when <= t and server == before.server) for when, server in deaths)
            again = before.undecided and before.server == event.server and alive
            if before.whose != event.whose and not again:
                return Broken(
                    "taken twice",
                    "no code of the pool comes to two takers, and none is claimed for two links",
                    f"{code!r} was {_got(before)}, and then {_got(event)}",
                )
            taken[code] = event
        elif back := sorted(code for code in event if code in taken):
            return Broken(
                "back in the pool",
                "what was handed out is not in the pool again",
                f"at {t:.3f} s {how_many(len(back), 'code')} in the pool had been handed out before; "
                f"{back[0]!r} was {_got(taken[back[0]])}",
            )
    return None


def _got(taken: Taken) -> str:
    if taken.server < 0:
        return f"taken by others at {taken.t:.3f} s"
    return f"claimed for {taken.whose} at {taken.t:.3f} s"


def cost(plan: Plan, history: History, gone: int = 0) -> Broken | None:
    """More codes left the pool, and were not handed out, than each life of each server may cost.

    `gone`: callers who left; each of them may cost what a crash does."""
    batch = plan.values["batch"]
    handed_out = {ask.args[0]: ask.sent for ask in reversed(claims(history))}
    for call in returned(history):
        if isinstance(call.value, str) and call.ended is not None:
            handed_out.setdefault(call.value, call.ended)
    for t, found in looks(plan, history):
        left = given(plan, history, until=t) - found
        held = [code for code in left if handed_out.get(code, t + 1) > t]
        times = plan.servers + sum(when < t for when, _ in history.crashes) + gone
        if len(held) > 2 * batch * times:
            once_more = " and for each caller who left" if gone else ""
            return Broken(
                "holds too many",
                f"at {t:.3f} s at most {2 * batch * times} codes have left the pool without being handed out: a batch "
                f"of {batch} in hand and one on its way, for each start of a server{once_more}",
                f"{len(left)} codes had left the pool, and {len(held)} of them were not handed out",
            )
    return None


def is_code(value: object) -> bool:
    return isinstance(value, str) and len(value) == LENGTH and set(value) <= set(ALPHABET)


def no_code_to_be_had(call: Call) -> bool:
    """It says so, or lets an error of the pool through, which other requirements judge."""
    return call.raised(PORT_ERROR, REDIS_ERROR)


def fillings(history: History) -> list[Call]:
    return [call for call in history.calls.values() if call.method == "generate"]


def filling(plan: Plan, call: Call) -> str:
    return f"{call.name}: generate on {plan.called(call.server)} at {call.began:.3f} s"


def first_filling_failed(plan: Plan, history: History) -> Broken | None:
    """A generate that met no fault and raised all the same."""
    disturbed = {ask.server for ask in history.asks if ask.fault} | {
        t.server for t in history.trips if t.fault
    }
    for call in fillings(history):
        if call.outcome == "raised" and not (
            call.server in disturbed and call.raised(PORT_ERROR, REDIS_ERROR)
        ):
            return Broken(
                f"generate raised {call.error['type']}",
                f"{filling(plan, call)} fills the pool"
                + (f", or raises {FILLING_ERRORS}" if call.server in disturbed else ""),
                f"it raised {told(call.error)}",
                cause=cause_of(call.error),
            )
    return None
