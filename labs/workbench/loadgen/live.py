"""The view in a notebook: a chart that grows four times a second, a sentence, and a Stop button."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from IPython.display import display

from workbench.loadgen.plan import LoadPlan
from workbench.loadgen.recorder import Tick
from workbench.loadgen.result import LoadResult
from workbench.loadgen.watch import Reading
from workbench.notebook.chart import ChartWidget, Line, Panel, Points

LATENCY = Panel("latency, ms", (Line("p50"), Line("p99")))
RATES = Panel("per second", (Line("answered", 0), Line("failed", 0), Line("store reads", 0)))
SAY_EVERY = 1.0
"""Seconds between two sentences: a screen reader must be able to finish one."""


class LiveView:
    def __init__(self, plan: LoadPlan, title: str) -> None:
        self.plan = plan
        self.latency = Points()
        self.rates = Points()
        self.counted = Counted()
        self.said = 0.0
        self.chart = ChartWidget(
            title=title or f"{plan.rate:g} requests/s for {plan.seconds:g} s, skew {plan.skew:g}",
            x_label="seconds",
            panels=[LATENCY.describe(), RATES.describe()],
            columns=self._columns(),
            x_max=plan.seconds,
            status="Starting …",
        )

    def begin(self, stop: Callable[[], None]) -> None:
        def heard(_: Any, content: Any, __: Any) -> None:
            if content == {"kind": "stop"}:
                stop()

        self.chart.on_msg(heard)
        self.chart.running = True
        show: Any = display
        show(self.chart)

    def tick(self, tick: Tick) -> None:
        if tick.seconds < self.plan.tick / 2:
            return  # the rest after the last whole one: too short for a rate
        self.counted.add(tick)
        self.latency.rows.append((tick.t, tick.p50, tick.p99))
        self.rates.rows.append((tick.t, tick.answered / tick.seconds, tick.failed / tick.seconds, None))
        self.chart.columns = self._columns()
        if tick.t - self.said >= SAY_EVERY:
            self.said = tick.t
            self.chart.status = self.counted.sentence(tick.t, self.plan.seconds)

    def reading(self, before: Reading | None, reading: Reading) -> None:
        if before is None or reading.t - before.t < self.plan.tick / 2:
            return
        rate = (reading.store_reads - before.store_reads) / (reading.t - before.t)
        self.rates.rows.append((reading.t, None, None, rate))
        self.rates.rows.sort(key=lambda row: row[0] or 0.0)

    def mark(self, t: float, text: str) -> None:
        self.chart.marks = [*self.chart.marks, {"x": round(t, 2), "text": text}]

    def end(self, result: LoadResult | None) -> None:
        self.chart.columns = self._columns()
        self.chart.running = False
        if result is None:
            self.chart.status = "Interrupted: no result."
        else:
            p99 = "–" if result.p99 is None else f"{result.p99:,.0f} ms"
            ended = f"Stopped after {result.seconds:.1f} s" if result.stopped else "Done"
            self.chart.status = f"{ended}: {result.answered:,} answered, {result.failed:,} failed, p99 {p99}."
            if result.incidents:
                print("Meanwhile, in the stack:", *result.incidents, sep="\n")

    def _columns(self) -> list[list[list[float | None]]]:
        return [
            self.latency.columns(len(LATENCY.lines)),
            self.rates.columns(len(RATES.lines)),
        ]


class Counted:
    """What happened so far, in words."""

    def __init__(self) -> None:
        self.answered = 0
        self.failed = 0

    def add(self, tick: Tick) -> None:
        self.answered += tick.answered
        self.failed += tick.failed

    def sentence(self, t: float, seconds: float) -> str:
        return f"{t:.0f} of {seconds:g} s: {self.answered:,} answered, {self.failed:,} failed."
