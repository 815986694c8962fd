"""`estimate(...)`: an envelope whose assumptions can be turned, by slider or by number, while the steps follow.

A small widget in the manner of the charts; without a kernel, or on paper, the same stands there as text.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

import traitlets

from grading.answers.quantities import NotAQuantity, Quantity, digits, parse
from workbench.notebook.chart import STATIC
from workbench.notebook.sheet import Line, Sheet
from workbench.notebook.widget import Widget

SPAN = 1000.0
"""A slider goes from a thousandth of the assumption to a thousand times it, by equal factors."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """What somebody says a step comes to. `id`: of the claim."""

    id: str
    quantity: Quantity


class Estimate(Widget):
    """A sheet on the screen. `estimate["writes"]`: what a step comes to now."""

    _esm = "\n".join((STATIC / name).read_text("utf-8") for name in ("parts.js", "estimate.js"))
    _css = (STATIC / "estimate.css").read_text("utf-8")

    title = traitlets.Unicode().tag(sync=True)
    assumptions: Any = traitlets.List().tag(sync=True)
    lines: Any = traitlets.List().tag(sync=True)
    status = traitlets.Unicode().tag(sync=True)

    def __init__(self, title: str, sheet: Sheet, claims: Mapping[str, Claimed]) -> None:
        super().__init__(title=title)
        self.sheet = sheet
        self.claims = dict(claims)
        self.first = dict(sheet.assumptions)
        self._show("")
        self.on_msg(self._told)

    def __getitem__(self, name: str) -> Quantity:
        return self.sheet[name]

    def assume(self, name: str, value: float) -> None:
        """As the slider does. ValueError: no such assumption, or no number above 0."""
        self.sheet.assume(name, value)
        self._show(f"{name} is {self.sheet[name]}")

    def _told(self, _: Any, message: Any, __: Any) -> None:
        """From the page: {"kind": "set", "name": …, "value": …} or {"kind": "reset"}."""
        if not isinstance(message, dict):
            return
        if message.get("kind") == "reset":
            self.sheet.assumptions = dict(self.first)
            self._show("As at the beginning")
        elif message.get("kind") == "set":
            try:
                self.assume(str(message.get("name")), message.get("value"))  # type: ignore[arg-type]
            except ValueError as error:
                self._show(str(error))

    def _show(self, what: str) -> None:
        self.assumptions = [
            {
                "name": name,
                "label": name.replace("_", " "),
                "unit": quantity.unit,
                "value": quantity.middle,
                "low": math.log10(self.first[name].middle / SPAN),
                "high": 2.0 if quantity.unit == "%" else math.log10(self.first[name].middle * SPAN),
                "words": digits(quantity.middle) if quantity.middle >= 10_000 else "",
            }
            for name, quantity in self.sheet.assumptions.items()
        ]
        found = self.sheet.lines()
        self.lines = [self._described(line) for line in found]
        last = found[-1]
        outcome = f"{last.step.name} = {last.value}" if last.value is not None else last.problem
        self.status = f"{what}: {outcome}" if what else ""

    def _described(self, line: Line) -> dict[str, Any]:
        claimed = self.claims.get(line.step.name)
        return {
            "name": line.step.name,
            "names": line.in_names,
            "values": line.in_values if line.in_values != line.in_names else "",
            "value": str(line.value) if line.value is not None else "",
            "problem": line.problem,
            "claim": self._beside(claimed, line) if claimed is not None else "",
        }

    def _beside(self, claimed: Claimed, line: Line) -> str:
        said = f"claimed: {claimed.quantity} ({claimed.id})"
        if line.value is None:
            return said
        return f"{said}; {compared(claimed.quantity.in_unit(line.value.unit).middle, line.value.middle)}"

    def text(self) -> str:
        rows = [self.title, str(self.sheet)]
        rows += [f"{line['name']}: {line['claim']}" for line in self.lines if line["claim"]]
        return "\n".join(rows)

    __str__ = text

    def html(self) -> str:
        """For where there is no kernel behind the page."""
        return f"<pre>{escape(self.text())}</pre>"

    def otherwise(self) -> dict[str, str]:
        return {"text/plain": self.text()}


def compared(claimed: float, found: float) -> str:
    """`the claim is 3.7 % too high`, `… 91 times too high`."""
    if not found or not claimed:
        return ""
    ratio = claimed / found
    if abs(ratio - 1) < 0.005:
        return "the same"
    if 0.5 < ratio < 2:
        return f"the claim is {digits(abs(ratio - 1) * 100)} % too {'high' if ratio > 1 else 'low'}"
    return f"the claim is {digits(max(ratio, 1 / ratio))} times too {'high' if ratio > 1 else 'low'}"


def estimate(
    title: str,
    assume: Mapping[str, str | Quantity],
    steps: str,
    *,
    claims: Mapping[str, tuple[str, str]] | None = None,
) -> Estimate:
    """An envelope to play with.

        estimate(
            "How many links are made?",
            assume={"new_links": "100 million links", "month": "30 days"},
            steps="writes = new_links / month [links/s]",
            claims={"writes": ("url-est-writes-per-second", "40 links/s")},
        )

    `assume`: a name and a quantity, or what another estimate found (`traffic["reads"]`). `steps`: lines of
    `name = formula [unit]`, each of what stands above it. `claims`: what is said of a step: a claim's id, a value.
    ValueError: a quantity or a step that cannot be read.
    """
    sheet = Sheet(assume, steps)
    said = {name: Claimed(id, parse(value)) for name, (id, value) in (claims or {}).items()}
    for name, claimed in said.items():
        if name not in {step.name for step in sheet.steps}:
            raise ValueError(f"{claimed.id} is said of {name!r}, and no step has that name")
        try:
            claimed.quantity.in_unit(sheet[name].unit)
        except NotAQuantity as error:
            raise ValueError(f"{claimed.id}: {error}") from None
    return Estimate(title, sheet, said)
