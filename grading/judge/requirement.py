"""A requirement: what it promises, the scenarios that try it, and what a checker may say."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grading.judge.history import History
from grading.judge.model import Model
from grading.judge.plan import Plan
from grading.judge.report import Moment


@dataclass(frozen=True, slots=True)
class Kept:
    """The run kept to the requirement."""


@dataclass(frozen=True, slots=True)
class NotShown:
    """The run could not show it: the fault never met the work, or there was nothing to disturb."""

    because: str
    needed: str
    """What would have shown it."""


@dataclass(frozen=True, slots=True)
class Broken:
    """The run broke the requirement. `kind`: the same for the same mistake, however small the run."""

    kind: str
    expected: str
    got: str
    cause: str = ""
    """The mistake itself, where the component named it by an exception: the same in every run that it spoils."""
    writes: bool = False
    """What the component wrote to the cache tells most: a timeline that is cut short shows that."""
    timeline: tuple[Moment, ...] = ()
    """What tells more than the run's own timeline does, where that is not what it is about."""
    why: str = ""
    read_next: str = ""
    """Where neither the requirement's own nor the scenario's fit what went wrong."""


Outcome = Kept | NotShown | Broken


@dataclass(frozen=True, slots=True)
class Scenario:
    """A workload with its faults, and the checker of the history. `story`: what is done, for the report."""

    name: str
    story: str
    plan: Callable[[int], Plan]
    """From a seed."""
    check: Callable[[Plan, History, Any], Outcome]
    """The third argument is the model that the run used: the oracle."""
    every: int = 1
    """Of how many seeds one uses this scenario (1: all; the first seed given always does). What finds its mistakes on
    each seed need not be asked on all: `tests/bench/bench_seeds.py` measures it, and what a mark then misses."""
    elsewhere: bool = False
    """Carried out a second time in another process, whose `hash` has another salt: the history's `elsewhere`."""
    why: str = ""
    read_next: str = ""
    """Where the requirement's own do not fit this scenario."""


@dataclass(frozen=True, slots=True)
class Requirement:
    id: str
    title: str
    points: float
    promise: str
    why: str
    read_next: str
    scenarios: tuple[Scenario, ...]
    hints: tuple[str, ...] = ()
    """From vague to concrete, never the solution: for whoever failed, asked for one after the other."""


@dataclass(frozen=True, slots=True)
class Suite:
    """All that is judged of one slot."""

    schema: dict[str, Any]
    requirements: tuple[Requirement, ...]
    store: Callable[[Plan], Model]

    @property
    def slot(self) -> str:
        return str(self.schema["slot"])


def load(path: Path, scenarios: Mapping[str, tuple[Scenario, ...]], store: Callable[[Plan], Model]) -> Suite:
    """A suite from its neutral schema and the scenarios of each requirement. ValueError if they do not match."""
    schema = tomllib.loads(path.read_text("utf-8"))
    texts = schema.pop("requirements")
    if {each["id"] for each in texts} != set(scenarios):
        raise ValueError(f"{path.name} and its scenarios name different requirements")
    hints = {each["id"]: tuple(each.pop("hints", ())) for each in texts}
    requirements = tuple(
        Requirement(**each, scenarios=scenarios[each["id"]], hints=hints[each["id"]]) for each in texts
    )
    return Suite(schema, requirements, store)
