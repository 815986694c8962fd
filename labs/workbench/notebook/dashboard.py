"""`dashboard(stack)`: the panels that whoever is on call looks at, drawn here.

What they ask stands in compose/observability/dashboards, as Grafana reads it; who answers is the Prometheus that
watches the stack. So a stack is needed that has one: `Stack(profile="compose", observability=True)`.
"""

from __future__ import annotations

import json
import math
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from workbench.notebook.chart import ChartWidget, Line, Panel
from workbench.stack import Stack, StackError
from workbench.stack.containers.engine import COMPOSE

UNITS = {
    "reqps": ("requests/s", 1.0),
    "ops": ("1/s", 1.0),
    "percentunit": ("%", 100.0),
    "s": ("ms", 1000.0),
    "bytes": ("MB", 1e-6),
}
"""By Grafana's name for a unit: what it is called here, and the factor. What is not named is a count."""
LEAST_STEP = 5.0
"""Seconds: Prometheus asks that often."""
POINTS = 60


@dataclass(frozen=True, slots=True)
class Asked:
    """A panel of the dashboard. `asks`: PromQL, and what each of its lines is called: "{{instance}} in flight"."""

    title: str
    unit: str
    asks: tuple[tuple[str, str], ...]


def dashboard(stack: Stack, row: str = "Golden signals", *, seconds: float = 120.0) -> Dashboard:
    """One row of the dashboard, over the last `seconds`: "Golden signals", "Cache", "Shards" or "Clicks".

    ValueError: no such row; a stack that nobody watches. StackError: its Prometheus does not answer.
    """
    panels = rows(stack.case)
    if row not in panels:
        raise ValueError(f"row = {row!r}: one of {', '.join(panels)}")
    url = stack.observers().get("prometheus")
    if url is None:
        raise ValueError(
            'nobody watches this stack: Stack(profile="compose", observability=True) has a Prometheus; '
            "stack.metrics(...) and stack.objectives() work on all of them"
        )
    now, step = time.time(), max(LEAST_STEP, seconds / POINTS)
    grid = [now - seconds + n * step for n in range(int(seconds / step) + 1)]
    with httpx.Client(base_url=url, timeout=10) as prometheus:
        drawn = [(asked, lines(asked, prometheus, grid, step)) for asked in panels[row]]
    first = beginning([line for _, found in drawn for line in found.values()])
    x = [round(at - grid[-1], 1) for at in grid[first:]]
    return Dashboard(
        title=f"{row}: what Prometheus knows of {stack.name}",
        x_label="seconds from now",
        panels=[
            Panel(
                unit(asked), tuple(Line(name, 2) for name in found), title=asked.title, gaps=True
            ).describe()
            for asked, found in drawn
        ],
        columns=[[x, *(line[first:] for line in found.values())] for _, found in drawn],
        words="\n".join(said(asked, found) for asked, found in drawn),
    )


class Dashboard(ChartWidget):
    """`words`: its last values, for where nothing can be drawn."""

    def __init__(self, words: str, **drawn: Any) -> None:
        super().__init__(**drawn)
        self.words = words

    def otherwise(self) -> dict[str, str]:
        return {"text/plain": f"{self.title}, the last values\n{self.words}"}


def beginning(lines: Sequence[Sequence[float | None]]) -> int:
    """The first instant at which anything is known: Prometheus may be younger than what it is asked for."""
    return min((n for line in lines for n, value in enumerate(line) if value is not None), default=0)


def rows(case: str) -> dict[str, list[Asked]]:
    """By the title of the row."""
    told = json.loads((COMPOSE / f"observability/dashboards/{case}.json").read_text("utf-8"))
    found: dict[str, list[Asked]] = {}
    for panel in told["panels"]:
        if panel["type"] == "row":
            found[panel["title"]] = []
        else:
            asks = tuple((target["expr"], target["legendFormat"]) for target in panel["targets"])
            asked = Asked(panel["title"], panel["fieldConfig"]["defaults"]["unit"], asks)
            found[list(found)[-1]].append(asked)
    return found


def unit(asked: Asked) -> str:
    return UNITS.get(asked.unit, ("count", 1.0))[0]


def lines(
    asked: Asked, prometheus: httpx.Client, grid: Sequence[float], step: float
) -> dict[str, list[float | None]]:
    """By their names: a value for each instant of `grid`, or None."""
    factor = UNITS.get(asked.unit, ("count", 1.0))[1]
    found: dict[str, list[float | None]] = {}
    for expression, legend in asked.asks:
        for each in asks(prometheus, expression, grid, step):
            drawn: list[float | None] = [None] * len(grid)
            for at, value in each["values"]:
                number = float(value) * factor
                place = round((at - grid[0]) / step)
                if math.isfinite(number) and 0 <= place < len(grid):
                    drawn[place] = number
            found[named(legend, each["metric"])] = drawn
    return found


def asks(
    prometheus: httpx.Client, expression: str, grid: Sequence[float], step: float
) -> list[dict[str, Any]]:
    params: dict[str, str | float] = {"query": expression, "start": grid[0], "end": grid[-1], "step": step}
    try:
        answer = prometheus.get("/api/v1/query_range", params=params).json()
    except (httpx.HTTPError, ValueError) as error:
        raise StackError(f"the stack's Prometheus does not answer ({type(error).__name__})") from error
    if answer["status"] != "success":
        raise StackError(f"Prometheus does not take {expression!r}: {answer.get('error')}")
    found: list[dict[str, Any]] = answer["data"]["result"]
    return found


def named(legend: str, labels: Mapping[str, str]) -> str:
    """As Grafana does: "{{instance}} in flight" with the values of the labels."""
    return re.sub(r"{{\s*(\w+)\s*}}", lambda found: labels.get(found[1], ""), legend)


def said(asked: Asked, found: Mapping[str, Sequence[float | None]]) -> str:
    """The last values, in words: "Traffic (requests/s): /{code} 74.00"."""
    last = {
        name: next((v for v in reversed(values) if v is not None), None) for name, values in found.items()
    }
    told = [f"{name} {value:.2f}" for name, value in last.items() if value is not None]
    return f"{asked.title} ({unit(asked)}): {', '.join(told) or 'nothing'}"
