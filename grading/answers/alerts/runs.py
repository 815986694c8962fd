"""Recorded runs: what every process of a stack said of itself, once a second, while something was broken or not.

They were recorded by `tests/bench/record_incidents.py`, one real run each, and are files of `runs/`: JSON, compressed.
A value that did not change takes no room: a series is a list of steps `[seconds since the last step, change]`.
"""

from __future__ import annotations

import functools
import gzip
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "runs"

Labels = tuple[tuple[str, str], ...]
"""Sorted pairs of name and value; the metric's name is that of `__name__`."""
Series = dict[Labels, list[float | None]]
"""A value for each second from 0 on; None: it was not told then."""

DIGITS = 6
"""Behind the point; of seconds in a sum that is a millionth."""


@dataclass(frozen=True, slots=True)
class Truth:
    """What really happened. `fault`: the seconds between which something was broken; None: nothing that users feel."""

    name: str
    kind: str
    story: str
    seconds: int
    fault: tuple[float, float] | None
    shown: bool
    """Whether learners' own checks use it; the others are kept back for marks."""

    @property
    def about(self) -> str:
        """Such as "errors-1, 110 s: A shard is cut off. From second 35 to second 70."."""
        span = f" From second {self.fault[0]:g} to second {self.fault[1]:g}." if self.fault else ""
        return f"{self.name}, {self.seconds} s: {self.story}{span}"


@dataclass(frozen=True, slots=True)
class Run:
    truth: Truth
    series: Series = field(repr=False)


def packed(truth: Truth, series: Series) -> bytes:
    """The same run gives the same bytes."""
    rows = [[dict(labels), _steps(values)] for labels, values in sorted(series.items())]
    text = json.dumps({"truth": asdict(truth), "series": rows}, separators=(",", ":"))
    return gzip.compress(text.encode("utf-8"), mtime=0)


def unpacked(data: bytes) -> Run:
    found: dict[str, Any] = json.loads(gzip.decompress(data))
    told = found["truth"]
    fault = tuple(told["fault"]) if told["fault"] else None
    truth = Truth(**told | {"fault": fault})
    series = {
        tuple(sorted(labels.items())): _values(steps, truth.seconds) for labels, steps in found["series"]
    }
    return Run(truth, series)


@functools.cache
def runs() -> tuple[Run, ...]:
    """All that are here, by name. A bundle for learners has those alone that are shown."""
    return tuple(unpacked(path.read_bytes()) for path in sorted(FOLDER.glob("*.json.gz")))


def _steps(values: list[float | None]) -> list[list[Any]]:
    """`[second, value]` wherever it is another than before; changes and not sums, so that they repeat."""
    steps: list[list[Any]] = []
    last, at, known = None, 0, 0.0
    for second, value in enumerate(values):
        if value is not None:
            value = round(value, DIGITS)
        if second and value == last:
            continue
        if value is None:
            steps.append([second - at, None])
        else:
            change = round(value - known, DIGITS)
            steps.append([second - at, int(change) if change == int(change) else change])
            known = round(known + change, DIGITS)
        last, at = value, second
    return steps


def _values(steps: list[list[Any]], seconds: int) -> list[float | None]:
    values: list[float | None] = []
    last: float | None = None
    known = 0.0
    for gap, change in steps:
        values += [last] * gap
        if change is None:
            last = None
        else:
            last = known = round(known + change, DIGITS)
    return values + [last] * (seconds - len(values))
