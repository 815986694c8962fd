"""From a component's text to a verdict: every requirement on every seed, until its first failure."""

from __future__ import annotations

import contextlib
import importlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from grading.judge import narrate, pace
from grading.judge.history import History
from grading.judge.hosting import Host
from grading.judge.model import Model
from grading.judge.plan import Plan
from grading.judge.protocol import HostLost, HostUnusable, NotLoadable
from grading.judge.report import Finding, RequirementVerdict, Verdict
from grading.judge.requirement import Broken, Kept, NotShown, Outcome, Requirement, Scenario, Suite
from grading.judge.sandbox import Isolation
from grading.judge.shrink import shrink
from grading.judge.wording import show
from grading.judge.world import run

SHRINK_STEPS = 4_000
"""Turns with the host that the search for one smallest counterexample may take, about."""

SHRINK_OPERATIONS = 1_500
"""So many, about: of a large workload few runs are tried, for it stays too large to be read as a whole."""

ANOTHER_SALT = 1
"""For `hash` in the second process, where there is one."""

ROOM = 20_000
"""Operations of runs that are kept because another scenario does the same."""

NO_SEED = NotShown("no seed was given", "a run on some seed")


@dataclass(frozen=True, slots=True)
class Trial:
    """One run of one scenario, and what it showed."""

    plan: Plan
    history: History
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Done:
    """One run, and the model that it left behind."""

    plan: Plan
    history: History
    store: Model


class Judge:
    """Judges one component; holds the host process while it does."""

    def __init__(self, suite: Suite, host: Host, other: Host | None = None) -> None:
        """`other`: where scenarios that ask for it are carried out once more."""
        self.suite = suite
        self.host = host
        self.other = other
        self.causes: dict[str, str] = {}
        """By requirement: the exception, or the like, that made it fail."""
        scenarios = [scenario for each in suite.requirements for scenario in each.scenarios]
        self.shared = Counter((each.plan, each.elsewhere) for each in scenarios)
        self.done: dict[tuple[Any, ...], Done] = {}
        self.room = ROOM

    def requirement(self, requirement: Requirement, seeds: Sequence[int]) -> RequirementVerdict:
        """`fail` at the first run that breaks it; `unknown` if some scenario showed nothing on any seed. HostLost."""
        shown: dict[str, tuple[Scenario, NotShown] | None] = {}
        for scenario, seed in _asked(requirement, seeds, shown):
            trial = self.first_trial(scenario, seed)
            if isinstance(trial.outcome, Broken):
                return self.failed(requirement, scenario, trial)
            if isinstance(trial.outcome, NotShown):
                shown.setdefault(scenario.name, (scenario, trial.outcome))
            else:
                shown[scenario.name] = None
        unshown = [outcome for outcome in shown.values() if outcome is not None]
        if shown and not unshown:
            points = requirement.points
            return RequirementVerdict(requirement.id, requirement.title, points, points, "pass")
        finding = narrate.not_shown(requirement, *(unshown[0] if unshown else (None, NO_SEED)))
        return RequirementVerdict(
            requirement.id, requirement.title, 0, requirement.points, "unknown", finding, requirement.hints
        )

    def trial(self, scenario: Scenario, plan: Plan) -> Trial:
        return self.look(scenario, self.carry_out(scenario, plan))

    def first_trial(self, scenario: Scenario, seed: int) -> Trial:
        """Of a seed. What several scenarios do alike is done once, and looked at by each."""
        work = (scenario.plan, scenario.elsewhere)
        done = self.done.get((*work, seed))
        if done is None:
            done = self.carry_out(scenario, scenario.plan(seed))
            self.room -= len(done.plan.ops)
            if self.shared[work] > 1 and self.room > 0:
                self.done[(*work, seed)] = done
        return self.look(scenario, done)

    def carry_out(self, scenario: Scenario, plan: Plan) -> Done:
        store = self.suite.store(plan)
        try:
            with pace.no_collections():
                history = run(self.host, plan, store, self.suite.schema)
                if scenario.elsewhere and self.other is not None:
                    history.elsewhere = run(self.other, plan, self.suite.store(plan), self.suite.schema)
        except HostLost as lost:
            lost.plan, lost.story = plan, scenario.story
            raise
        return Done(plan, history, store)

    def look(self, scenario: Scenario, done: Done) -> Trial:
        plan, history = done.plan, done.history
        outcome = _always(plan, history)
        if history.elsewhere is not None and isinstance(outcome, Kept):
            outcome = _always(plan, history.elsewhere)
        if isinstance(outcome, Kept):
            outcome = scenario.check(plan, history, done.store)
        if not isinstance(outcome, Kept):
            history.tell()
            outcome = narrate.with_unawaited(outcome, history)
        return Trial(plan, history, outcome)

    def failed(self, requirement: Requirement, scenario: Scenario, first: Trial) -> RequirementVerdict:
        """With the smallest run found that breaks it in the same way."""
        assert isinstance(first.outcome, Broken)
        kind = first.outcome.kind
        best = first
        until = self.host.steps + SHRINK_STEPS
        room = SHRINK_OPERATIONS

        def fails(plan: Plan) -> bool:
            nonlocal best, room
            if self.host.steps > until or room < 0:
                return False
            room -= len(plan.ops)
            trial = self.trial(scenario, plan)
            if isinstance(trial.outcome, Broken) and trial.outcome.kind == kind:
                best = trial
                return True
            return False

        shrink(first.plan, fails)
        assert isinstance(best.outcome, Broken)
        self.causes[requirement.id] = best.outcome.cause
        finding = narrate.broken(self.suite, requirement, scenario, best.plan, best.history, best.outcome)
        return RequirementVerdict(
            requirement.id, requirement.title, 0, requirement.points, "fail", finding, requirement.hints
        )


def _asked(
    requirement: Requirement, seeds: Sequence[int], shown: Mapping[str, object]
) -> Iterator[tuple[Scenario, int]]:
    """What is tried, on which seed. A scenario that has shown nothing on its seeds has the others, until it does."""
    for index, seed in enumerate(seeds):
        for scenario in requirement.scenarios:
            if index % scenario.every == 0:
                yield scenario, seed
    for scenario in requirement.scenarios:
        for index, seed in enumerate(seeds):
            if index % scenario.every and shown[scenario.name] is not None:
                yield scenario, seed


def _always(plan: Plan, history: History) -> Outcome:
    """What holds in every run: no trouble, and every call comes to an end."""
    for trouble in history.troubles:
        return Broken(
            trouble.kind,
            narrate.NEVER[trouble.kind],
            f"at {trouble.t:g} s the component {trouble.text}",
            cause=f"the component {trouble.text}" + (f" (your line {trouble.line})" if trouble.line else ""),
        )
    for call in history.calls.values():
        if call.outcome == "pending":
            asked = ", ".join(map(show, call.args))
            return Broken(
                "pending",
                "every call comes to an end: with an answer, an error or its cancellation",
                f"{call.name}: {call.method}({asked}) began at {call.began:g} s and never ended",
            )
    return Kept()


@dataclass(frozen=True, slots=True)
class Part:
    """What judging some of a suite's requirements, in one process, came to."""

    done: list[RequirementVerdict]
    causes: dict[str, str]
    trouble: tuple[str, Finding] | None
    """Ended early: the line for the top, and what is told of every requirement. `done` then ends before it."""
    isolation: str
    output: str


def judge_part(
    suite: Suite,
    source: str,
    seeds: Sequence[int],
    requirements: Sequence[Requirement],
    *,
    isolation: Isolation = "auto",
    core: int | None = None,
) -> Part:
    """Judge a component's text by some requirements, in a host of their own. `core`: to do so on; else where it runs.

    Whatever the component does, this returns. HostUnusable: the host could not even start; there is nothing to judge.
    """
    done: list[RequirementVerdict] = []
    causes: dict[str, str] = {}
    trouble: tuple[str, Finding] | None = None
    cpu_seconds = 30 + len(seeds)  # a right component needs a tenth of a second for a seed
    with contextlib.ExitStack() as hosts:

        def start(hash_seed: int) -> Host:
            name = f"<component {suite.slot}>"
            return hosts.enter_context(
                Host(source, suite.schema, name, isolation, cpu_seconds, hash_seed=hash_seed)
            )

        host = start(0)
        twice = any(scenario.elsewhere for each in requirements for scenario in each.scenarios)
        other = start(ANOTHER_SALT) if twice else None
        try:
            if "redis" in suite.schema["construct"].values():  # takes as long as the host takes to start
                importlib.import_module("grading.judge.redis_model")
            core = hosts.enter_context(pace.one_core(core))
            host.core = core
            if other is not None:
                other.core = core
            host.loaded()
            judging = Judge(suite, host, other)
            causes = judging.causes
            for each in requirements:
                done.append(judging.requirement(each, seeds))
        except NotLoadable as error:
            trouble = narrate.not_loadable(error)
        except HostUnusable:  # nothing was judged: there is no verdict, and nobody is marked down
            raise
        except HostLost as lost:
            trouble = narrate.lost(lost)
        except (
            Exception
        ) as error:  # a mistake of the judge: it must be seen, but may not stop a batch of submissions
            trouble = narrate.judge_failed(error)
    return Part(done, causes, trouble, host.isolation, host.output())


def verdict(
    suite: Suite, seeds: Sequence[int], requirements: Sequence[Requirement], parts: Sequence[Part]
) -> Verdict:
    """Of parts that together are `requirements`. A component that takes a process away gets no points at all."""
    by_id = {each.id: each for part in parts for each in part.done}
    troubled = [part for part in parts if part.trouble is not None]
    crashed: str | None
    if troubled:
        first = min(troubled, key=lambda part: len(part.done))
        assert first.trouble is not None
        crashed, finding = first.trouble
        done = [
            RequirementVerdict(each.id, each.title, 0, each.points, "fail", finding) for each in requirements
        ]
    else:
        causes = {id: cause for part in parts for id, cause in part.causes.items()}
        done = [by_id[each.id] for each in requirements]
        crashed, done = narrate.one_mistake(suite, causes, done)
    return Verdict(
        slot=suite.slot,
        points=sum(each.points for each in done),
        max_points=sum(each.max_points for each in done),
        isolation=parts[0].isolation,
        seeds=tuple(seeds),
        requirements=tuple(done),
        crashed=crashed,
        output="".join(part.output for part in parts),
    )
