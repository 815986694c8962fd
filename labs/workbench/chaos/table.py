"""Journeys × faults: what became of each journey while each fault lasted, beside what had been predicted."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import yaml

from workbench.chaos.run import Outcome
from workbench.chaos.visitors import DONE, RATES, Visit

JOURNEYS = tuple(RATES)
State = Literal["works", "degraded", "fails"]

FEW = 0.02
"""Of all requests: so many may fail, and a journey still works."""
SLOW = 1.0
"""Seconds: with a p99 above it a journey does not work as it should."""
MOST = 0.9
"""Of all requests: if so many fail, the journey fails."""

PREDICTIONS = Path(__file__).with_name("predictions.yaml")


@dataclass(frozen=True, slots=True)
class Cell:
    """`errors`: share of the requests. `p99`: seconds, of all of them."""

    state: State
    errors: float
    p99: float
    ends: dict[str, int]


def cell(visits: Sequence[Visit]) -> Cell:
    """Of one journey. ValueError: there were no visits."""
    if not visits:
        raise ValueError("nobody asked for it: there is nothing to tell")
    failed = sum(visit.end != DONE for visit in visits) / len(visits)
    seconds = sorted(visit.seconds for visit in visits)
    p99 = statistics.quantiles(seconds, n=100, method="inclusive")[98] if len(seconds) > 1 else seconds[0]
    state: State = "fails" if failed >= MOST else "works" if failed <= FEW and p99 <= SLOW else "degraded"
    return Cell(state, failed, p99, dict(Counter(visit.end for visit in visits)))


def row(outcome: Outcome) -> dict[str, Cell]:
    return {name: cell([visit for visit in outcome.during if visit.journey == name]) for name in JOURNEYS}


def predictions(path: Path = PREDICTIONS) -> dict[str, dict[str, str]]:
    """By fault and journey the state; `why` and, after a surprise, `learned`: in words."""
    told: dict[str, dict[str, str]] = yaml.safe_load(path.read_text("utf-8"))
    return told


def misses(rows: Mapping[str, Mapping[str, Cell]], predicted: Mapping[str, Mapping[str, str]]) -> list[str]:
    """The cells that are not as predicted, in words."""
    return [
        f"{fault}: {journey} was to be {predicted[fault][journey]}, and {described(found)}"
        for fault, cells in rows.items()
        for journey, found in cells.items()
        if predicted[fault][journey] != found.state
    ]


def described(found: Cell) -> str:
    return f"{found.state} ({found.errors:.0%} failed, p99 {1000 * found.p99:.0f} ms)"


def markdown(outcomes: Iterable[Outcome], predicted: Mapping[str, Mapping[str, str]]) -> str:
    """The table. A cell that was predicted otherwise says so."""
    lines = [
        "| fault | " + " | ".join(JOURNEYS) + " | well after | clicks answered, counted |",
        "|---|" + "---|" * (len(JOURNEYS) + 2),
    ]
    for outcome in outcomes:
        cells = []
        for journey, found in row(outcome).items():
            thought = predicted[outcome.name][journey]
            cells.append(described(found) + ("" if thought == found.state else f"; predicted: {thought}"))
        told = f"{outcome.well_after:.1f} s | {outcome.answered}, {outcome.counted}"
        lines.append(f"| {outcome.name} | {' | '.join(cells)} | {told} |")
    return "\n".join(lines) + "\n"


def record(outcome: Outcome) -> dict[str, Any]:
    """As JSON."""
    cells = {
        journey: {
            "state": found.state,
            "errors": round(found.errors, 4),
            "p99_ms": round(1000 * found.p99, 1),
            "ends": found.ends,
        }
        for journey, found in row(outcome).items()
    }
    return {
        "journeys": cells,
        "met work": outcome.met,
        "healthy after s": round(outcome.healthy_after, 1),
        "well after s": round(outcome.well_after, 1),
        "clicks answered": outcome.answered,
        "clicks counted": outcome.counted,
        "broken promises": outcome.broken,
        "what refusals said": outcome.details,
    }
