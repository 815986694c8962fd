"""A design as an answer: what is asked of it, one requirement at a time, each by a rule of `design_rules`.

Nothing but the text is read. A text that cannot be read earns nothing, and each line that is wrong is named.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

from grading.answers.design_load import Brief, Part, amount, cost
from grading.answers.design_rules import RULES, Drawing, Lost
from grading.answers.designs import Design, Problem, parse
from grading.judge.report import Finding, Outcome, RequirementVerdict, Verdict

SHOWN = 6
"""So many lines that are wrong are named at once."""
READ_NEXT_OF_A_TEXT = "The first lines of the exercise: a box is `name: kind`, an arrow `from -> to`."


@dataclass(frozen=True, slots=True)
class Asked:
    """One requirement. `id`: also of its rule."""

    id: str
    title: str
    points: float
    why: str
    read_next: str
    hints: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Designs:
    """An exercise of kind `design`."""

    id: str
    brief: Brief
    asked: tuple[Asked, ...]
    kind: str = "design"

    @classmethod
    def load(cls, path: Path) -> Designs:
        data = tomllib.loads(path.read_text("utf-8"))
        parts = {kind: Part(**part) for kind, part in data["parts"].items()}
        asked = tuple(Asked(**each | {"hints": tuple(each.get("hints", ()))}) for each in data["asked"])
        assert all(each.id in RULES for each in asked)
        return cls(data["id"], Brief(**data["brief"], parts=parts), asked)

    @property
    def parts(self) -> tuple[tuple[float, str, str], ...]:
        return tuple((each.points, each.id, each.title) for each in self.asked)

    def read_back(self, text: str) -> list[tuple[str, str]]:
        design, problems = parse(text)
        rows = [(f"line {each.line}", each.says) for each in problems[:SHOWN]]
        if not design.boxes:
            return [*rows, ("drawn", "nothing yet")]
        drawing = Drawing.of(design, self.brief)
        rows += [(str(box), ", ".join(_names(design, box.name)) or "asks nobody") for box in design.boxes]
        rows += [("taken as an answer", str(arrow)) for arrow in drawing.answers]
        rows.append(("costs", f"{amount(cost(design, self.brief))} {self.brief.currency} a month"))
        return rows

    def judge(self, text: str) -> Verdict:
        design, problems = parse(text)
        if problems:
            return self._unreadable(problems)
        found = self.judge_design(design)
        notes = [
            f"`{arrow}` was taken as the answer to an arrow the other way."
            for arrow in Drawing.of(design, self.brief).answers[:3]
        ]
        return self._verdict(found, notes=tuple(notes))

    def judge_design(self, design: Design) -> list[RequirementVerdict]:
        """The same rules over a drawing that was read, or is being drawn."""
        drawing = Drawing.of(design, self.brief)
        return [self._judged(each, RULES[each.id](drawing)) for each in self.asked]

    def _judged(self, asked: Asked, lost: Lost | None) -> RequirementVerdict:
        if lost is None:
            return RequirementVerdict(asked.id, asked.title, asked.points, asked.points, "pass")
        finding = Finding(lost.did, asked.title, lost.got, asked.why, asked.read_next)
        outcome: Outcome = "fail" if lost.shown else "unknown"
        return RequirementVerdict(asked.id, asked.title, 0.0, asked.points, outcome, finding, asked.hints)

    def _unreadable(self, problems: list[Problem]) -> Verdict:
        wrong = "a line" if len(problems) == 1 else f"{len(problems)} lines"
        told = "; ".join(map(str, problems[:SHOWN]))
        more = len(problems) - SHOWN
        told += f"; and {more} more" if more > 0 else ""
        finding = Finding(
            did=f"{wrong} of the cell read",
            expected="a design in boxes and arrows, line by line",
            got=told,
            why="A line that is not understood might be the one that the design hangs on.",
            read_next=READ_NEXT_OF_A_TEXT,
        )
        found = [
            RequirementVerdict(each.id, each.title, 0.0, each.points, "fail", finding) for each in self.asked
        ]
        return self._verdict(found, crashed=f"The cell cannot be read as a design: {wrong} must be mended.")

    def _verdict(
        self, found: list[RequirementVerdict], *, crashed: str | None = None, notes: tuple[str, ...] = ()
    ) -> Verdict:
        total = sum(each.points for each in self.asked)
        return Verdict(
            self.id, sum(r.points for r in found), total, "data", (), tuple(found), crashed, notes=notes
        )


def _names(design: Design, source: str) -> list[str]:
    return [f"→ {box.name}" for box in design.asked_by(source)]
