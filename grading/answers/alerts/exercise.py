"""Alert rules as an answer: judged by when they fire over recorded runs, of which some are broken and some are not.

A learner's own check uses the runs that are shown; marks are given on other runs of the same kinds as well, so limits
that fit what was shown and nothing else earn little.
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grading.answers.alerts.checks import CHECKS, Asked, Heard, Lost
from grading.answers.alerts.firing import told
from grading.answers.alerts.rules import BadRules, Rule, rules
from grading.answers.alerts.runs import Run, runs
from grading.answers.alerts.timeline import lines
from grading.answers.promql.evaluate import Samples
from grading.judge.report import Counterexample, Finding, Outcome, RequirementVerdict, Verdict

NOTES = 3


@dataclass(frozen=True, slots=True)
class Alerts:
    """An exercise of kind `alerts`."""

    id: str
    asked: tuple[Asked, ...]
    kind: str = "alerts"

    @classmethod
    def load(cls, path: Path) -> Alerts:
        data = tomllib.loads(path.read_text("utf-8"))
        return cls(data["id"], tuple(_asked(each) for each in data["asked"]))

    @property
    def parts(self) -> tuple[tuple[float, str, str], ...]:
        return tuple((each.points, each.id, each.title) for each in self.asked)

    def read_back(self, text: str) -> list[tuple[str, str]]:
        try:
            found = rules(text)
        except BadRules as error:
            return [("not readable", str(error))]
        return [(each.name, _read_back(each)) for each in found] or [("nothing", "no rule yet")]

    def prepare(self) -> None:
        runs()

    def judge(self, text: str) -> Verdict:
        return self._judged(text, [each for each in runs() if each.truth.shown])

    def judge_for_marks(self, text: str) -> Verdict:
        return self._judged(text, runs())

    def _judged(self, text: str, recorded: Sequence[Run]) -> Verdict:
        try:
            found = rules(text)
        except BadRules as error:
            return self._nothing(f"Prometheus would refuse this file, whole: {error}")
        if not found:
            return self._nothing("There is no rule yet.")
        recorded = sorted(
            recorded, key=lambda each: (each.truth.seconds, each.truth.name)
        )  # the smallest tells
        heard = hear(found, recorded)
        samples = {each.truth.name: Samples(each.series, each.truth.seconds) for each in recorded}
        verdicts = tuple(_decided(each, heard, samples) for each in self.asked)
        return self._verdict(verdicts, notes=_errors(heard))

    def _nothing(self, why: str) -> Verdict:
        lost = tuple(RequirementVerdict(each.id, each.title, 0.0, each.points, "fail") for each in self.asked)
        return self._verdict(lost, why)

    def _verdict(
        self, found: tuple[RequirementVerdict, ...], crashed: str | None = None, notes: tuple[str, ...] = ()
    ) -> Verdict:
        total = sum(each.points for each in self.asked)
        return Verdict(self.id, sum(r.points for r in found), total, "data", (), found, crashed, notes=notes)


def hear(found: Sequence[Rule], recorded: Sequence[Run]) -> list[Heard]:
    """What the rules say of each run."""
    heard = []
    for run in recorded:
        samples = Samples(run.series, run.truth.seconds)
        heard.append(Heard(run.truth, tuple(told(rule, samples) for rule in found)))
    return heard


def _decided(asked: Asked, heard: Sequence[Heard], samples: dict[str, Samples]) -> RequirementVerdict:
    lost = CHECKS[asked.check](asked, heard)
    if lost is None:
        return RequirementVerdict(asked.id, asked.title, asked.points, asked.points, "pass")
    outcome: Outcome = "fail" if lost.shown else "unknown"
    return RequirementVerdict(
        asked.id, asked.title, 0.0, asked.points, outcome, _finding(asked, lost, samples), asked.hints
    )


def _finding(asked: Asked, lost: Lost, samples: dict[str, Samples]) -> Finding:
    example = None
    did = "Your rules were read."
    if lost.heard is not None:
        truth = lost.heard.truth
        did = f"Your rules were evaluated at each second of a recorded run. {truth.about}"
        shown = lines(lost.heard, lost.concerned, samples[truth.name])
        example = Counterexample(None, shown, ()) if shown else None
    return Finding(
        did, lost.expected, lost.got, asked.why, asked.read_next, example, kind=f"{asked.id}: {lost.kind}"
    )


def _errors(heard: Sequence[Heard]) -> tuple[str, ...]:
    """A rule that cannot be evaluated says nothing, which looks like peace."""
    found = {
        each.rule.line: f"{each.rule} cannot be evaluated in the run {run.truth.name}: {each.error}."
        for run in reversed(heard)
        for each in run.told
        if each.error
    }
    return tuple(found.values())[:NOTES]


def _read_back(rule: Rule) -> str:
    what = f"{rule.severity or 'no severity'}, {rule.symptom or 'no symptom'}"
    held = f", if it is so for {rule.hold:g} s" if rule.hold else ""
    text = " ".join(rule.text.split())
    return f"{what}: {text if len(text) <= 120 else text[:119] + '…'}{held}"


def _asked(data: dict[str, Any]) -> Asked:
    return Asked(**data | {name: tuple(data.get(name, ())) for name in ("kinds", "hints")})
