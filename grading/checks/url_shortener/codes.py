"""What all strategies for codes are judged by: the namespace behind their port, and what a granted code is."""

from __future__ import annotations

import string
from collections.abc import Callable

from grading.checks.errors import gave_up, told
from grading.judge.history import Ask, Call, History
from grading.judge.model import StaticModel
from grading.judge.plan import Plan
from grading.judge.requirement import Broken, Kept, NotShown, Outcome
from grading.judge.wording import show

ALPHABET = string.digits + string.ascii_lowercase + string.ascii_uppercase
LENGTH = 7
SOMEBODY = "somebody else"
PORT_ERROR = "reference.platform.errors.PortError"
UNAVAILABLE = "reference.platform.errors.Unavailable"
PORT_ERRORS = "a PortError (the error types of the ports: Unavailable, TimedOut)"


class Namespace(StaticModel):
    """All codes, and whose they are. `facts` of the plan: `collisions` (call -> how many of the codes that it tries
    first are somebody's already), `races` (the same, but they become somebody's only at the moment of the claim)."""

    def __init__(self, plan: Plan) -> None:
        self.owners: dict[str, str] = {}
        self.claims: list[tuple[float, str, str, bool]] = []
        """When, for which call, which code, and whether it was granted."""
        self._collisions: dict[str, int] = dict(plan.facts.get("collisions", {}))
        self._races: dict[str, int] = dict(plan.facts.get("races", {}))
        self._looked: set[str] = set()

    def answer(self, t: float, ask: Ask) -> bool:
        (code,) = ask.args
        self._somebody_was_first(ask, code)
        if ask.method == "taken":
            self._looked.add(code)
            return code in self.owners
        if ask.method != "claim":
            raise ValueError(f"no such question: {ask.method}")
        if self._races.get(ask.call, 0) and code not in self.owners:
            self._races[ask.call] -= 1
            self.owners[code] = SOMEBODY
        granted = self.owners.setdefault(code, ask.call) == ask.call
        self.claims.append((t, ask.call, code, granted))
        return granted

    def _somebody_was_first(self, ask: Ask, code: str) -> None:
        if self._collisions.get(ask.call, 0) and code not in self.owners and code not in self._looked:
            self._collisions[ask.call] -= 1
            self.owners[code] = SOMEBODY

    def granted(self, call: str) -> list[str]:
        """The codes that are this call's, in the order in which it got them."""
        return list(
            dict.fromkeys(code for _, whose, code, granted in self.claims if whose == call and granted)
        )

    def tried(self, call: str) -> list[str]:
        """The codes that it claimed, in order, each once."""
        return list(dict.fromkeys(code for _, whose, code, _ in self.claims if whose == call))


def makers(history: History) -> list[Call]:
    """The calls that ask for a code, in the order in which they began."""
    return [call for call in history.calls.values() if call.method == "new_code"]


def codes(history: History, length: int = LENGTH) -> list[str]:
    """Those that are codes by their form."""
    values = [call.value for call in makers(history) if call.outcome == "returned"]
    return [
        each
        for each in values
        if isinstance(each, str) and len(each) == length and set(each) <= set(ALPHABET)
    ]


def asking(plan: Plan, call: Call) -> str:
    return f"{call.name}, which asks {plan.called(call.server)} for a code at {call.began:.3f} s,"


def malformed(plan: Plan, call: Call, length: int = LENGTH) -> Broken | None:
    """What is wrong with the code itself; None: nothing."""
    code = call.value
    expected = f"{asking(plan, call)} gets a code: a str of {length} symbols, all of 0-9, a-z, A-Z"
    if not isinstance(code, str):
        return Broken("malformed", expected, f"it got {show(code)}", cause="new_code does not return a str")
    if len(code) != length or set(code) - set(ALPHABET):
        return Broken("malformed", expected, f"it got {show(code)}, of {len(code)} symbols")
    return None


def not_its_own(plan: Plan, namespace: Namespace, call: Call) -> Broken | None:
    """The call returned a code that is not its own."""
    owner = namespace.owners.get(call.value) if isinstance(call.value, str) else None
    if owner == call.name:
        return None
    whose = f"{owner}'s" if owner is not None else "nobody's: it was never claimed"
    return Broken(
        "not claimed",
        f"{asking(plan, call)} gets a code that `claim` has granted to it",
        f"it got {show(call.value)}, which is {whose}",
    )


def failed(plan: Plan, call: Call) -> Broken | None:
    """A call that raised, or was cancelled though nobody cancelled it, where nothing was wrong."""
    return gave_up(call, f"{asking(plan, call)} gets a code")


def returned(history: History) -> list[Call]:
    """The calls that got something."""
    return [call for call in makers(history) if call.outcome == "returned"]


def first_failed(
    plan: Plan, history: History, excused: Callable[[Call], bool] = lambda call: False
) -> Broken | None:
    """The first call with an error. `excused`: it is its right."""
    return next(
        (wrong for call in makers(history) if not excused(call) and (wrong := failed(plan, call))), None
    )


def first_malformed(plan: Plan, history: History, length: int = LENGTH) -> Broken | None:
    return next((wrong for call in returned(history) if (wrong := malformed(plan, call, length))), None)


def first_not_its_own(plan: Plan, history: History, namespace: Namespace) -> Broken | None:
    return next((wrong for call in returned(history) if (wrong := not_its_own(plan, namespace, call))), None)


def given_twice(plan: Plan, history: History) -> Broken | None:
    """Two calls that got the same code."""
    first: dict[str, Call] = {}
    for call in makers(history):
        if call.outcome != "returned" or not isinstance(call.value, str):
            continue
        if call.value in first:
            return Broken(
                "twice",
                "no code is given to two links",
                f"{first[call.value].name} and {call.name} both got {show(call.value)}",
            )
        first[call.value] = call
    return None


def lost(plan: Plan, history: History, namespace: Namespace) -> Broken | None:
    """While the store fails a PortError is right; what is returned is owned, and nothing else is."""
    met = met_the_failure(history)
    for call in makers(history):
        if call.name in met and call.outcome == "raised" and not call.raised(PORT_ERROR):
            return Broken(
                "strange error",
                f"{asking(plan, call)} while the store fails, gets a code or {PORT_ERRORS}",
                f"it raised {told(call.error)}",
            )
        granted = namespace.granted(call.name)
        if call.outcome == "returned" and len(granted) > 1:
            return Broken(
                "forgotten",
                f"{asking(plan, call)} ends with one code that is its own",
                f"{' and '.join(granted)} are its own now, and it returned {show(call.value)}",
            )
    excused = [call for call in makers(history) if call.name in met and call.raised(PORT_ERROR)]
    return first_failed(plan, history, lambda call: call in excused) or first_not_its_own(
        plan, history, namespace
    )


def met_the_failure(history: History) -> set[str]:
    """The calls whose questions to the store met a fault."""
    return {ask.call for ask in history.asks if ask.fault}


def shown_if_met(history: History) -> Outcome:
    """A run in which nothing is wrong shows something only if a question met the fault."""
    if met_the_failure(history):
        return Kept()
    return NotShown("no question to the store met the failure", "a claim while the store fails")
