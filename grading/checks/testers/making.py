"""Makes the recordings of a slot: our own components under the judge, in the scenarios of their own slot."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grading.checks.testers.bank import Entry
from grading.judge.engine import Judge
from grading.judge.history import History
from grading.judge.hosting import Host
from grading.judge.plan import Plan
from grading.judge.requirement import Broken, Scenario, Suite

ROOT = Path(__file__).resolve().parents[3]
SHOWN = range(1, 5)
KEPT = range(5, 11)
"""Seeds of workloads: of the recordings that learners' own checks use, and of those that are kept for marks."""

LINE = re.compile(r" \(your line \d+\)")
"""Of the recorded component: a tester has other lines."""

RIGHT_EACH = 3
"""Right components in each scenario and variant: the reference, the others odd ones."""


@dataclass(frozen=True, slots=True)
class Making:
    """How the recordings of one slot are made. `path`: their file."""

    path: Path
    suite: Suite
    """Of the slot whose components are recorded."""
    mutants: str
    """The folder of its wrong and odd components, and the file of its reference, below `ROOT`."""
    reference: str
    scenarios: Sequence[Scenario]
    bugs: Mapping[str, Sequence[tuple[str, Scenario]]]
    """Requirement -> the wrong components that have its bug, each with the scenario in which it shows."""
    only: Mapping[str, Sequence[str]]
    """Scenario -> the right components that are recorded in it, where not all will do."""
    neutral: Callable[[Plan, History], dict[str, Any]]
    """The recording: JSON by the schema of the slot for testers."""
    words: Callable[[dict[str, Any]], set[str]]
    """Of a recording: its names, which may be others as well."""

    def source(self, component: str) -> str:
        if component == "reference":
            return (ROOT / self.reference).read_text("utf-8")
        return (ROOT / self.mutants / f"{component}.py").read_text("utf-8")

    def odd(self) -> list[str]:
        manifest = tomllib.loads((ROOT / self.mutants / "manifest.toml").read_text("utf-8"))
        return [f"odd/{each['file'].removesuffix('.py')}" for each in manifest["odd"]]

    def tasks(self, variants: Sequence[int]) -> dict[str, list[tuple[str, Scenario, int]]]:
        """Component -> (bug, scenario, variant) of each recording."""
        found: dict[str, list[tuple[str, Scenario, int]]] = {}
        odd = self.odd()
        for variant in variants:
            for number, scenario in enumerate(self.scenarios):
                others = [odd[(number + variant + k) % len(odd)] for k in range(RIGHT_EACH - 1)]
                for component in self.only.get(scenario.name, ("reference", *others)):
                    found.setdefault(component, []).append(("", scenario, variant))
            for bug, planted in self.bugs.items():
                for component, scenario in planted:
                    found.setdefault(f"wrong/{component}", []).append((bug, scenario, variant))
        return found

    def recorded(self, component: str, tasks: Sequence[tuple[str, Scenario, int]]) -> Iterator[Entry]:
        """ValueError: a right component was rejected. A bug that did not show in a run is left out."""
        with Host(self.source(component), self.suite.schema, component, cpu_seconds=120) as host:
            judge = Judge(self.suite, host)
            for bug, scenario, variant in tasks:
                trial = judge.trial(scenario, scenario.plan(variant))
                broken = trial.outcome if isinstance(trial.outcome, Broken) else None
                if bug and broken is None:
                    continue
                if not bug and broken is not None:
                    raise ValueError(
                        f"{component}, {scenario.name}, seed {variant}: {broken.expected}; {broken.got}"
                    )
                recording = self.neutral(trial.plan, trial.history)
                yield Entry(
                    bug,
                    component.removeprefix("wrong/"),
                    scenario.name,
                    variant,
                    variant in SHOWN,
                    scenario.story,
                    broken.expected if broken is not None else "",
                    LINE.sub("", broken.got) if broken is not None else "",
                    sorted(self.words(recording)),
                    json.dumps(recording, ensure_ascii=False, separators=(",", ":")),
                )

    def all(self, variants: Sequence[int]) -> list[Entry]:
        return [
            entry
            for component, tasks in self.tasks(variants).items()
            for entry in self.recorded(component, tasks)
        ]
