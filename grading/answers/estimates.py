"""Estimates as an answer: for each asked quantity a number or a range, judged by unit, magnitude and tolerance.

Points of a quantity: a quarter for its kind of unit, a quarter more for the order of magnitude, all of them within the
tolerance. Nothing but the text is read; the right value is computed here, from the brief's own numbers.
"""

from __future__ import annotations

import math
import tomllib
from dataclasses import dataclass
from pathlib import Path

from grading.answers.formula import evaluate
from grading.answers.quantities import NotAQuantity, Quantity, conversion, digits, parse
from grading.answers.reading import Answered, Unreadable, read
from grading.judge.report import Finding, RequirementVerdict, Verdict

BLANK = "?"
WIDEST = 3.0
"""A range is an estimate if its ends differ by this factor at most."""


EXACT = 0.01
"""A tolerance up to this one: what can be counted, and is not to be estimated."""


@dataclass(frozen=True, slots=True)
class Slip:
    """A mistake that many make, known by its result."""

    formula: str
    says: str


@dataclass(frozen=True, slots=True)
class Asked:
    """One quantity. `formula`: over the brief's numbers. `tolerance`: relative, 0.1 for ten per cent."""

    id: str
    title: str
    points: float
    unit: str
    formula: str
    why: str
    read_next: str
    tolerance: float = 0.1
    slips: tuple[Slip, ...] = ()
    hints: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Estimates:
    """An exercise of kind `quantities`. `given`: name to quantity, what the brief states."""

    id: str
    given: dict[str, str]
    asked: tuple[Asked, ...]
    kind: str = "quantities"

    @classmethod
    def load(cls, path: Path) -> Estimates:
        data = tomllib.loads(path.read_text("utf-8"))
        asked = [
            Asked(
                **each
                | {
                    "slips": tuple(Slip(**s) for s in each.get("slips", ())),
                    "hints": tuple(each.get("hints", ())),
                }
            )
            for each in data["asked"]
        ]
        return cls(data["id"], data["given"], tuple(asked))

    @property
    def parts(self) -> tuple[tuple[float, str, str], ...]:
        return tuple((each.points, each.id, each.title) for each in self.asked)

    def right(self, formula: str, unit: str) -> float:
        """The value of a formula over the given numbers, in `unit`."""
        found = evaluate(formula, {name: parse(text) for name, text in self.given.items()})
        return found.in_unit(unit).low

    def read_back(self, text: str) -> list[tuple[str, str]]:
        try:
            answered = read(text)
        except Unreadable as error:
            return [("not readable", str(error))]
        return [(each.id, self._read(each, answered.values.get(each.id, BLANK))) for each in self.asked]

    def _read(self, asked: Asked, value: object) -> str:
        found = understood(value, asked.unit)
        if not isinstance(found, Quantity):
            return found or "no answer yet"
        return str(found) if found.unit == asked.unit else f"{found} = {found.in_unit(asked.unit)}"

    def judge(self, text: str) -> Verdict:
        try:
            answered = read(text)
        except Unreadable as error:
            return self._verdict(
                [self._lost(each, "", str(error)) for each in self.asked], crashed=str(error)
            )
        return self._verdict([self._judged(each, answered) for each in self.asked], self._unknown(answered))

    def _verdict(
        self, found: list[RequirementVerdict], notes: tuple[str, ...] = (), crashed: str | None = None
    ) -> Verdict:
        if crashed is not None:
            crashed = f"The cell cannot be read as an answer: {crashed}"
            found = [RequirementVerdict(r.id, r.title, 0.0, r.max_points, "fail") for r in found]
        total = sum(each.points for each in self.asked)
        return Verdict(
            self.id, sum(r.points for r in found), total, "data", (), tuple(found), crashed, notes=notes
        )

    def _unknown(self, answered: Answered) -> tuple[str, ...]:
        names = {each.id for each in self.asked}
        strange = [name for name in answered.values if name not in names]
        return tuple(f"Nobody asked for `{name}` ({answered.at(name)})." for name in strange[:5])

    def _judged(self, asked: Asked, answered: Answered) -> RequirementVerdict:
        value = written(answered.values.get(asked.id, BLANK))
        if value in ("", BLANK):
            return self._lost(asked, "", "no answer yet")
        wrote = f"{asked.id} = {value!r} ({answered.at(asked.id)})"
        try:
            quantity = parse(value)
            conversion(quantity.unit, asked.unit)
        except NotAQuantity as error:
            return self._lost(asked, wrote, str(error))
        return self._compared(asked, wrote, quantity.in_unit(asked.unit))

    def _compared(self, asked: Asked, wrote: str, quantity: Quantity) -> RequirementVerdict:
        right = self.right(asked.formula, asked.unit)
        if quantity.low > 0 and quantity.high / quantity.low > WIDEST:
            wide = (
                f"a range of a factor {digits(quantity.high / quantity.low)}; up to {WIDEST:g} is an estimate"
            )
            return self._lost(asked, wrote, wide, asked.points / 4)
        if asked.tolerance <= EXACT and quantity.high > quantity.low:
            return self._lost(asked, wrote, "a range; this one can be counted", asked.points / 4)
        slack = 1 + asked.tolerance
        if quantity.low / slack <= right <= quantity.high * slack:
            return RequirementVerdict(asked.id, asked.title, asked.points, asked.points, "pass")
        near = quantity.middle > 0 and abs(math.log10(quantity.middle / right)) < 0.5
        earned = asked.points / 2 if near else asked.points / 4
        return self._lost(asked, wrote, self._off(asked, quantity, right), earned)

    def _off(self, asked: Asked, quantity: Quantity, right: float) -> str:
        for slip in asked.slips:
            if math.isclose(self.right(slip.formula, asked.unit), quantity.middle, rel_tol=0.03):
                return f"{quantity}. {slip.says}"
        if quantity.middle <= 0:
            return f"{quantity}: it must be more than nothing"
        factor = quantity.middle / right
        much = "too much" if factor > 1 else "too little"
        return f"{quantity}, {much} by a factor of {digits(max(factor, 1 / factor))}"

    def _form(self, asked: Asked) -> str:
        return "a number" if asked.tolerance <= EXACT else "a number or a range"

    def _close(self, asked: Asked) -> str:
        return "exact" if asked.tolerance <= EXACT else f"right to within {100 * asked.tolerance:g} %"

    def _lost(self, asked: Asked, wrote: str, got: str, earned: float = 0.0) -> RequirementVerdict:
        finding = Finding(
            did=wrote,
            expected=f"{self._form(asked)}, and a unit such as {asked.unit}; {self._close(asked)}",
            got=got,
            why=asked.why,
            read_next=asked.read_next,
        )
        return RequirementVerdict(asked.id, asked.title, earned, asked.points, "fail", finding, asked.hints)


def understood(value: object, unit: str) -> Quantity | str:
    """A quantity that can be given in `unit`; or what is wrong with it, "" where nothing was written."""
    text = written(value)
    if text in ("", BLANK):
        return ""
    try:
        quantity = parse(text)
        conversion(quantity.unit, unit)
    except NotAQuantity as error:
        return str(error)
    return quantity


def written(value: object) -> str:
    """What was put behind the `=`, as text: a bare number counts, too."""
    return value.strip() if isinstance(value, str) else "" if isinstance(value, bool) else f"{value!r}"


def template(exercise: Estimates) -> str:
    """The cell as a learner gets it, below its first line."""
    width = max(len(each.id) for each in exercise.asked)
    return "".join(f'{each.id:<{width}} = "{BLANK}"  # {each.title}\n' for each in exercise.asked)
