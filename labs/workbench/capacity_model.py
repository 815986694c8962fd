"""A capacity model: what a redirect costs an app server in processor time, fitted to loads that were measured.

    processor seconds = hit * redirects + miss * misses + fixed * seconds

`hit` is what every redirect costs, `miss` what it costs more if the store has to be asked, `fixed` what a server uses
up each second once there is load, however much: health checks, timers, and above all the batches in which clicks go to
the log, of which there are no more than fifty a second. All here is arithmetic; `capacity` does the measuring.
"""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from html import escape
from itertools import combinations
from typing import Any

LEAST_ERROR = 5.0
"""Per cent. No check is believed to be better than that: the same load, measured again, differs by so much."""


def per_cent(share: float) -> str:
    return f"{100 * share:.0f} %"


@dataclass(frozen=True, slots=True)
class Sample:
    """A load that was measured for `seconds`. `cpu`: processor seconds of all app servers together; `balancer`: of the
    balancer. `loaded`: the seconds of these in which requests came; if not given, all of them."""

    redirects: int
    misses: int
    seconds: float
    cpu: float
    balancer: float = 0.0
    loaded: float | None = None

    @property
    def rate(self) -> float:
        return self.redirects / (self.loaded or self.seconds)

    @property
    def hit_rate(self) -> float:
        return 1 - self.misses / self.redirects if self.redirects else 1.0


Measure = Callable[[float, float, float], Awaitable[Sample]]
"""(rate, hit rate, seconds) -> what a load like that costs."""


@dataclass(frozen=True, slots=True)
class Check:
    """A load that was not used for the fit: predicted, then measured. Processor seconds; `error` in per cent."""

    sample: Sample
    predicted: float

    @property
    def measured(self) -> float:
        return self.sample.cpu

    @property
    def error(self) -> float:
        """Above 0: predicted too much."""
        return 100 * (self.predicted / self.measured - 1)

    def __str__(self) -> str:
        off = (
            f"{abs(self.error):.0f} % too {'high' if self.error > 0 else 'low'}"
            if round(self.error)
            else "right"
        )
        return (
            f"{self.sample.redirects:,} redirects at {self.sample.rate:,.0f}/s, "
            f"hit rate {per_cent(self.sample.hit_rate)}: predicted {self.predicted:.3f} s of processor time, "
            f"measured {self.measured:.3f} s. The prediction is {off}."
        )

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        return {"text/plain": str(self), "text/html": f"<p>{escape(str(self))}</p>"}


@dataclass(frozen=True, slots=True)
class Servers:
    """How many app servers a load needs: `count`, and between `low` and `high` by the error that was seen."""

    rate: float
    hit_rate: float
    utilisation: float
    count: int
    low: int
    high: int
    error: float
    beyond: float
    """How many times the highest rate that was measured."""

    def __str__(self) -> str:
        some = f"{self.low:,} to {self.high:,}" if self.low < self.high else f"{self.count:,} either way"
        far = (
            f" That is {self.beyond:,.0f} times the highest rate that was measured."
            if self.beyond >= 2
            else ""
        )
        return (
            f"{self.rate:,.0f} redirects/s at a hit rate of {per_cent(self.hit_rate)}: {self.count:,} app servers "
            f"({some} with an error of ±{self.error:.0f} %), each a process that has one processor busy for "
            f"{per_cent(self.utilisation)} of the time.{far}"
        )

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        return {"text/plain": str(self), "text/html": f"<p>{escape(str(self))}</p>"}


@dataclass(slots=True)
class Model:
    """What a redirect costs. Show it as a cell's last line; ask it with `servers_for`; test it with `check`.

    `hit`, `miss`, `balancer`: ms of processor time for each redirect, for each miss on top of that, and for each
    redirect at the balancer. `fixed`: ms a second for each of the `servers`.
    """

    hit: float
    miss: float
    fixed: float
    balancer: float
    servers: int
    samples: tuple[Sample, ...]
    measure: Measure | None = field(default=None, repr=False)
    checks: list[Check] = field(default_factory=list)

    def predict(self, redirects: float, misses: float, seconds: float) -> float:
        """Processor seconds of all app servers together."""
        return (self.hit * redirects + self.miss * misses + self.fixed * self.servers * seconds) / 1000

    def cost(self, hit_rate: float) -> float:
        """ms of processor time for one redirect, on average."""
        return self.hit + self.miss * (1 - hit_rate)

    async def check(self, rate: float = 220.0, hit_rate: float = 0.5, seconds: float = 2.5) -> Check:
        """Runs a load that was not used for the fit, and compares what it cost with what the model says of it.

        How many redirects and misses the load came to is taken from the servers' counters; their cost is predicted.
        Afterwards `servers_for` goes by the errors of these checks. ValueError: the model was not made by `calibrate`.
        """
        if self.measure is None:
            raise ValueError(
                "this model has no stack to run a load on: make it with `await calibrate(stack, codes)`"
            )
        sample = await self.measure(rate, hit_rate, seconds)
        found = Check(sample, self.predict(sample.redirects, sample.misses, sample.seconds))
        self.checks.append(found)
        return found

    @property
    def error(self) -> float:
        """Per cent, both ways: the largest of the checks. Before the first check: the largest that comes out if each
        load is predicted from the others. Not less than 5, for the same load measured twice differs by about that. It
        is what was seen, no confidence interval."""
        return max([LEAST_ERROR, *(abs(check.error) for check in self.checks or self._from_the_others())])

    def _from_the_others(self) -> list[Check]:
        found = []
        for i, sample in enumerate(self.samples):
            others = [*self.samples[:i], *self.samples[i + 1 :]]
            with suppress(ValueError):  # without this one they tell too little
                found.append(fit(others, self.servers)._fitted(sample))
        return found

    def servers_for(self, rate: float, hit_rate: float, utilisation: float = 0.7) -> Servers:
        """How many app servers `rate` redirects/s need, if each is to be busy for `utilisation` of the time.

        ValueError: a rate that is not above 0, a share outside 0 to 1, a utilisation that the fixed part uses up."""
        if not (rate > 0 and math.isfinite(rate)):
            raise ValueError(f"rate = {rate}: above 0")
        if not 0 <= hit_rate <= 1:
            raise ValueError(f"hit_rate = {hit_rate}: a share between 0 and 1")
        if not self.fixed / 1000 < utilisation <= 1:
            raise ValueError(f"utilisation = {utilisation}: above {self.fixed / 1000:.2f}, at most 1")

        def needed(cost: float) -> int:
            return max(1, math.ceil(rate * cost / 1000 / (utilisation - max(0.0, self.fixed) / 1000) - 1e-9))

        cost, off = self.cost(hit_rate), min(self.error / 100, 0.95)
        beyond = rate / max(sample.rate for sample in self.samples)
        count, low, high = needed(cost), needed(cost * (1 - off)), needed(cost * (1 + off))
        return Servers(rate, hit_rate, utilisation, count, low, high, self.error, beyond)

    def rows(
        self, rates: Sequence[float], hit_rates: Sequence[float], utilisation: float = 0.7
    ) -> tuple[list[float], dict[str, list[float | None]]]:
        """For `chart`: the rates, and for each hit rate the servers that are needed.

        x, lines = model.rows([100, 1_000, 10_000], [0.5, 0.95])
        chart("Servers needed", x, lines, x_label="redirects/s", y_label="app servers", digits=0)
        """
        lines: dict[str, list[float | None]] = {
            f"hit rate {per_cent(hit_rate)}": [
                float(self.servers_for(rate, hit_rate, utilisation).count) for rate in rates
            ]
            for hit_rate in hit_rates
        }
        return [float(rate) for rate in rates], lines

    @property
    def leaves_out(self) -> str:
        """What the model does not know, for whoever is about to believe it."""
        most = max(sample.rate for sample in self.samples)
        carried = 0.7 * 1000 / self.balancer if self.balancer > 0 else math.inf
        balancer = (
            f" The balancer uses {self.balancer:.2f} ms a redirect: busy for 70 % of the time, one process of it "
            f"carries about {carried:,.0f}/s, and then it is the limit."
            if math.isfinite(carried)
            else ""
        )
        return "\n".join(
            (
                f"- Everything but the app servers: cache, store, log, consumer, network.{balancer}",
                "- Waiting. It knows mean costs, no bursts and no queues: how long a request takes near full use is "
                "not in it. Leaving a part of each processor idle (30 % here) is a guess at that.",
                "- Other machines. A millisecond is one of this machine's, which ran the load and all services too.",
                f"- Higher rates. Costs are taken to be the same at every rate, and {most:,.0f}/s is the highest "
                "that was measured. In truth large batches of clicks are cheaper, and what all servers share dearer.",
                "- The fast path, which answers hot links from a server's own memory for a small part of this.",
                "- Everything but redirects: making links, statistics, deploys, a server that is down.",
            )
        )

    # --- looks

    def _fitted(self, sample: Sample) -> Check:
        return Check(sample, self.predict(sample.redirects, sample.misses, sample.seconds))

    def _facts(self) -> list[tuple[str, str]]:
        source = (
            f"{len(self.checks)} check{'s' if len(self.checks) != 1 else ''}"
            if self.checks
            else "each load predicted from the others"
        )
        return [
            ("each redirect", f"{self.hit:.2f} ms"),
            ("a miss, on top of that", f"{self.miss:.2f} ms"),
            ("each server, at any load", f"{self.fixed:.0f} ms a second"),
            ("error", f"±{self.error:.0f} % ({source})"),
        ]

    def _table(self) -> list[tuple[str, ...]]:
        rows: list[tuple[str, ...]] = [
            ("load", "redirects/s", "hit rate", "measured (s)", "by the model (s)", "off by")
        ]
        fitted = [("for the fit", self._fitted(sample)) for sample in self.samples]
        for name, each in [*fitted, *(("check", check) for check in self.checks)]:
            rate = f"{each.sample.rate:,.0f}"
            hits = per_cent(each.sample.hit_rate) if each.sample.redirects else "–"
            off = f"{each.error:+.0f} %"
            rows.append((name, rate, hits, f"{each.measured:.3f}", f"{each.predicted:.3f}", off))
        return rows

    @property
    def _title(self) -> str:
        return f"Processor time of {self.servers} app servers"

    def text(self) -> str:
        facts = [f"  {what:<30} {value}" for what, value in self._facts()]
        rows = self._table()
        widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
        table = ["  " + "  ".join(cell.rjust(w) for cell, w in zip(row, widths, strict=True)) for row in rows]
        return "\n".join([self._title, *facts, *table])

    __str__ = text

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        facts = "".join(
            f'<tr><th scope="row" style="text-align:left">{escape(what)}</th><td>{escape(value)}</td></tr>'
            for what, value in self._facts()
        )
        head, *rows = self._table()
        cells = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in head)
        body = "".join(
            f'<tr><th scope="row">{escape(row[0])}</th>'
            + "".join(f"<td>{escape(c)}</td>" for c in row[1:])
            + "</tr>"
            for row in rows
        )
        html = (
            f"<table><caption>{escape(self._title)}</caption><tbody>{facts}</tbody></table>"
            f"<table><caption>The loads behind it: processor seconds</caption><thead><tr>{cells}</tr></thead>"
            f"<tbody>{body}</tbody></table>"
        )
        return {"text/plain": self.text(), "text/html": html}


def fit(samples: Sequence[Sample], servers: int, measure: Measure | None = None) -> Model:
    """The costs that suit these loads best: least squares of the errors in per cent, so that a small load counts as
    much as a large one.

    ValueError: too few loads, or too much alike (two rates and two hit rates are needed)."""
    work = [(float(s.redirects), float(s.misses), s.seconds * servers) for s in samples]
    hit, miss, fixed = no_less_than_nothing(work, [s.cpu for s in samples])
    balancer = 0.0
    if all(s.balancer > 0 for s in samples):
        balancer = no_less_than_nothing([(n, t) for n, _, t in work], [s.balancer for s in samples])[0]
    return Model(1000 * hit, 1000 * miss, 1000 * fixed, 1000 * balancer, servers, tuple(samples), measure)


def no_less_than_nothing(rows: Sequence[Sequence[float]], measured: Sequence[float]) -> list[float]:
    """As `least_squares`, but nothing costs less than 0, which a noisy machine would else make believe. The first
    column always has a cost."""
    best = least_squares(rows, measured)
    if min(best) >= 0:
        return best
    size, found = len(best), []
    for dropped in (set(each) for n in range(1, size) for each in combinations(range(1, size), n)):
        kept = [i for i in range(size) if i not in dropped]
        factors = dict(
            zip(kept, least_squares([[row[i] for i in kept] for row in rows], measured), strict=True)
        )
        costs = [factors.get(i, 0.0) for i in range(size)]
        if min(costs) >= 0:
            found.append((misfit(rows, measured, costs), costs))
    return min(found)[1]


def misfit(rows: Sequence[Sequence[float]], measured: Sequence[float], costs: Sequence[float]) -> float:
    """The sum of the squared relative errors."""
    sums = (sum(x * cost for x, cost in zip(row, costs, strict=True)) for row in rows)
    return sum((total / y - 1) ** 2 for total, y in zip(sums, measured, strict=True))


def least_squares(rows: Sequence[Sequence[float]], measured: Sequence[float]) -> list[float]:
    """The factors of the columns for which the sum of the squared relative errors is smallest."""
    if any(value <= 0 for value in measured):
        raise ValueError("a load without any processor time cannot be fitted")
    scaled = [[x / y for x in row] for row, y in zip(rows, measured, strict=True)]
    size = len(rows[0])
    if len(rows) < size:
        raise ValueError(f"{len(rows)} loads are too few for {size} costs")
    left = [[sum(row[i] * row[j] for row in scaled) for j in range(size)] for i in range(size)]
    right = [sum(row[i] for row in scaled) for i in range(size)]
    return solve(left, right)


def solve(left: list[list[float]], right: list[float]) -> list[float]:
    """The solution of the linear equations, by Gauss's elimination with the largest pivot."""
    size = len(right)
    # Columns differ by orders of magnitude (redirects, seconds): each is measured by its own size.
    scale = [math.sqrt(left[i][i]) or 1.0 for i in range(size)]
    rows = [
        [left[i][j] / scale[i] / scale[j] for j in range(size)] + [right[i] / scale[i]] for i in range(size)
    ]
    for column in range(size):
        pivot = max(range(column, size), key=lambda row: abs(rows[row][column]))
        rows[column], rows[pivot] = rows[pivot], rows[column]
        if abs(rows[column][column]) < 1e-9:
            raise ValueError("the loads are too much alike to tell their costs apart")
        for row in range(column + 1, size):
            factor = rows[row][column] / rows[column][column]
            rows[row] = [a - factor * b for a, b in zip(rows[row], rows[column], strict=True)]
    found = [0.0] * size
    for i in reversed(range(size)):
        rest = sum(rows[i][j] * found[j] for j in range(i + 1, size))
        found[i] = (rows[i][size] - rest) / rows[i][i]
    return [value / scale[i] for i, value in enumerate(found)]
