"""Judge where codes went. No particular router is wanted: only what every good one has in common."""

from __future__ import annotations

import math
from collections import Counter

from grading.checks.pure import Answer, answers
from grading.judge.history import History
from grading.judge.plan import Plan
from grading.judge.requirement import Broken, Kept, NotShown, Outcome

LEAST, MOST = 0.6, 1.5
"""Of its fair share, what a shard may get in the long run: a ring with a hundred points a shard keeps within."""

DEVIATIONS = 4.0
"""So many standard deviations of chance are allowed on top: an even router stays far within on every seed."""

FEW = 0.1
"""The share of codes without an answer that the requirements overlook that are not about that."""

COUNTED = 200
"""Codes below which nothing is said about shares."""


def shards_of(plan: Plan, server: int) -> list[str]:
    own = plan.own[server] if plan.own else plan.values
    return list(own["shards"])


def placed(plan: Plan, asked: list[Answer]) -> tuple[list[Answer], list[Answer]]:
    """Those that are a shard that their router was given, and the others."""
    shards = [set(shards_of(plan, server)) for server in range(plan.servers)]
    good: list[Answer] = []
    bad: list[Answer] = []
    for each in asked:
        known = type(each.value) is str and each.value in shards[each.server]
        (good if known else bad).append(each)
    return good, bad


def one_of_them(plan: Plan, history: History, model: object) -> Outcome:
    _, bad = placed(plan, answers(history))
    return no_shard(plan, bad[0]) if bad else Kept()


def no_shard(plan: Plan, bad: Answer) -> Broken:
    shards = shards_of(plan, bad.server)
    listed = ", ".join(shards[:4]) + (f", … {shards[-1]}" if len(shards) > 4 else "")
    expected = f"{bad.question} is one of {listed}" if len(shards) > 1 else f"{bad.question} is {listed}"
    return bad.not_a(str) or Broken("no shard", expected, f"it is {bad.told}")


def usable(plan: Plan, history: History) -> list[Answer] | Broken | NotShown:
    """The answers that are shards. A few that are not are the business of "one-of-them"; not so if they are many."""
    asked = answers(history)
    good, bad = placed(plan, asked)
    if len(bad) > FEW * len(asked):
        return no_shard(plan, bad[0])
    return good or NotShown("no code got a shard", "codes that get one")


def agreed(plan: Plan, history: History, model: object) -> Outcome:
    found = usable(plan, history)
    if not isinstance(found, list):
        return found
    first: dict[str, Answer] = {}
    for each in found:
        before = first.setdefault(each.args[0], each)
        if before.value != each.value:
            same = before.server == each.server
            return Broken(
                "disagree",
                f"{each.question} is the same, whoever is asked and whenever",
                f"{plan.called(before.server)} says {before.told}, and "
                f"{'later ' if same else ''}{plan.called(each.server)} says {each.told}",
            )
    return Kept()


def agreed_elsewhere(plan: Plan, history: History, model: object) -> Outcome:
    assert history.elsewhere is not None
    here, there = usable(plan, history), usable(plan, history.elsewhere)
    if not isinstance(here, list):
        return here
    if not isinstance(there, list):
        return there
    other = {each.args[0]: each for each in there}
    differing = [each for each in here if other.get(each.args[0], each).value != each.value]
    if not differing:
        return Kept()
    each = differing[0]
    share = f"; so for {len(differing)} of {len(here)} codes" if len(here) > 1 else ""
    return Broken(
        "another process",
        f"{each.question} is the same in every process",
        f"one process says {each.told}, another one, with the same shards, {other[each.args[0]].told}{share}",
    )


def bounds(fair: float) -> tuple[float, float]:
    """Least and most of the codes that one shard may get, of which `fair` are its fair share."""
    least, most = LEAST * fair, MOST * fair
    return least - DEVIATIONS * math.sqrt(least), most + DEVIATIONS * math.sqrt(most)


def even(plan: Plan, history: History, model: object) -> Outcome:
    found = usable(plan, history)
    if not isinstance(found, list):
        return found
    shown = False
    for server in sorted({each.server for each in found}):
        asked = [each for each in found if each.server == server]
        if len(asked) < COUNTED:
            continue
        shown = True
        counts = Counter(each.value for each in asked)
        shards = shards_of(plan, server)
        fair = len(asked) / len(shards)
        least, most = bounds(fair)
        wrong = [shard for shard in shards if not least <= counts[shard] <= most]
        if wrong:
            worst = max(wrong, key=lambda shard: abs(counts[shard] - fair))
            at_least = f"no fewer than {math.ceil(least)} and " if least > 0 else ""
            some = ", ".join(str(each.args[0]) for each in asked[:3])
            return Broken(
                "uneven",
                f"of {len(asked)} codes ({some}, …) each of the {len(shards)} shards gets about {fair:.0f}: "
                f"{LEAST:g} to {MOST:g} times that, and what chance adds in so few, so {at_least}no more than "
                f"{math.floor(most)}",
                f"{worst} got {counts[worst]}; all: " + ", ".join(f"{s} {counts[s]}" for s in shards),
            )
    return Kept() if shown else NotShown("few codes were asked", f"{COUNTED} codes")


def moves(plan: Plan, history: History) -> tuple[int, list[tuple[Answer, Answer]]] | Broken | NotShown:
    """How many codes were asked of both routers, and those that they place differently."""
    found = usable(plan, history)
    if not isinstance(found, list):
        return found
    before = {each.args[0]: each for each in found if each.server == 0}
    pairs = [(before[each.args[0]], each) for each in found if each.server == 1 and each.args[0] in before]
    moved = [(old, new) for old, new in pairs if old.value != new.value]
    if not moved and len(pairs) >= COUNTED:
        return NotShown("no code moved at all", "a new shard that gets its share")
    return len(pairs), moved


def few_move(plan: Plan, history: History, model: object) -> Outcome:
    found = moves(plan, history)
    if not isinstance(found, tuple):
        return found
    asked, moved = found
    if asked < COUNTED:
        return NotShown("few codes were asked", f"{COUNTED} codes")
    before, after = len(shards_of(plan, 0)), len(shards_of(plan, 1))
    fair = asked / after
    if len(moved) > bounds(fair)[1]:
        some = "; ".join(f"{old.args[0]} from {old.value} to {new.value}" for old, new in moved[:3])
        return Broken(
            "many move",
            f"from {before} shards to {after} about {fair:.0f} of {asked} codes move, one in {after}: "
            f"{MOST:g} times that at most, and what chance adds in so few, so no more than "
            f"{math.floor(bounds(fair)[1])}",
            f"{len(moved)} move: {some}, …",
        )
    return Kept()


def to_the_new_one(plan: Plan, history: History, model: object) -> Outcome:
    found = moves(plan, history)
    if not isinstance(found, tuple):
        return found
    _, moved = found
    old_shards, new_shards = shards_of(plan, 0), shards_of(plan, 1)
    (added,) = set(new_shards) - set(old_shards)
    astray = [(old, new) for old, new in moved if new.value != added]
    if astray:
        old, new = astray[0]
        return Broken(
            "astray",
            f"as {added} is added, {old.args[0]} stays on {old.value} or moves to {added}",
            f"with {len(old_shards)} shards it is on {old.value}, with {len(new_shards)} on {new.value}",
        )
    return Kept() if moved else NotShown("no code moved", "a code that moves to the new shard")
