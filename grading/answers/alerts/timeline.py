"""A run as a rule saw it, in a few lines of text."""

from __future__ import annotations

from collections.abc import Sequence

from grading.answers.alerts.checks import Heard
from grading.answers.alerts.firing import Told, highest, watched
from grading.answers.promql.evaluate import Samples

MOST = 3
"""Rules that are shown."""
POINTS = 12
BARS = "▁▂▃▄▅▆▇█"


def lines(heard: Heard, concerned: Sequence[Told], samples: Samples) -> tuple[str, ...]:
    return tuple(line for each in concerned[:MOST] for line in _of(each, heard, samples))


def _of(told: Told, heard: Heard, samples: Samples) -> list[str]:
    spans = ", ".join(f"{first} to {last}" for first, last in told.spans()[:4])
    fired = f"fires in the seconds {spans}" if spans else "never fires"
    expression = watched(told.rule.expression)
    part = "its value" if expression is told.rule.expression else "what it compares"
    values = highest(expression, samples)
    step = max(1, len(values) // POINTS)
    every = values[::step]
    numbers = "  ".join(f"{second * step}: {number(value)}" for second, value in enumerate(every))
    return [
        f"{told.rule} {fired}",
        f"{part}, by second: {numbers}  {bars(every)}",
    ]


def number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3g}"


def bars(values: Sequence[float | None]) -> str:
    """The same as a picture: from nothing to the highest. A gap: there is no value."""
    top = max((value for value in values if value is not None and abs(value) < 1e300), default=0.0)
    return "".join(" " if value is None else BARS[_height(value, top)] for value in values)


def _height(value: float, top: float) -> int:
    if not top > 0 or not value > 0:
        return 0
    return min(len(BARS) - 1, int(min(value / top, 1.0) * (len(BARS) - 1)))
