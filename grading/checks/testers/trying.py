"""A tester is shown recordings; a checker sees what it said of each.

Who finds something everywhere finds nothing: where a right component is reported as well, a bug that was found does
not count (`NotShown`), and neither does silence about the right ones from a tester that is silent about all.
"""

from __future__ import annotations

import itertools
import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from grading.checks import errors
from grading.checks.seeds import PUBLIC_SEEDS
from grading.checks.testers.bank import Bank, Entry
from grading.checks.workload import LONG
from grading.judge import narrate
from grading.judge.history import Ask, History
from grading.judge.model import StaticModel
from grading.judge.plan import Op, Plan
from grading.judge.report import Moment
from grading.judge.requirement import Broken, Kept, NotShown, Outcome, Scenario
from grading.judge.wording import show

TOLD = 300
"""Characters of what a tester says that a report repeats."""
CALLER = re.compile(r"caller \d+")

OTHERS = 3
"""Further scenarios in which a right component is shown beside those that have the bug."""
TWICE = 4
"""Scenarios in which two right components are shown: what a tester keeps in mind of one is wrong for the other."""


class Nothing(StaticModel):
    """A tester has no ports."""

    def answer(self, t: float, ask: Ask) -> Any:
        raise ValueError("there are no ports here")


@dataclass(frozen=True, slots=True)
class Said:
    """What the tester said of one recording. `found`: its problems; `wrong`: in place of them something that is no
    answer, and `cause`: the mistake, by which it is known again."""

    name: str
    entry: Entry
    names: int
    """Of the seeds by which names are given, the one that gave this recording's."""
    found: tuple[str, ...] = ()
    wrong: str = ""
    cause: str = ""


class Trying:
    """Plans and checkers of one slot for testers.

    `first`: the bug that is found most easily; who has found nothing yet is told of that one only. `large`:
    scenarios whose recordings are so long that they are shown only where their bugs are.
    """

    def __init__(
        self,
        bank: Bank,
        first: str,
        moments: Callable[[dict[str, Any]], list[Moment]],
        large: tuple[str, ...] = (),
    ) -> None:
        self.bank = bank
        self.first = first
        self.moments = moments
        self.large = large

    def right_ones(self, every: int = 1) -> Scenario:
        """`every`: as in Scenario."""
        return Scenario(
            "all kinds",
            "Your tester was shown recordings of many kinds, one after the other: most of right components, some of "
            "components with a bug.",
            self.all_kinds,
            self.leaves_alone,
            every,
        )

    def many(self) -> Scenario:
        return Scenario(
            "many",
            "Your tester was shown more than a hundred recordings, one after the other: most of right components, "
            "some of components with a bug.",
            self.all_kinds_again_and_again,
            self.leaves_alone_and_finds,
            every=8,
        )

    def one_bug(self, bug: str) -> Scenario:
        return Scenario(
            bug,
            "Your tester was shown recordings of right components, and of every component that has this kind of bug.",
            self.with_bug(bug),
            self.finds(bug),
            every=7,
        )

    # --- what is shown

    def all_kinds(self, seed: int) -> Plan:
        """A right component in every scenario, in some two; and each kind of bug once. Of what is large, one."""
        choice = Choice(self.bank, seed, "all")
        return self.plan(choice, self.of_all_kinds(choice))

    def all_kinds_again_and_again(self, seed: int) -> Plan:
        """With other names each time: nothing but the number of recordings is told by them."""
        choice = Choice(self.bank, seed, "many")
        shown = self.of_all_kinds(choice)
        return self.plan(choice, shown, rounds=choice.random.randint(*LONG) // len(shown) + 1)

    def of_all_kinds(self, choice: Choice) -> list[Entry]:
        scenarios = [each for each in choice.scenarios() if each not in self.large]
        large = choice.random.sample(self.large, min(1, len(self.large)))
        shown = [entry for each in [*scenarios, *large] for entry in choice.right(each, 1)]
        for each in choice.random.sample(scenarios, TWICE):
            shown += [entry for entry in choice.right(each, 2) if entry not in shown]
        for bug in sorted({entry.bug for entry in self.bank.entries()} - {""}):
            bugs = [entry for entry in choice.wrong(bug) if entry.scenario not in self.large]
            shown += choice.random.sample(bugs, min(1, len(bugs)))
        return shown

    def with_bug(self, bug: str) -> Callable[[int], Plan]:
        """Every component that has this bug, right ones in the same scenarios and some others, and a bug that is
        found easily."""

        def plan(seed: int) -> Plan:
            choice = Choice(self.bank, seed, bug)
            shown = choice.wrong(bug)
            same = sorted({entry.scenario for entry in shown})
            others = [each for each in choice.scenarios() if each not in same and each not in self.large]
            for each in [*same, *choice.random.sample(others, OTHERS)]:
                shown += choice.right(each, 1)
            if bug != self.first:
                shown.append(choice.random.choice(choice.wrong(self.first)))
            return self.plan(choice, shown)

        return plan

    def plan(self, choice: Choice, shown: list[Entry], rounds: int = 1) -> Plan:
        """`rounds`: each is shown so many times, with other names."""
        choice.random.shuffle(shown)
        ops = []
        keys: dict[str, tuple[str, int]] = {}
        for number, (turn, entry) in enumerate(itertools.product(range(rounds), shown), 1):
            name = f"recording {number}"
            names = choice.seed + turn
            recording = self.bank.renamed(entry, names).recording()
            whose = "a component with a bug" if entry.bug else "a right component"
            text = f"problems({name}), of {whose}"
            ops.append(Op(name, "each", method="problems", args=([recording],), text=text))
            keys[name] = entry.key, names
        return Plan(
            choice.seed, tuple(ops), servers=1, names=("your tester",), batch=True, facts={"entries": keys}
        )

    # --- what was said

    def said(self, plan: Plan, history: History) -> list[Said]:
        """The shortest recordings first."""
        found = []
        for name, call in history.calls.items():
            key, names = plan.facts["entries"][name]
            found.append(_said(name, self.bank.entry(key), names, call.value[0]))
        return sorted(found, key=lambda each: len(each.entry.text))

    def leaves_alone(self, plan: Plan, history: History, model: Nothing) -> Outcome:
        said = self.said(plan, history)
        wrong = next((each for each in said if not each.entry.bug and (each.found or each.wrong)), None)
        if wrong is not None:
            return Broken(
                "false alarm" if wrong.found else "no answer",
                f"problems({wrong.name}) is []: the component in it is right. {wrong.entry.story}",
                (wrong.wrong or f"your tester reports: {_told(wrong.found)}") + _remembered(wrong, said),
                cause=wrong.cause,
                timeline=self.timeline(wrong),
            )
        if not any(each.found for each in said):
            return NotShown(
                f"your tester found nothing in any of {len(said)} recordings, good or bad: its silence shows nothing",
                "a tester that reports something in at least one of the recordings that hold a bug",
            )
        return Kept()

    def finds(self, bug: str) -> Callable[[Plan, History, Nothing], Outcome]:
        def check(plan: Plan, history: History, model: Nothing) -> Outcome:
            said = self.said(plan, history)
            alarm = next((each for each in said if not each.entry.bug and (each.found or each.wrong)), None)
            if alarm is not None:
                what = alarm.wrong or f"it reports: {_told(alarm.found)}"
                return NotShown(
                    f"the component in {alarm.name} is right, and of that your tester says something too: {what}",
                    "a tester that leaves right components alone: what it finds elsewhere counts only then",
                )
            of_this = [each for each in said if each.entry.bug == bug]
            missed = next((each for each in of_this if not each.found), None)
            if missed is None:
                return Kept() if of_this else NotShown("no such bug was shown", "a recording that holds it")
            if bug != self.first and not missed.wrong and not any(each.found for each in said):
                return NotShown(
                    f"your tester found nothing in any of {len(said)} recordings, not even the plainest bug",
                    f"a tester that has its first success: the requirement {self.first}",
                )
            return self.missed(missed, said)

        return check

    def leaves_alone_and_finds(self, plan: Plan, history: History, model: Nothing) -> Outcome:
        """As `leaves_alone`; and a bug that it found once it finds again, under other names."""
        outcome = self.leaves_alone(plan, history, model)
        if not isinstance(outcome, Kept):
            return outcome
        said = self.said(plan, history)
        found = {each.entry.key for each in said if each.found}
        missed = next((each for each in said if each.entry.key in found and not each.found), None)
        return self.missed(missed, said) if missed is not None else outcome

    def missed(self, said: Said, shown: Sequence[Said]) -> Broken:
        entry = self.bank.renamed(said.entry, said.names)
        return Broken(
            "missed" if not said.wrong else "no answer",
            f"problems({said.name}) names a problem. {entry.story} What a right component does: "
            f"{entry.expected}. What the one in the recording did: {entry.got}",
            said.wrong
            or f"problems({said.name}) is []: your tester finds nothing wrong in it" + _beside(said, shown),
            cause=said.cause,
            timeline=self.timeline(said),
        )

    def timeline(self, said: Said) -> tuple[Moment, ...]:
        """Of the recording, not of the tester, which takes no time. Of a long one, what concerns the calls that the bug
        is told of."""
        recording = self.bank.renamed(said.entry, said.names).recording()
        moments = sorted(self.moments(recording), key=lambda moment: moment.t)
        named = set(CALLER.findall(said.entry.got))
        about = [moment for moment in moments if named & set(CALLER.findall(moment.what))]
        if about and len(moments) > narrate.TIMELINE:
            others = Moment(about[-1].t, "…", f"{len(moments) - len(about)} more, of other calls")
            moments = [*about[: narrate.TIMELINE - 1], others]
        return narrate.timeline(History(moments=moments))


class Choice:
    """What one seed chooses. All recordings of a plan have the same workloads: only the components differ."""

    def __init__(self, bank: Bank, seed: int, name: str) -> None:
        self.seed = seed
        self.random = random.Random(f"{name} {seed}")
        shown = seed in PUBLIC_SEEDS
        self.entries = [entry for entry in bank.entries() if entry.shown == shown]
        self.variant = self.random.choice(sorted({entry.variant for entry in self.entries}))

    def scenarios(self) -> list[str]:
        """Those in which right components were recorded."""
        return sorted({entry.scenario for entry in self.entries if not entry.bug})

    def right(self, scenario: str, count: int) -> list[Entry]:
        """So many components in this scenario."""
        found = [e for e in self.entries if (e.bug, e.scenario, e.variant) == ("", scenario, self.variant)]
        return self.random.sample(found, min(count, len(found)))

    def wrong(self, bug: str) -> list[Entry]:
        """Every component that has this bug, once; with this variant's workload, if it shows there."""
        by_component: dict[str, list[Entry]] = {}
        for entry in self.entries:
            if entry.bug == bug:
                by_component.setdefault(entry.component, []).append(entry)
        return [
            next((entry for entry in each if entry.variant == self.variant), None) or self.random.choice(each)
            for each in by_component.values()
        ]


def _said(name: str, entry: Entry, names: int, answer: dict[str, Any]) -> Said:
    if "error" in answer:
        error = answer["error"]
        wrong = f"problems({name}) raised {errors.told(error)}"
        return Said(name, entry, names, wrong=wrong, cause=errors.cause_of(error))
    value = answer["value"]
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        cause = "problems does not return a list of str"
        return Said(name, entry, names, wrong=f"problems({name}) returned {show(value)}", cause=cause)
    return Said(name, entry, names, found=tuple(value))


def _remembered(wrong: Said, shown: Sequence[Said]) -> str:
    """In a run that cannot be made smaller and yet has a second recording, that one is why."""
    others = [each for each in shown if each is not wrong]
    if len(others) != 1 or wrong.wrong:
        return ""
    return f". Of {wrong.name} alone it does not: it still knows something of {others[0].name}"


def _beside(missed: Said, shown: Sequence[Said]) -> str:
    others = [each for each in shown if each is not missed and each.found]
    if not 0 < len(others) < 3:
        return ""
    told = "; ".join(f"problems({each.name}) told {_told(each.found)}" for each in others)
    return f". Beside it, for comparison: {told}"


def _told(found: tuple[str, ...]) -> str:
    more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
    return f"{found[0][:TOLD]!r}{more}"
