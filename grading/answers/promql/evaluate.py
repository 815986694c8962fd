"""What an expression comes to over the samples of a run."""

from __future__ import annotations

from collections.abc import Mapping

from grading.answers.promql import functions, matching, windows
from grading.answers.promql.syntax import (
    Aggregate,
    Binary,
    Call,
    Expression,
    Matcher,
    Negative,
    Number,
    Selector,
)
from grading.answers.promql.values import Column, Labels, NoValue, Scalar, Value, Vector, merged, nameless

MAX_WORK = 80_000
"""Values that one expression may look at in one run. The solution needs a third of that at most."""


class TooMuch(NoValue):
    """The expression looks at more values than it may."""


class Samples:
    """What was scraped: a column for each series, all of them `seconds` long, a value a second. None: the scrape had it
    not."""

    def __init__(self, series: Mapping[Labels, Column], seconds: int) -> None:
        self.series = series
        self.seconds = seconds
        self._by_label = [(labels, dict(labels)) for labels in series]
        self._found: dict[tuple[tuple[str, str, str], ...], list[Labels]] = {}

    def select(self, matchers: tuple[Matcher, ...]) -> list[Labels]:
        key = tuple((each.label, each.sign, each.value) for each in matchers)
        if key not in self._found:
            self._found[key] = [
                labels
                for labels, told in self._by_label
                if all(each(told.get(each.label, "")) for each in matchers)
            ]
        return self._found[key]


def evaluate(found: Expression, samples: Samples) -> Value:
    """NoValue: it makes no sense for these samples. TooMuch: it would take too long."""
    return _Evaluation(samples).value(found)


class _Evaluation:
    def __init__(self, samples: Samples) -> None:
        self.samples = samples
        self.seconds = samples.seconds
        self.work = 0

    def pay(self, columns: int, each: float = 1.0) -> None:
        self.work += int(columns * self.seconds * each)
        if self.work > MAX_WORK:
            raise TooMuch(
                "it looks at too many series at once: name metrics and labels, and sum before comparing"
            )

    def value(self, found: Expression) -> Value:
        match found:
            case Number():
                return Scalar([found.value] * self.seconds)
            case Selector():
                return self.instant(found)
            case Call():
                return self.call(found)
            case Negative():
                return self.negative(self.value(found.of))
            case Aggregate():
                vector = self.vector(found.of)
                self.pay(len(vector))
                return functions.aggregate(found.operator, vector, found.labels, found.by)
            case Binary():
                left, right = self.value(found.left), self.value(found.right)
                self.pay(sum(len(each) if isinstance(each, dict) else 1 for each in (left, right)))
                return matching.apply(found, left, right)

    def vector(self, found: Expression) -> Vector:
        value = self.value(found)
        assert isinstance(value, dict)
        return value

    def scalar(self, found: Expression) -> Scalar:
        value = self.value(found)
        assert isinstance(value, Scalar)
        return value

    def instant(self, found: Selector) -> Vector:
        """What the scrape of that second told, or the one `offset` seconds before."""
        chosen = self.samples.select(found.matchers)
        self.pay(len(chosen))
        back = min(int(found.offset), self.seconds)
        return {labels: [*[None] * back, *self.samples.series[labels]][: self.seconds] for labels in chosen}

    def ranged(self, found: Expression, function: windows.Function, keep_name: bool = False) -> Vector:
        assert isinstance(found, Selector)
        assert found.range is not None
        chosen = self.samples.select(found.matchers)
        # Those that look at each sample of a range cost as much as it holds.
        self.pay(len(chosen), 2.0 if function in QUICK else 2.0 + found.range / 10)
        columns = (
            (
                labels if keep_name else nameless(labels),
                windows.over(self.samples.series[labels], found.range, found.offset, function),
            )
            for labels in chosen
        )
        return merged(columns, "a function of a range")

    def negative(self, value: Value) -> Value:
        if isinstance(value, Scalar):
            return Scalar([-each for each in value.values])
        return functions.each(value, lambda each: -each)

    def call(self, found: Call) -> Value:
        if found.name == "vector":
            return {(): list(self.scalar(found.arguments[0]).values)}
        if found.name in windows.FUNCTIONS:
            last = found.name == "last_over_time"
            return self.ranged(found.arguments[0], windows.FUNCTIONS[found.name], keep_name=last)
        if found.name == "absent_over_time":
            there = self.ranged(found.arguments[0], windows.FUNCTIONS["count_over_time"], keep_name=True)
            return functions.absent(there, found.arguments[0], self.seconds)
        if found.name == "histogram_quantile":
            share, buckets = self.scalar(found.arguments[0]), self.vector(found.arguments[1])
            self.pay(len(buckets), 3.0)
            return functions.histogram_quantile(share, buckets)
        vector = self.vector(found.arguments[0])
        self.pay(len(vector))
        if found.name == "scalar":
            return functions.scalar(vector, self.seconds)
        if found.name == "absent":
            return functions.absent(vector, found.arguments[0], self.seconds)
        if found.name in ("clamp_min", "clamp_max"):
            limit = self.scalar(found.arguments[1])
            return functions.clamped(vector, limit, max if found.name == "clamp_min" else min)
        return functions.each(vector, functions.EACH[found.name])


QUICK = (windows.increase, windows.rate, windows.delta, windows.irate)
