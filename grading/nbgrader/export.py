"""Marks as CSV: one line for each submission, with the points of every requirement."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import nbformat
from nbgrader.api import Gradebook, SubmittedAssignment
from nbgrader.coursedir import CourseDirectory
from nbgrader.plugins import BasePlugin, ExportPlugin
from nbgrader.preprocessors import AssignLatePenalties

from grading.nbgrader.late import bring_up_to_date
from grading.nbgrader.preprocessor import report_of

FIRST = ("assignment", "student_id", "timestamp", "score", "max_score", "late_penalty", "needs_manual_grade")


def safe(value: object) -> str:
    """A cell of the table that a spreadsheet takes as text, also where a name begins with a formula's sign."""
    text = "" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
    return f"'{text}" if text[:1] in {"=", "+", "-", "@", "\t", "\r"} else text


def requirement_points(folder: Path) -> dict[str, float]:
    """`TEST CELL/REQUIREMENT` -> points, from the graded notebooks in `folder`."""
    points: dict[str, float] = {}
    for path in sorted(folder.glob("*.ipynb")):
        for cell in nbformat.read(path, as_version=4).cells:  # type: ignore[no-untyped-call]
            for output in cell.get("outputs", []):
                for requirement, earned in report_of(output).get("points", {}).items():
                    points[f"{cell.metadata.nbgrader.grade_id}/{requirement}"] = float(earned)
    return points


def rows(gradebook: Gradebook, coursedir: CourseDirectory, late: BasePlugin) -> Iterator[dict[str, str]]:
    """One row for each submission, ordered by assignment and student. `late`: the policy."""
    for assignment in sorted(gradebook.assignments, key=lambda a: str(a.name)):
        for submission in sorted(
            gradebook.assignment_submissions(assignment.name), key=lambda s: str(s.student_id)
        ):
            bring_up_to_date(gradebook, submission, late)
            yield _row(submission, coursedir)


def _row(submission: SubmittedAssignment, coursedir: CourseDirectory) -> dict[str, str]:
    penalty = float(submission.late_submission_penalty or 0)
    graded = coursedir.format_path(coursedir.autograded_directory, submission.student_id, submission.name)
    values = {
        "assignment": submission.name,
        "student_id": submission.student_id,
        "timestamp": submission.timestamp,
        "score": max(0.0, float(submission.score) - penalty),
        "max_score": float(submission.max_score),
        "late_penalty": penalty,
        "needs_manual_grade": "yes" if submission.needs_manual_grade else "",
        **requirement_points(Path(graded)),
    }
    return {name: safe(value) for name, value in values.items()}


class RequirementsCsv(ExportPlugin):  # type: ignore[misc]
    """`nbgrader export`: writes `grades.csv`, or what `--to` names."""

    def export(self, gradebook: Gradebook) -> None:
        coursedir = CourseDirectory(parent=self)
        late = AssignLatePenalties(parent=self).plugin_class(parent=self)
        wanted = [
            row
            for row in rows(gradebook, coursedir, late)
            if (not self.assignment or row["assignment"] in map(str, self.assignment))
            and (not self.student or row["student_id"] in map(str, self.student))
        ]
        columns = [*FIRST, *sorted({name for row in wanted for name in row} - set(FIRST))]
        with open(self.to or "grades.csv", "w", newline="", encoding="utf-8") as file:
            table = csv.DictWriter(file, columns, restval="", lineterminator="\n")
            table.writeheader()
            table.writerows(wanted)
