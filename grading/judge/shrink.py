"""The smallest counterexample: leave out what is not needed for the failure, by running again.

Delta debugging over operations, then faults, then the disorder of latencies; a counted number of runs.
A. Zeller, R. Hildebrandt, "Simplifying and Isolating Failure-Inducing Input", IEEE TSE 2002.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from grading.judge.plan import Plan
from grading.judge.wording import FEW

RUNS = 30
QUESTION_RUNS = 40
"""More of them, where pure methods are asked many things: such runs are short."""
COUNTED = 100
"""Questions from which on it is given up if neither half of them can be left out."""
VALUE_RUNS = 80
"""More of them, where the few questions that are left may be asked about simpler values."""


def shrink(plan: Plan, fails: Callable[[Plan], bool], runs: int = RUNS) -> Plan:
    """A smaller plan for which `fails` still holds; `fails` is asked at most `runs` times."""
    left = runs

    def attempt(smaller: Plan) -> bool:
        nonlocal left
        if left == 0 or smaller == plan:
            return False
        left -= 1
        return fails(smaller)

    size = max(1, len(plan.ops) // 2)
    while left:
        shrunk = False
        start = 0
        while start < len(plan.ops) and left:
            chunk = {op.name for op in plan.ops[start : start + size]}
            smaller = plan.without(chunk)
            if smaller.ops and attempt(smaller):
                plan, shrunk = smaller, True
            else:
                start += size
        if size == 1 and not shrunk:
            break
        if not shrunk:
            size = max(1, size // 2)
    if any(op.do == "each" for op in plan.ops):
        left += QUESTION_RUNS
        plan = _fewer_questions(plan, attempt)
        if plan.facts.get("simpler") and sum(len(op.args) for op in plan.ops if op.do == "each") <= FEW:
            left += VALUE_RUNS
            plan = _simpler_values(plan, attempt)
    for fault in plan.faults:
        smaller = replace(plan, faults=tuple(each for each in plan.faults if each is not fault))
        if attempt(smaller):
            plan = smaller
    codes = {arg for op in plan.ops for arg in op.args if isinstance(arg, str)}
    fewer = replace(plan, rows=tuple(row for row in plan.rows if row["code"] in codes), calm=True)
    if attempt(fewer):
        plan = fewer
    return plan


def _fewer_questions(plan: Plan, attempt: Callable[[Plan], bool]) -> Plan:
    """Of operations that ask a pure method many things: without those that are not needed."""
    for index, op in enumerate(plan.ops):
        size = len(op.args) // 2 if op.do == "each" else 0
        while size:
            before, start = len(op.args), 0
            while start < len(op.args):
                kept = op.args[:start] + op.args[start + size :]
                smaller = replace(op, args=kept)
                candidate = replace(plan, ops=(*plan.ops[:index], smaller, *plan.ops[index + 1 :]))
                if kept and attempt(candidate):
                    plan, op = candidate, smaller
                else:
                    start += size
            if len(op.args) == before and before > COUNTED:
                break  # they are counted, it seems, and all needed
            size = min(size, len(op.args)) // 2
    return plan


def _simpler_values(plan: Plan, attempt: Callable[[Plan], bool]) -> Plan:
    """With smaller numbers and shorter texts in what is asked. A plan asks for it by its fact "simpler"."""
    again = True
    while again:
        again = False
        for candidate in _simpler_plans(plan):
            if attempt(candidate):
                plan, again = candidate, True
                break
    return plan


def _simpler_plans(plan: Plan) -> Iterator[Plan]:
    """Each has one value that is simpler, the simplest first."""
    for index, op in enumerate(plan.ops):
        for asked, question in enumerate(op.args if op.do == "each" else ()):
            for place, value in enumerate(question):
                for simpler in simpler_values(value):
                    other = [*question[:place], simpler, *question[place + 1 :]]
                    args = (*op.args[:asked], other, *op.args[asked + 1 :])
                    yield replace(
                        plan, ops=(*plan.ops[:index], replace(op, args=args), *plan.ops[index + 1 :])
                    )


def simpler_values(value: Any) -> list[Any]:
    """Numbers nearer to 0, which is none of them, with its sign; texts with fewer symbols, which are not empty."""
    if isinstance(value, str):
        halves = [value[: len(value) // 2], value[len(value) // 2 :]]
        return [text for text in (*halves, *(value[:n] + value[n + 1 :] for n in range(len(value)))) if text]
    if isinstance(value, bool) or not isinstance(value, int):
        return []
    size, sign = abs(value), -1 if value < 0 else 1
    bits = size.bit_length()
    shorter = [size >> by for by in (bits // 2, bits // 4, bits // 8, 1)]
    top = 1 << max(0, bits - 1)
    found = dict.fromkeys([1, *shorter, top, top + 1, top + (size - top) // 2, size - 1])
    return [sign * each for each in found if 0 < each < size]
