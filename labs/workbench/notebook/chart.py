"""Charts in a notebook: uPlot in a small widget, with the same figures as a table for whoever cannot see it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import traitlets

from workbench.notebook.widget import Widget

STATIC = Path(__file__).parents[1] / "static"

# Okabe and Ito's colours, told apart with any colour vision; the dashes tell the lines apart without colour.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
SHADES = ("blue", "vermilion", "green", "purple", "orange", "sky")
DASHES: tuple[tuple[int, ...], ...] = ((), (7, 4), (2, 3), (9, 3, 2, 3), (4, 4), (12, 4))


@dataclass(frozen=True, slots=True)
class Line:
    """One curve: its name, with the unit where the axis does not tell it."""

    label: str
    digits: int = 1
    """Decimals in the table and in the legend."""


@dataclass(frozen=True, slots=True)
class Panel:
    """One pair of axes. `y_label` carries the unit."""

    y_label: str
    lines: tuple[Line, ...]
    log: bool = False
    y_range: tuple[float, float] | None = None
    group: int = 1
    """So many lines that follow each other belong together: they share a colour, and differ in their dashes alone."""
    gaps: bool = False
    """Whether a curve is broken where nothing is known; else it is drawn through."""
    title: str = ""
    """What stands above it, if it has a name of its own."""

    def describe(self) -> dict[str, Any]:
        styles = []
        for i, line in enumerate(self.lines):
            colour = i // self.group % len(COLOURS)
            dash = DASHES[(i if self.group == 1 else i % self.group) % len(DASHES)]
            styles.append(
                asdict(line) | {"colour": COLOURS[colour], "shade": SHADES[colour], "dash": list(dash)}
            )
        return {
            "title": self.title,
            "yLabel": self.y_label,
            "lines": styles,
            "log": self.log,
            "gaps": self.gaps,
            "yRange": list(self.y_range) if self.y_range else None,
        }


@dataclass(slots=True)
class Points:
    """Rows of one panel: x, then a value (or None) for each line."""

    rows: list[tuple[float | None, ...]] = field(default_factory=list)

    def columns(self, lines: int) -> list[list[float | None]]:
        if not self.rows:
            return [[] for _ in range(lines + 1)]
        return [list(column) for column in zip(*self.rows, strict=True)]


class ChartWidget(Widget):
    """`panels` and `columns` side by side; `marks`: vertical lines; `status`: read out by screen readers."""

    # One text: uPlot's own build defines `uPlot`, which our module then finds in its scope. Nothing is fetched.
    _esm = "\n".join(
        (STATIC / name).read_text("utf-8") for name in ("uplot/uPlot.iife.min.js", "parts.js", "chart.js")
    )
    _css = "\n".join((STATIC / name).read_text("utf-8") for name in ("uplot/uPlot.min.css", "chart.css"))

    title = traitlets.Unicode().tag(sync=True)
    x_label = traitlets.Unicode().tag(sync=True)
    panels: Any = traitlets.List().tag(sync=True)
    columns: Any = traitlets.List().tag(sync=True)
    marks: Any = traitlets.List().tag(sync=True)
    x_max = traitlets.Float(None, allow_none=True).tag(sync=True)
    x_log = traitlets.Bool(False).tag(sync=True)
    status = traitlets.Unicode().tag(sync=True)
    running = traitlets.Bool(False).tag(sync=True)
    """While true there is a Stop button, which sends the message {"kind": "stop"}."""

    def otherwise(self) -> dict[str, str]:
        return {"text/plain": f"[chart] {self.title}. {self.status}".strip()}


def chart(
    title: str,
    x: Sequence[float],
    lines: Mapping[str, Sequence[float | None]],
    *,
    x_label: str,
    y_label: str,
    marks: Iterable[tuple[float, str]] = (),
    x_log: bool = False,
    y_range: tuple[float, float] | None = None,
    digits: int = 1,
    group: int = 1,
) -> ChartWidget:
    """A chart of `lines` (name to values) over `x`. `marks`: (x, text) of vertical lines. Labels carry the units.
    `group`: with 2, each two lines that follow each other share a colour.

    ValueError if a line has not as many values as `x`.
    """
    if wrong := [name for name, values in lines.items() if len(values) != len(x)]:
        raise ValueError(f"{wrong[0]!r} has {len(lines[wrong[0]])} values for {len(x)} of x")
    panel = Panel(y_label, tuple(Line(name, digits) for name in lines), y_range=y_range, group=group)
    return ChartWidget(
        title=title,
        x_label=x_label,
        panels=[panel.describe()],
        columns=[[list(x), *(list(values) for values in lines.values())]],
        marks=[{"x": at, "text": text} for at, text in marks],
        x_log=x_log,
    )
