"""Judge a recorded history against the namespace and the pool. A checker never sees the component.

A code is *handed out* when a call claims it. What is in the pool, and what left it, is known from the judge's own
commands to the Redis: `put`, `drawn` and `looks` of the plan's facts.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from grading.checks.errors import cause_of, told
from grading.checks.url_shortener.codes import (
    ALPHABET,
    LENGTH,
    PORT_ERROR,
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
from grading.checks.url_shortener.key_pool.world import World
from grading.checks.workload import role_of
from grading.judge.history import Ask, Call, History
from grading.judge.plan import Plan
from grading.judge.requirement import Broken, Kept, NotShown, Outcome
from grading.judge.wording import how_many, show

REDIS_ERROR = "redis.exceptions.RedisError"
FILLING_ERRORS = "a PortError or a redis.exceptions.RedisError"
SOME = 5
"""Codes that a report shows."""


# --- the pool, as the judge knows it


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


# --- app servers


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


# --- generators


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


def asked_for(history: History, call: Call) -> list[Ask]:
    """The ranges that its server took while the call lasted."""
    end = float("inf") if call.ended is None else call.ended
    return [
        ask
        for ask in history.asks
        if ask.port == "ranges" and ask.server == call.server and call.began <= ask.sent <= end
    ]


def rounds(plan: Plan, history: History) -> Iterator[tuple[Call, int, int]]:
    """Each call of generate, with the size of the pool before and some time after it."""
    for name, before, after in plan.facts["rounds"]:
        if name in history.calls and before in history.readings and after in history.readings:
            yield history.calls[name], history.readings[before], history.readings[after]


def counts(call: Call) -> bool:
    """Whether it returned a number."""
    return type(call.value) is int


def fills_up(plan: Plan, history: History, world: World) -> Outcome:
    low = plan.values["low_water"]
    wrong = first_filling_failed(plan, history)
    if wrong is not None:
        return wrong
    done = 0
    for call, before, after in rounds(plan, history):
        what = f"{filling(plan, call)}, with {before} codes in the pool and a low_water of {low},"
        asked = len(asked_for(history, call))
        done += 1
        if before >= low and (after != before or asked):
            return Broken(
                "not needed",
                f"{what} adds nothing and takes no range",
                f"it took {asked} ranges, and {after} codes are in the pool",
            )
        if before < low and after < 2 * low:
            return Broken(
                "too few", f"{what} fills the pool up to {2 * low}", f"it has {after} codes afterwards"
            )
        if before < low and after >= 2 * low + world.size:
            return Broken(
                "too many",
                f"{what} fills the pool up to {2 * low}, and at most the rest of a range of {world.size} more",
                f"it has {after} codes afterwards",
            )
        if not counts(call) or call.value != after - before:
            return Broken(
                "wrong number",
                f"{what} returns how many it added: {after - before}",
                f"it returned {show(call.value)}",
                cause="" if counts(call) else "generate does not return an int",
            )
    return Kept() if done else NotShown("no pool was filled", "a pool below its mark")


def tells_the_truth(plan: Plan, history: History, world: World) -> Outcome:
    """While the pool or the ranges fail."""
    low = plan.values["low_water"]
    wrong = first_filling_failed(plan, history)
    if wrong is not None:
        return wrong
    met = False
    added = 0
    for call, before, after in rounds(plan, history):
        asked = asked_for(history, call)
        end = float("inf") if call.ended is None else call.ended
        trips = [t for t in history.trips if t.server == call.server and call.began <= t.sent <= end]
        met = met or any(ask.fault for ask in asked) or any(trip.fault for trip in trips)
        what = filling(plan, call)
        got = world.size * sum(
            ask.port == "ranges" and not ask.error and ask.sent <= end for ask in history.asks
        )
        added += after - before
        if added > got:
            return Broken(
                "out of nowhere",
                f"{what} adds a code for each number that its ranges gave, and none without one",
                f"by then {got} numbers had come, and {added} codes had been added",
            )
        if call.outcome != "returned":
            continue
        if before < low and after < 2 * low:
            return Broken(
                "hidden",
                f"{what} fills the pool up to {2 * low}, or raises {FILLING_ERRORS}",
                f"it returned {show(call.value)}, and {after} codes are in the pool",
            )
        if not counts(call) or call.value > after - before:
            return Broken(
                "wrong number",
                f"{what} returns how many codes it added: not more than {after - before}",
                f"it returned {show(call.value)}",
            )
    return Kept() if met else NotShown("no filling met the failure", "a filling while something fails")


def of_numbers(plan: Plan, history: History, world: World) -> Broken | None:
    """More codes than numbers."""
    found = {code for _, codes in looks(plan, history) for code in codes}
    found |= {code for _, codes in drawn(plan, history) for code in codes}
    made = found - given(plan, history)
    if len(made) > world.allotted:
        return Broken(
            "more codes than numbers",
            f"every code comes from a number of its own that `allot` gave: at most {world.allotted} codes",
            f"{len(made)} codes were in the pool",
        )
    return None


def overfull(plan: Plan, history: History, world: World) -> Broken | None:
    most = plan.servers * (2 * plan.values["low_water"] + world.size)
    for t, found in looks(plan, history):
        if len(found) > most:
            return Broken(
                "overfull",
                f"{plan.servers} generators at once leave at most {most} codes in the pool: each of them saw that "
                f"{2 * plan.values['low_water']} were missing, and took what was left of a range as well",
                f"at {t:g} s there are {len(found)}",
            )
    return None


def never_again(plan: Plan, history: History, world: World) -> Outcome:
    wrong = (
        first_filling_failed(plan, history)
        or twice(plan, history)
        or of_numbers(plan, history, world)
        or overfull(plan, history, world)
    )
    if wrong is not None:
        return wrong
    taken = any(codes for _, codes in drawn(plan, history))
    return Kept() if taken else NotShown("nothing was in the pool", "codes that are taken out and filled up")


def never_again_under_faults(plan: Plan, history: History, world: World) -> Outcome:
    outcome = never_again(plan, history, world)
    if isinstance(outcome, Kept) and not (any(trip.fault for trip in history.trips) or history.crashes):
        return NotShown("no filling met the failure", "codes that are added while something fails")
    return outcome


def worlds(plan: Plan, history: History) -> list[set[str]] | None:
    """What each of the generators with the same numbers made; None: not all of them were asked."""
    found = [codes for _, codes in looks(plan, history)]
    asked = {call.server for call in fillings(history)}
    emptied = all(f"empty {server}" in history.op_times for server in range(3))
    return found if len(found) == 3 and asked == {0, 1, 2} and emptied else None


def one_code_a_number(plan: Plan, history: History, world: World) -> Outcome:
    wrong = first_filling_failed(plan, history)
    if wrong is not None:
        return wrong
    found = worlds(plan, history)
    if found is None or not all(found):
        return NotShown(
            "not all generators filled the pool", "two generators with one key and the same numbers"
        )
    if not found[0] & found[1]:
        return Broken(
            "another code",
            "generator-1 and generator-2, with the same key, make the same codes of the same numbers",
            f"none of {len(found[0])} codes is the same; they begin with {_some(found[0])} and {_some(found[1])}",
        )
    return Kept()


def not_guessable(plan: Plan, history: History, world: World) -> Outcome:
    wrong = first_filling_failed(plan, history)
    if wrong is not None:
        return wrong
    found = [codes for _, codes in looks(plan, history) if len(codes) >= 20]
    for codes in found:
        numbers = sorted(map(number, codes))
        gaps = [b - a for a, b in pairwise(numbers)]
        if len(set(gaps)) < len(gaps) / 2:
            return Broken(
                "regular",
                f"{len(codes)} codes made of consecutive numbers lie at no regular distance",
                f"in order, they begin with {_some(codes)}: only {len(set(gaps))} different distances",
            )
    made = worlds(plan, history)
    if made is None or not all(made):
        return NotShown("not all generators filled the pool", "two generators with different keys")
    same = sorted(made[0] & made[2])
    if len(same) > 3:
        return Broken(
            "not secret",
            "under another key the same numbers become other codes",
            f"{len(same)} of {len(made[0])} codes of generator-1 came from generator-3 as well, which has another key: "
            f"{', '.join(same[:SOME])}",
        )
    return Kept() if found else NotShown("too few codes were made", "some codes of consecutive numbers")


def number(code: str) -> int:
    """What the code stands for in base 62; other symbols count as 0."""
    value = 0
    for symbol in code:
        value = 62 * value + max(ALPHABET.find(symbol), 0)
    return value


def _some(codes: set[str]) -> str:
    return ", ".join(sorted(codes, key=number)[:SOME])
