"""Second pass over a submission: the judge's verdict becomes the result of each test cell.

nbgrader's rule for a test cell is kept to: its first `execute_result` is the number of points. A second output
carries the report. All other outputs go, so that nothing a learner wrote can pass for either.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from html import escape
from pathlib import Path
from typing import Any

from nbformat.notebooknode import NotebookNode
from nbformat.v4 import new_output
from nbgrader import utils
from nbgrader.api import Grade
from nbgrader.preprocessors import NbGraderPreprocessor, SaveAutoGrades
from traitlets import Float, List, Unicode

from grading.judge.report import RequirementVerdict, Verdict
from grading.nbgrader.judging import WALL_LIMIT, Judge, JudgeFailed, judge_ahead
from grading.nbgrader.lift import Component, Misconfigured, Unusable, given, lift, slots
from grading.nbgrader.restore import NOTES, Resources, released_cells
from grading.nbgrader.safe import plain
from grading.nbgrader.seeds import learner_seeds, released_seeds
from grading.nbgrader.verdicts import Verdicts

MARK = "workbench"
"""Key in the metadata of the report's output: `{"points": {requirement: points}, "review": bool}`."""


@dataclass(frozen=True, slots=True)
class Mark:
    """What a test cell gets. `review`: the judge gave no verdict, so a person has to decide."""

    points: float
    text: str
    html: str
    by_requirement: dict[str, float] = field(default_factory=dict)
    review: bool = False

    def outputs(self) -> list[NotebookNode]:
        """The number, then the report."""
        number = new_output("execute_result", {"text/plain": f"{self.points:g}"}, execution_count=1)  # type: ignore[no-untyped-call]
        report = new_output(  # type: ignore[no-untyped-call]
            "display_data",
            {"text/plain": plain(self.text), "text/html": plain(self.html)},
            metadata={MARK: {"points": self.by_requirement, "review": self.review}},
        )
        return [number, report]


def mark_of(verdict: Verdict, notes: list[str]) -> Mark:
    """The mark for a verdict. The report names no seed: those of marks are secret."""
    verdict = without_seeds(verdict)
    return Mark(
        points=verdict.points,
        text="\n".join([*_lines(notes), verdict.text()]),
        html=_paragraphs(notes) + verdict.html(),
        by_requirement={r.id: r.points for r in verdict.requirements},
    )


def without_seeds(verdict: Verdict) -> Verdict:
    """The same verdict, and it is not said which seeds it comes from, only how many they were."""

    def hidden(requirement: RequirementVerdict) -> RequirementVerdict:
        finding = requirement.finding
        if finding is None or finding.counterexample is None:
            return requirement
        example = replace(finding.counterexample, seed=None)
        return replace(requirement, finding=replace(finding, counterexample=example))

    return replace(
        verdict,
        seeds=(0,) * len(verdict.seeds),
        requirements=tuple(hidden(each) for each in verdict.requirements),
    )


def no_mark(why: str, max_points: float, notes: list[str], review: bool = False) -> Mark:
    """Nothing to judge, or no verdict: no points, and the reason."""
    said = f"0 of {max_points:g} points. {why}"
    return Mark(
        points=0.0,
        text="\n".join([said, *_lines(notes)]),
        html=_paragraphs([said, *notes]),
        review=review,
    )


def _lines(notes: list[str]) -> list[str]:
    return [f"Note: {note}" for note in notes]


def _paragraphs(texts: list[str]) -> str:
    return "".join(f"<p>{escape(text)}</p>" for text in texts)


class JudgeComponents(NbGraderPreprocessor):  # type: ignore[misc]
    """nbgrader preprocessor in the place of `Execute`: runs no cell, and asks the judge about each test cell."""

    command = List(Unicode(), help="The judge's command line; empty: the one that is installed.").tag(
        config=True
    )
    work = Unicode(help="The course's work folder: the secret seeds are kept there.").tag(config=True)
    wall_limit = Float(WALL_LIMIT, help="Seconds that one run of the judge may take; a last resort.").tag(
        config=True
    )
    verdicts = Unicode("", help="A folder for verdicts, which are not decided twice; none if empty.").tag(
        config=True
    )

    def preprocess(self, nb: NotebookNode, resources: Resources) -> tuple[NotebookNode, Resources]:
        about = resources["nbgrader"]
        released = {
            c.grade_id: c for c in released_cells(about["db_url"], about["assignment"], about["notebook"])
        }
        texts = given(list(released.values()))
        lifted = {test: lift(nb, test, slot) for test, slot in slots(list(released.values())).items()}
        judges = {test: self.judge_of(about["student"], each, texts[test]) for test, each in lifted.items()}
        if self.verdicts:  # several at once, where they can be put on file
            asked = [(judges[test], each) for test, each in lifted.items() if isinstance(each, Component)]
            for _ in judge_ahead(asked):
                pass
        notes = list(nb.metadata.get(NOTES, {}).get("mended", []))
        for cell in nb.cells:
            if cell.cell_type != "code":
                continue
            cell.outputs, cell.execution_count = [], None
            if utils.is_grade(cell) and not utils.is_solution(cell):
                test_id = cell.metadata.nbgrader["grade_id"]
                points = released[test_id].points or 0.0
                mark = self._mark(judges[test_id], lifted[test_id], points, notes)
                self.log.info("%s: %s: %g of %g points", about["student"], test_id, mark.points, points)
                cell.outputs = mark.outputs()
        return nb, resources

    def _mark(self, judge: Judge, lifted: Component | Unusable, max_points: float, notes: list[str]) -> Mark:
        if isinstance(lifted, Unusable):
            return no_mark(lifted.why, max_points, notes)
        try:
            verdict = judge.verdict(lifted)
        except JudgeFailed as failure:
            self.log.error("no verdict, a person has to decide: %s", failure)
            why = "The judge could not decide this component; your instructor will look at it."
            return no_mark(why, max_points, notes, review=True)
        if verdict.max_points != max_points:
            raise Misconfigured(
                f"the test cell is worth {max_points:g} points, the judge gives {verdict.max_points:g}"
            )
        return mark_of(verdict, notes)

    def judge_of(self, student: str, lifted: Component | Unusable, text: str) -> Judge:
        """The judge, with this student's seeds. `text`: what learners got; who left it so has everybody's seeds."""
        work = Path(self.work)
        untouched = isinstance(lifted, Component) and lifted.source == text
        return Judge(
            seeds=released_seeds(work) if untouched else learner_seeds(work, student),
            command=self.command,
            wall_limit=self.wall_limit,
            verdicts=Verdicts(Path(self.verdicts)) if self.verdicts else None,
        )


class SaveMarks(SaveAutoGrades):  # type: ignore[misc]
    """nbgrader's own step; and where the judge gave no verdict, the formgrader shows the cell as still to be graded."""

    def _add_score(self, cell: NotebookNode, resources: Resources) -> None:
        super()._add_score(cell, resources)
        if any(report_of(output).get("review") for output in cell.get("outputs", [])):
            about = (
                cell.metadata["nbgrader"]["grade_id"],
                self.notebook_id,
                self.assignment_id,
                self.student_id,
            )
            self.gradebook.find_grade(*about).needs_manual_grade = True
            self.gradebook.db.commit()


def unmarked(grade: Grade) -> bool:
    """Whether it is a person's to give, and nobody has given it yet."""
    return bool(grade.needs_manual_grade and grade.auto_score is None and grade.manual_score is None)


def report_of(output: NotebookNode) -> dict[str, Any]:
    """What `Mark.outputs` noted with a report; empty for any other output."""
    return dict(output.get("metadata", {}).get(MARK, {}))
