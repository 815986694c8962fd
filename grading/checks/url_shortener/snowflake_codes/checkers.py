"""Judge a recorded history against what the judge kept. A checker never sees the component.

The key hides which number a code stands for. So numbers are compared by the codes that are *claimed*: under one key a
code that two links claim is one number that was made twice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

from grading.checks.errors import raised
from grading.checks.url_shortener.codes import (
    ALPHABET,
    UNAVAILABLE,
    asking,
    failed,
    first_failed,
    first_malformed,
    first_not_its_own,
    given_twice,
    makers,
    returned,
)
from grading.checks.url_shortener.snowflake_codes.workloads import GROUPS, LENGTHS, TOGETHER
from grading.checks.url_shortener.snowflake_codes.world import World
from grading.checks.workload import role_of
from grading.judge.history import Ask, Call, History
from grading.judge.plan import Plan
from grading.judge.requirement import Broken, Kept, NotShown, Outcome
from grading.judge.wording import show
from grading.judge.world import EPOCH

SOON = 10.0
"""Seconds within which a call says that it cannot be."""
SHARED = 1.5
"""Symbols that two codes in a row may have at the same places, on average. Chance alone: 0.11 of 7, 0.18 of 11."""
SAME_STEP = 5
"""So many neighbours may be the same step apart. By chance not even two are."""
RENEWALS = 20
NO_CODE = (
    "A caller who is sent away, although the clock goes and the lease table answers, has no link: there is no form to "
    "judge."
)
TOO_MANY_LEASES = (
    "How many worker numbers does one server take, if several callers come before the first of them has its lease? "
    "There are not many in all."
)


def length_of(plan: Plan) -> int:
    return LENGTHS[plan.values["layout"]]


def well_formed(plan: Plan, history: History, world: World) -> Outcome:
    wrong = first_failed(plan, history)
    if wrong is not None and "Unavailable" in wrong.got:
        return replace(wrong, why=NO_CODE, read_next=TOO_MANY_LEASES)
    return wrong or first_malformed(plan, history, length_of(plan)) or Kept()


def own_codes_past_aliases(plan: Plan, history: History, world: World) -> Outcome:
    wrong = (
        first_failed(plan, history) or first_not_its_own(plan, history, world) or given_twice(plan, history)
    )
    if wrong is not None:
        return wrong
    if all(granted for _, _, _, granted in world.claims):
        return NotShown("no claim was ever refused", "a code on which an alias sits already")
    return Kept()


# --- numbers


def made_twice(plan: Plan, history: History, world: World) -> Broken | None:
    """A number that two calls claimed, whether granted or not."""
    first: dict[str, tuple[float, str]] = {}
    twice: dict[str, tuple[float, str]] = {}
    for t, call, code, _ in world.claims:
        if first.setdefault(code, (t, call))[1] != call:
            twice.setdefault(code, (t, call))
    if not twice:
        return None
    code, (t, call) = min(twice.items(), key=lambda each: each[1])
    earlier, owner = first[code]

    def who(name: str) -> str:
        return f"{name} (on {plan.called(history.calls[name].server)})"

    return Broken(
        "made twice",
        "no number is made twice: no two links ever claim the same code",
        f"{who(call)} claimed {show(code)} at {t:.3f} s, which {who(owner)} had claimed at {earlier:.3f} s; "
        f"so it went with {len(twice)} of {len(first)} codes",
    )


def none_twice(plan: Plan, history: History, world: World) -> Outcome:
    wrong = made_twice(plan, history, world) or first_failed(plan, history)
    return wrong or (Kept() if returned(history) else NotShown("no call got a code", "codes"))


def none_twice_days_later(plan: Plan, history: History, world: World) -> Outcome:
    """A component may refuse to work after such a step."""
    return (
        made_twice(plan, history, world)
        or first_failed(plan, history, lambda call: call.raised(UNAVAILABLE))
        or Kept()
    )


def no_endless_wait(plan: Plan, history: History) -> Broken | None:
    for call in makers(history):
        if call.ended is not None and call.ended - call.began > SOON:
            return Broken(
                "waits on and on",
                f"{asking(plan, call)} gets a code or Unavailable within {SOON:g} s",
                f"it waited {call.ended - call.began:.1f} s",
            )
    return None


def only_unavailable(plan: Plan, history: History) -> Broken | None:
    """A call that raised something else than Unavailable."""
    for call in makers(history):
        if call.outcome == "raised" and not call.raised(UNAVAILABLE):
            return raised(call.error, f"{asking(plan, call)} gets a code or Unavailable")
    return None


def must_get_one(
    plan: Plan, history: History, *roles: str, excused: Callable[[Call], bool] = lambda call: False
) -> Broken | None:
    """The first call in one of these roles that got none. `excused`: it is its right."""
    calls = [call for call in makers(history) if role_of(plan, call.name) in roles and not excused(call)]
    return next((wrong for call in calls if (wrong := failed(plan, call))), None)


def not_followed_back(plan: Plan, history: History, world: World) -> Outcome:
    """Small steps are bridged; large ones may be answered by Unavailable, and soon."""
    wrong = (
        made_twice(plan, history, world)
        or no_endless_wait(plan, history)
        or only_unavailable(plan, history)
        or must_get_one(plan, history, "small", "after")
    )
    return wrong or (Kept() if len(returned(history)) > 1 else NotShown("no call got a code", "codes"))


# --- leases


def lives(history: History, server: int) -> list[float]:
    """When each life of the server began."""
    return [0.0, *(t for t, who in history.crashes if who == server)]


def asks_of(history: History, server: int, method: str) -> list[Ask]:
    return [each for each in history.asks if each.server == server and each.method == method]


def granted_leases(history: History) -> list[Ask]:
    return [each for each in history.asks if each.method == "lease" and not each.error and each.value]


def before_its_floor(history: History, call: Call) -> bool:
    """Whether the caller's server, whose clock is right, has a number that was used up to a later instant."""
    floors = [each.value["floor"] for each in granted_leases(history) if each.server == call.server]
    return call.ended is not None and any(floor > EPOCH + call.ended - 1 for floor in floors)


def acknowledged(history: History, server: int, life: float, t: float) -> list[Ask]:
    """The renewals that the server had an answer to by then, in its life that began at `life`."""
    return [
        each
        for each in asks_of(history, server, "renew")
        if not each.error and each.answered is not None and life <= each.answered <= t
    ]


def covered(renewals: list[Ask]) -> str:
    if not renewals:
        return "no renewal had been acknowledged"
    last = renewals[-1]
    return f"the last renewal was up to {last.args[1]:.3f}, where the floor was {last.args[0]['floor']:.3f}"


def not_reserved(plan: Plan, history: History) -> Broken | None:
    """A code that was claimed before any moment was reserved."""
    for server in range(plan.servers):
        began = lives(history, server)
        for claim in asks_of(history, server, "claim"):
            life = max(t for t in began if t < claim.sent)  # what it sent as it died is the old one's
            renewals = acknowledged(history, server, life, claim.sent)
            if any(each.args[1] > each.args[0]["floor"] for each in renewals):
                continue
            return Broken(
                "not reserved",
                f"{plan.called(server)} makes codes of moments that it has reserved: of a worker number that it was "
                "given (`lease`), up to a `used_until` above the lease's floor that was acknowledged (`renew`)",
                f"it claimed {show(claim.args[0])} for {claim.call} at {claim.sent:.3f} s, and {covered(renewals)}",
            )
    return None


def begins_after_the_floor(plan: Plan, history: History, world: World) -> Outcome:
    """What the first life made is not made again, however far the clock is behind."""
    wrong = (
        made_twice(plan, history, world)
        or not_reserved(plan, history)
        or only_unavailable(plan, history)
        or must_get_one(plan, history, "after")
    )
    if wrong is not None:
        return wrong
    taken = [each for each in granted_leases(history) if each.value["floor"] > 0]
    return (
        Kept()
        if taken
        else NotShown("no worker number was taken over", "a lease of a number that was used before")
    )


def under_no_lease(plan: Plan, history: History) -> Broken | None:
    """A call that began when the server knew that its lease was lost, and claimed a code with no other lease."""
    for server in range(plan.servers):
        held: set[tuple[int, int]] = set()
        lost_at: float | None = None
        steps = [
            (when, order, each)
            for order, each in enumerate(history.asks)
            if each.server == server
            and (when := each.sent if each.method == "claim" else each.answered) is not None
        ]
        for when, _, each in sorted(steps, key=lambda step: (step[0], step[2].method == "claim", step[1])):
            if each.method == "lease" and not each.error:
                held.add((each.value["worker"], each.value["fence"]))
            elif each.method == "renew" and each.error == "LeaseLost":
                held.discard((each.args[0]["worker"], each.args[0]["fence"]))
                lost_at = when
            elif each.method == "claim" and not held and lost_at is not None:
                call = history.calls[each.call]
                if call.began > lost_at:
                    return Broken(
                        "lease lost",
                        f"{plan.called(server)}, which heard LeaseLost at {lost_at:.3f} s, makes nothing more "
                        "before it has leased another number",
                        f"{call.name}, which came at {call.began:.3f} s, claimed {show(each.args[0])}",
                    )
    return None


def obeys_a_lost_lease(plan: Plan, history: History, world: World) -> Outcome:
    lost = [each for each in history.asks if each.method == "renew" and each.error == "LeaseLost"]
    heard = min((each.answered for each in lost if each.answered is not None), default=None)

    def excused(call: Call) -> bool:
        """Before it knew better, or while its clock has not reached its floor."""
        early = role_of(plan, call.name) in ("away", "back") and (heard is None or call.began <= heard)
        first_to_hear = heard is not None and call.ended is not None and call.began <= heard <= call.ended
        return call.raised(UNAVAILABLE) and (early or first_to_hear or before_its_floor(history, call))

    wrong = (
        made_twice(plan, history, world)
        or under_no_lease(plan, history)
        or only_unavailable(plan, history)
        or first_failed(plan, history, excused)
    )
    if wrong is not None:
        return wrong
    numbers = {(each.server, each.value["worker"]) for each in granted_leases(history)}
    taken = any((0, worker) in numbers for server, worker in numbers if server == 1)
    return Kept() if taken else NotShown("app-2 did not take app-1's number", "a lease that runs out")


def says_unavailable(plan: Plan, history: History, world: World) -> Outcome:
    """Nobody gets a code without a worker number; and it is told soon, and by the right error."""
    wrong = (
        only_unavailable(plan, history)
        or no_endless_wait(plan, history)
        or must_get_one(plan, history, "after", excused=lambda call: before_its_floor(history, call))
    )
    if wrong is not None:
        return wrong
    refused = [each for each in history.asks if each.port == "workers" and each.error]
    return Kept() if refused else NotShown("no question to the lease table failed", "a lease that fails")


# --- what others can tell from codes, and what codes cost


def value_of(code: str) -> int:
    number = 0
    for symbol in code:
        number = number * len(ALPHABET) + ALPHABET.index(symbol)
    return number


def unlike(plan: Plan, history: History, world: World) -> Outcome:
    """Codes made in a row have nothing in common that somebody without the key could go by."""
    wrong = first_failed(plan, history) or first_malformed(plan, history, length_of(plan))
    if wrong is not None:
        return wrong
    found = [call.value for call in returned(history)]
    if len(found) < 2:
        return NotShown("fewer than two codes were made", "codes in a row")
    listed = ", ".join(found[:5])
    shared = sum(a == b for one, next in pairwise(found) for a, b in zip(one, next, strict=True))
    average = shared / (len(found) - 1)
    if average > SHARED:
        return Broken(
            "alike",
            "codes made one after another look as if drawn at random: hardly a symbol stays at its place",
            f"{average:.1f} of {length_of(plan)} symbols stay the same from one code to the next: {listed}",
        )
    space = len(ALPHABET) ** length_of(plan)
    steps = Counter((value_of(next) - value_of(one)) % space for one, next in pairwise(found))
    step, count = steps.most_common(1)[0]
    if count >= SAME_STEP:
        return Broken(
            "the same step",
            "who sees some codes in a row cannot compute the next one from them",
            f"taken as numbers, {count} of {len(found)} codes are {step} above the one before: {listed}",
        )
    return Kept()


def by_the_key(plan: Plan, history: History, world: World) -> Outcome:
    """Two keys, the same moments, the same worker number: other codes."""
    wrong = first_failed(plan, history)
    if wrong is not None:
        return wrong
    tried: tuple[set[str], set[str]] = (set(), set())
    for call in makers(history):
        tried[call.server].update(world.tried(call.name))
    both = sorted(tried[0] & tried[1])
    if both:
        return Broken(
            "not secret",
            "under another key the same numbers become other codes",
            f"under both keys {show(both[0])} was made; so were {len(both)} of {len(tried[0])} codes",
        )
    return Kept() if all(tried) else NotShown("not both installations made codes", "codes under two keys")


def cheap(plan: Plan, history: History, world: World) -> Outcome:
    wrong = first_failed(plan, history)
    if wrong is not None:
        return wrong
    for call in makers(history):
        asked = [each.method for each in history.asks if each.call == call.name]
        if len(asked) > 1:
            return Broken(
                "more than one claim",
                f"{asking(plan, call)} for which no alias is in the way: one claim",
                f"it asked the store {len(asked)} times: {', '.join(asked)}",
            )
    count = len(makers(history))
    asked_leases = [each for each in history.asks if each.port == "workers"]
    if count < GROUPS * TOGETHER:
        return NotShown("too few codes were made to tell", f"{GROUPS * TOGETHER} codes")
    if len(asked_leases) > RENEWALS:
        return Broken(
            "a renewal a code",
            f"{count} codes in 8 s cost at most {RENEWALS} questions to the lease table: many moments are "
            "reserved at a time",
            f"they cost {len(asked_leases)}",
        )
    return Kept()
