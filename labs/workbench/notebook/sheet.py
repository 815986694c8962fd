"""A calculation on the back of an envelope: assumptions with units, and steps that follow from them line by line.

sheet = Sheet(
    {"new_links": "100 million links", "month": "30 days"},
    "writes = new_links / month [links/s]",
)
sheet["writes"]                          # Quantity(38.58..., 'links/s')
sheet.assume("new_links", 1e9)           # all that follows changes
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from grading.answers.formula import BadFormula, evaluate, names, written
from grading.answers.quantities import NotAQuantity, Quantity, parse

_STEP = re.compile(r"\s*(?P<name>[a-z_][a-z0-9_]*)\s*=\s*(?P<formula>[^\[\]]+?)\s*\[(?P<unit>[^\]]*)\]\s*")


@dataclass(frozen=True, slots=True)
class Step:
    """One line: `name = formula`, shown in `unit`."""

    name: str
    formula: str
    unit: str


@dataclass(frozen=True, slots=True)
class Line:
    """A step that was worked out. `problem`: why it could not be."""

    step: Step
    in_names: str
    in_values: str
    value: Quantity | None
    problem: str = ""

    def __str__(self) -> str:
        end = f"= {self.value}" if self.value is not None else f"? {self.problem}"
        return f"{self.step.name} = {self.in_names}\n    = {self.in_values}\n    {end}"


class Sheet:
    """`assumptions`: name to quantity as text, or to a Quantity that another sheet found.

    ValueError where a step cannot be read, uses what is not there yet, or adds links to seconds.
    """

    def __init__(self, assumptions: Mapping[str, str | Quantity], steps: str) -> None:
        self.assumptions = {name: parse(q) if isinstance(q, str) else q for name, q in assumptions.items()}
        self.steps = [_step(line) for line in steps.strip().splitlines() if line.strip()]
        known = set(self.assumptions)
        for step in self.steps:
            if missing := [name for name in names(step.formula) if name not in known]:
                raise BadFormula(f"{step.name} uses {missing[0]!r}, which stands nowhere above it")
            known.add(step.name)
        for line in self.lines():
            if line.problem:
                raise BadFormula(f"{line.step.name}: {line.problem}")

    def assume(self, name: str, value: float) -> None:
        """Another value for an assumption, in its own unit. ValueError: no such assumption, no number above 0, or a
        share above 100 %."""
        if name not in self.assumptions:
            raise ValueError(f"{name!r} is not assumed here; there are: {', '.join(self.assumptions)}")
        if value is None:
            raise ValueError("there is nothing in the field: write a number above 0")
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1e30:
            raise ValueError(f"{value!r} is no number above 0")
        if self.assumptions[name].unit == "%" and value > 100:
            raise ValueError(f"{value:g} % is more than all there is")
        self.assumptions[name] = Quantity(float(value), float(value), self.assumptions[name].unit)

    def lines(self) -> list[Line]:
        """All steps, worked out with the assumptions as they are now."""
        found = dict(self.assumptions)
        lines = []
        for step in self.steps:
            texts = {name: str(quantity) for name, quantity in found.items()}
            in_names, in_values = written(step.formula, {}), written(step.formula, texts)
            try:
                value = evaluate(step.formula, found).in_unit(step.unit)
            except (BadFormula, NotAQuantity) as error:
                lines.append(Line(step, in_names, in_values, None, str(error)))
                break
            found[step.name] = value
            lines.append(Line(step, in_names, in_values, value))
        return lines

    def __getitem__(self, name: str) -> Quantity:
        """An assumption, or what a step found. KeyError: neither."""
        if name in self.assumptions:
            return self.assumptions[name]
        for line in self.lines():
            if line.step.name == name and line.value is not None:
                return line.value
        raise KeyError(name)

    def __str__(self) -> str:
        given = [f"{name} = {quantity}" for name, quantity in self.assumptions.items()]
        return "\n".join(["assumed:", *(f"    {each}" for each in given), *map(str, self.lines())])


def _step(line: str) -> Step:
    found = _STEP.fullmatch(line)
    if found is None:
        raise BadFormula(f"{line.strip()!r} is no step; write such as: writes = new_links / month [links/s]")
    return Step(found["name"], found["formula"], found["unit"].strip())
