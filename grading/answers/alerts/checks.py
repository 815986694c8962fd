"""How each requirement is decided: on every run of its kinds, and lost with the first that shows it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from grading.answers.alerts.firing import Told
from grading.answers.alerts.runs import Truth

SEVERITIES = ("page", "ticket")
SYMPTOMS = ("errors", "slow", "clicks", "server")
TRUE_OF: dict[str, frozenset[tuple[str, str]]] = {
    "errors": frozenset({("page", "errors"), ("ticket", "errors")}),
    "slow": frozenset({("page", "slow"), ("ticket", "slow")}),
    "clicks": frozenset({("ticket", "clicks"), ("ticket", "server")}),
    "burn": frozenset({("ticket", "errors")}),
    "server": frozenset({("ticket", "server")}),
}
"""By kind of run: (severity, symptom) of the alerts that tell the truth there. A dead consumer is a process that is
gone, too."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A requirement. `severity`, `symptom`, `within`: of the alert that is due, and by when, in seconds from the fault
    (of `ends`: from its end). `also_before`: silence is asked for before anything is broken, too."""

    id: str
    title: str
    points: float
    check: str
    kinds: tuple[str, ...]
    why: str
    read_next: str
    hints: tuple[str, ...] = ()
    severity: str = ""
    symptom: str = ""
    within: float = 0.0
    also_before: bool = False


@dataclass(frozen=True, slots=True)
class Heard:
    """A run, and what each rule said of it."""

    truth: Truth
    told: tuple[Told, ...]

    @property
    def fault(self) -> tuple[float, float]:
        assert self.truth.fault is not None
        return self.truth.fault


@dataclass(frozen=True, slots=True)
class Lost:
    """`concerned`: the rules that one should look at. `shown`: False: the runs could not show it, for these rules."""

    heard: Heard | None
    expected: str
    got: str
    kind: str
    concerned: tuple[Told, ...] = ()
    shown: bool = True


NO_RUN = Lost(None, "A recorded run of this kind.", "There is none here.", "no run", shown=False)
Check = Callable[[Asked, Sequence[Heard]], Lost | None]


def of_kinds(asked: Asked, runs: Sequence[Heard]) -> Iterator[Heard]:
    return (each for each in runs if each.truth.kind in asked.kinds)


# --- faults


def found(asked: Asked, runs: Sequence[Heard]) -> Lost | None:
    if not any(of_kinds(asked, runs)):
        return NO_RUN
    for heard in of_kinds(asked, runs):
        begin, _ = heard.fault
        due = begin + asked.within
        expected = (
            f"An alert with severity: {asked.severity} and symptom: {asked.symptom} begins after second {begin:g} and "
            f"fires by second {due:g}."
        )
        right = tuple(
            t for t in heard.told if (t.rule.severity, t.rule.symptom) == (asked.severity, asked.symptom)
        )
        if not any(in_time(each, begin, due) for each in right):
            return Lost(heard, expected, _missed(asked, heard, right), "missed", right)
        pages = tuple(t for t in heard.told if t.rule.severity == "page" and t.first(begin) is not None)
        if asked.severity == "ticket" and pages:
            got = f"It does, but {_fires(pages[0], begin)} as well, and wakes somebody."
            return Lost(heard, f"{expected} No page does: it can wait.", got, "wakes", pages)
    return None


def in_time(told: Told, begin: float, due: float) -> bool:
    """What fired before anything was broken tells nothing."""
    return told.first(0, begin) is None and told.first(begin, due) is not None


def _missed(asked: Asked, heard: Heard, right: tuple[Told, ...]) -> str:
    begin, _ = heard.fault
    if not right:
        return f"No rule has severity: {asked.severity} and symptom: {asked.symptom}."
    for each in right:
        if each.error:
            return f"{each.rule} cannot be evaluated: {each.error}."
        if each.first(0, begin) is not None:
            return f"{_fires(each, 0)}: before anything was broken. So it tells nothing."
    late = [each for each in right if each.first(begin) is not None]
    return f"{_fires(late[0], begin)}, which is too late." if late else _silent(right)


def _silent(right: tuple[Told, ...]) -> str:
    return f"{' and '.join(str(each.rule) for each in right[:3])} never fire{'s' * (len(right) == 1)}."


def _fires(told: Told, begin: float) -> str:
    return f"{told.rule} fires at second {told.first(begin)}"


# --- false alarms


def silent(asked: Asked, runs: Sequence[Heard]) -> Lost | None:
    for heard in runs:
        if heard.truth.kind in asked.kinds:
            until = float(heard.truth.seconds)
        elif asked.also_before and heard.truth.fault is not None:
            until = heard.fault[0]
        else:
            continue
        loud = tuple(each for each in heard.told if each.first(0, until) is not None)
        if loud:
            first = min(loud, key=lambda each: each.first() or 0)
            before = "" if heard.truth.kind in asked.kinds else f" before second {until:g}"
            return Lost(
                heard, f"Nothing fires{before}: users are well.", f"{_fires(first, 0)}.", "cries", (first,)
            )
    return None if _some_found(runs, 1) else _nothing_found("silence", 1)


# --- what alerts say, and until when


def names(asked: Asked, runs: Sequence[Heard]) -> Lost | None:
    for told in runs[0].told:
        if why := _unnamed(told):
            expected = (
                f"Each rule has a label severity ({' or '.join(SEVERITIES)}), a label symptom ({', '.join(SYMPTOMS)}) "
                "and an annotation summary."
            )
            return Lost(None, expected, f"{told.rule} {why}.", "unnamed", (told,))
    for heard in of_kinds(asked, runs):
        true = {symptom for _, symptom in TRUE_OF[heard.truth.kind]}
        begin, _ = heard.fault
        for told in heard.told:
            if told.rule.symptom not in true and told.first(begin) is not None:
                return Lost(
                    heard,
                    f"Only alerts with symptom: {' or '.join(sorted(true))} fire.",
                    f"{_fires(told, begin)}, and says that the symptom is {told.rule.symptom}.",
                    "names another",
                    (told,),
                )
    return None if _some_found(runs, 3) else _nothing_found("what alerts say", 3)


def _unnamed(told: Told) -> str:
    rule = told.rule
    if rule.severity not in SEVERITIES:
        return f"has severity: {rule.severity or 'none'}"
    if rule.symptom not in SYMPTOMS:
        return f"has symptom: {rule.symptom or 'none'}"
    return "" if rule.annotations.get("summary", "").strip() else "has no summary"


def ends(asked: Asked, runs: Sequence[Heard]) -> Lost | None:
    for heard in of_kinds(asked, runs):
        _, end = heard.fault
        by = end + asked.within
        for told in heard.told:
            if told.first(by) is not None:
                expected = f"Nothing fires from second {by:g} on: the fault ended at second {end:g}."
                return Lost(
                    heard,
                    expected,
                    f"{told.rule} still fires at second {told.first(by)}.",
                    "goes on",
                    (told,),
                )
    return None if _some_found(runs, 1) else _nothing_found("an end", 1)


# --- silence about everything earns nothing


def _some_found(runs: Sequence[Heard], kinds: int) -> bool:
    """Whether rules tell the truth in time of so many kinds of fault at least, in all runs of that kind."""
    heard: dict[str, list[bool]] = {}
    for each in runs:
        if each.truth.fault is not None:
            begin, end = each.fault
            true = [t for t in each.told if (t.rule.severity, t.rule.symptom) in TRUE_OF[each.truth.kind]]
            heard.setdefault(each.truth.kind, []).append(any(in_time(t, begin, end) for t in true))
    return sum(all(each) for each in heard.values()) >= kinds


def _nothing_found(what: str, kinds: int) -> Lost:
    few = "a fault" if kinds == 1 else f"{kinds} kinds of fault"
    return Lost(
        None,
        f"Rules that tell of {few} while {'it lasts' if kinds == 1 else 'they last'}; then {what} can be judged.",
        "These rules tell of less, and who never says anything is never wrong.",
        "says nothing",
        shown=False,
    )


CHECKS: dict[str, Check] = {"found": found, "silent": silent, "names": names, "ends": ends}
