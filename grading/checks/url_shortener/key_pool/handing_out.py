"""Checkers of `new_code`: what app servers hand out of the pool. A checker never sees the component."""

from __future__ import annotations

from grading.checks.errors import cause_of, told
from grading.checks.url_shortener.codes import (
    LENGTH,
    UNAVAILABLE,
    asking,
    failed,
    first_failed,
    first_malformed,
    first_not_its_own,
    given_twice,
    lost,
    makers,
    returned,
    shown_if_met,
)
from grading.checks.url_shortener.key_pool.pool_history import (
    cost,
    first_filling_failed,
    incomplete,
    is_code,
    looks,
    no_code_to_be_had,
    twice,
)
from grading.checks.url_shortener.key_pool.world import World
from grading.checks.workload import role_of
from grading.judge.history import History
from grading.judge.plan import Plan
from grading.judge.requirement import Broken, Kept, NotShown, Outcome
from grading.judge.wording import show


def well_formed(plan: Plan, history: History, world: World) -> Outcome:
    if (shown := incomplete(plan, history)) is not None:
        return shown
    wrong = first_filling_failed(plan, history)
    if wrong is not None:
        return wrong
    for t, found in looks(plan, history):
        for code in sorted(found):
            if not is_code(code):
                return Broken(
                    "malformed in the pool",
                    f"generate puts codes into the pool: {LENGTH} symbols each, all of 0-9, a-z, A-Z",
                    f"at {t:g} s there is {show(code)}, of {len(code)} symbols",
                )
        if not found:
            return Broken(
                "nothing in the pool",
                f"after generate there are codes in the set pool:unused, {2 * plan.values['low_water']} or more",
                f"at {t:g} s it is empty",
            )
    return first_failed(plan, history) or first_malformed(plan, history) or Kept()


def own_codes(plan: Plan, history: History, world: World) -> Outcome:
    if (shown := incomplete(plan, history)) is not None:
        return shown
    wrong = (
        first_failed(plan, history)
        or first_not_its_own(plan, history, world)
        or given_twice(plan, history)
        or refused_and_back(plan, history, world)
    )
    if wrong is not None:
        return wrong
    if all(granted for _, _, _, granted in world.claims):
        return NotShown("no claim was ever refused", "a code of the pool that is somebody's alias")
    return Kept()


def refused_and_back(plan: Plan, history: History, world: World) -> Broken | None:
    """A code that `claim` refused is in the pool, or claimed for another link."""
    refused: dict[str, tuple[float, str]] = {}
    for t, call, code, granted in world.claims:
        when, whose = refused.get(code, (t, call))
        if whose != call:
            return Broken(
                "refused and tried again",
                "a code that `claim` refused is gone",
                f"{code!r} was refused for {whose} at {when:.3f} s, and then claimed for {call} as well",
            )
        if not granted:
            refused.setdefault(code, (t, call))
    for t, found in looks(plan, history):
        for code in sorted(found & set(refused)):
            when, whose = refused[code]
            if when < t:
                return Broken(
                    "refused and back",
                    "a code that `claim` refused is gone",
                    f"{code!r}, which was refused for {whose} at {when:.3f} s, is in the pool at {t:g} s",
                )
    return None


def once(plan: Plan, history: History, world: World) -> Outcome:
    """The pool may run dry here: `Unavailable` is right."""
    if (shown := incomplete(plan, history)) is not None:
        return shown
    wrong = (
        twice(plan, history) or given_twice(plan, history) or first_failed(plan, history, no_code_to_be_had)
    )
    if wrong is not None:
        return wrong
    if len({call.server for call in returned(history)}) < 2:
        return NotShown("fewer than two servers handed out codes", "codes handed out by several servers")
    return Kept()


def once_under_faults(plan: Plan, history: History, world: World) -> Outcome:
    outcome = once(plan, history, world)
    if isinstance(outcome, Kept) and not any(trip.fault for trip in history.trips):
        return NotShown(
            "nothing that was sent to the pool met the failure", "a batch that is fetched meanwhile"
        )
    return outcome


def in_batches(plan: Plan, history: History, world: World) -> Outcome:
    if (shown := incomplete(plan, history)) is not None:
        return shown
    wrong = first_failed(plan, history) or cost(plan, history)
    if wrong is not None:
        return wrong
    batch, codes, trips = plan.values["batch"], len(returned(history)), len(history.trips)
    allowed = 2 * codes // batch + 3
    if codes < 2:
        return NotShown("no codes were handed out", "several codes from one server")
    if trips > allowed:
        return Broken(
            "too many trips",
            f"{codes} codes of one server, in batches of {batch}, cost at most {allowed} round trips to the pool",
            f"they cost {trips}",
        )
    return Kept() if codes > 2 * batch or trips else NotShown("too few codes were asked for", "some batches")


def cheap_crash(plan: Plan, history: History, world: World) -> Outcome:
    if (shown := incomplete(plan, history)) is not None:
        return shown
    if not history.crashes:
        return NotShown("the server never died", "a server that dies with a batch in hand")
    return twice(plan, history) or first_failed(plan, history) or cost(plan, history) or Kept()


def goes_on(plan: Plan, history: History, world: World) -> Outcome:
    """While the pool is away: as many codes as the batch has left."""
    if (shown := incomplete(plan, history)) is not None:
        return shown
    batch = plan.values["batch"]
    for call in makers(history):
        role = role_of(plan, call.name)
        wrong = failed(plan, call)
        if wrong is not None and role != "beyond":
            left = f": its server took a batch of {batch} before the pool went away"
            return Broken(wrong.kind, wrong.expected + left * (role == "held"), wrong.got, cause=wrong.cause)
    if not any(trip.fault for trip in history.trips):
        return NotShown("nothing was sent to the pool while it was away", "a caller for whom no code is left")
    return Kept()


def runs_dry(plan: Plan, history: History, world: World) -> Outcome:
    """Without a code to be had: Unavailable, soon. Afterwards codes again."""
    if (shown := incomplete(plan, history)) is not None:
        return shown
    until = plan.facts["until"]
    met = False
    for call in makers(history):
        role = role_of(plan, call.name)
        if role == "after":
            wrong = failed(plan, call)
            if wrong is not None:
                return Broken(
                    "no recovery",
                    f"{wrong.expected} again: there are codes enough",
                    wrong.got,
                    cause=wrong.cause,
                )
            continue
        if call.ended is None or call.ended >= until:
            return Broken(
                "waits",
                f"{asking(plan, call)} with no code to be had, gets Unavailable soon",
                f"it waited until {call.ended or until:g} s",
            )
        if call.outcome == "returned" and is_code(call.value):
            continue
        if not call.raised(UNAVAILABLE):
            got = f"it raised {told(call.error)}" if call.error else f"it {call.outcome} {show(call.value)}"
            return Broken(
                "not Unavailable",
                f"{asking(plan, call)} with no code to be had, gets Unavailable",
                got,
                cause=cause_of(call.error),
            )
        met = True
    if not met:
        return NotShown("there was a code for everybody", "more callers than codes")
    return Kept()


def nothing_lost(plan: Plan, history: History, world: World) -> Outcome:
    if (shown := incomplete(plan, history)) is not None:
        return shown
    return lost(plan, history, world) or twice(plan, history) or shown_if_met(history)


def undisturbed(plan: Plan, history: History, world: World) -> Outcome:
    if (shown := incomplete(plan, history)) is not None:
        return shown
    gone = [call for call in makers(history) if call.cancelled_at is not None]
    wrong = (
        first_failed(plan, history, lambda call: call in gone)
        or twice(plan, history)
        or cost(plan, history, len(gone))
    )
    if wrong is not None:
        return wrong
    return (
        Kept() if gone else NotShown("no call was cancelled in time", "a caller that leaves while it waits")
    )
