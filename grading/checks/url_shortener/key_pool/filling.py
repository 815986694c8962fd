"""Checkers of `generate`: what generators put into the pool. A checker never sees the component."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from grading.checks.url_shortener.codes import (
    ALPHABET,
)
from grading.checks.url_shortener.key_pool.pool_history import (
    FILLING_ERRORS,
    SOME,
    drawn,
    filling,
    fillings,
    first_filling_failed,
    given,
    looks,
    twice,
)
from grading.checks.url_shortener.key_pool.world import World
from grading.judge.history import Ask, Call, History
from grading.judge.plan import Plan
from grading.judge.requirement import Broken, Kept, NotShown, Outcome
from grading.judge.wording import show


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
