"""Answers: what a learner writes as data in a `%%answer ID` cell. It is parsed and judged, never executed.

    judge_answer("url-shortener/estimates", text)     # a Verdict, as for a component

Each answer has a module below this package with `EXERCISE`, an object that fulfils `Exercise`; its kind (quantities,
requirements, a design, alert rules) is a module or a package beside this one.
"""

from __future__ import annotations

from importlib import import_module
from typing import Protocol, runtime_checkable

from grading.judge.report import Verdict

ANSWERS: dict[str, str] = {
    "url-shortener/alerts": "grading.answers.url_shortener.alerts",
    "url-shortener/design": "grading.answers.url_shortener.design",
    "url-shortener/estimates": "grading.answers.url_shortener.estimates",
    "url-shortener/forecast": "grading.answers.url_shortener.forecast",
    "url-shortener/requirements": "grading.answers.url_shortener.requirements",
}
MAX_TEXT = 50_000
"""Characters of one answer."""
BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"


class Exercise(Protocol):
    """One answer that is asked for."""

    @property
    def id(self) -> str: ...

    @property
    def kind(self) -> str: ...

    @property
    def parts(self) -> tuple[tuple[float, str, str], ...]:
        """(points, id, what is asked), in order."""
        ...

    def read_back(self, text: str) -> list[tuple[str, str]]:
        """(what, as it was understood): what was written is seen to be read as it was meant, before it is judged."""
        ...

    def judge(self, text: str) -> Verdict:
        """Of a cell's text, its first line empty in place of `%%answer`. Never raises for what a learner can write."""
        ...


@runtime_checkable
class HasMore(Protocol):
    """One that keeps something back for marks."""

    def judge_for_marks(self, text: str) -> Verdict: ...


@runtime_checkable
class Prepared(Protocol):
    """One that needs much to judge by, which can be loaded beforehand."""

    def prepare(self) -> None: ...


def exercise(id: str) -> Exercise:
    """ValueError: there is none of that name."""
    if id not in ANSWERS:
        raise ValueError(f"there is no answer {id!r}; there are: {', '.join(ANSWERS)}")
    found: Exercise = import_module(ANSWERS[id]).EXERCISE
    return found


def judge_answer(id: str, text: str, *, marks: bool = False) -> Verdict:
    """`marks`: by what is kept back, too. ValueError: there is no such answer."""
    found, part = exercise(id), own_part(text[:MAX_TEXT])
    return found.judge_for_marks(part) if marks and isinstance(found, HasMore) else found.judge(part)


def own_part(text: str) -> str:
    """The text that counts: all of it. In the instructor's notebook, where the stub and the solution stand in one cell,
    it is the solution; the other lines are left empty, so that numbers of lines stay."""
    lines = text.split("\n")
    if BEGIN not in lines:
        return text
    begin = lines.index(BEGIN)
    end = lines.index(END) if END in lines else len(lines)
    return "\n".join(line if begin < number < end else "" for number, line in enumerate(lines))
