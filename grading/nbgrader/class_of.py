"""The class view of a course: from what was handed in, and the verdicts on file."""

from __future__ import annotations

from collections.abc import Iterator

from grading.answers import ANSWERS
from grading.nbgrader.class_view import ClassView, Judged, view
from grading.nbgrader.lift import Unusable
from grading.nbgrader.preprocessor import without_seeds
from grading.nbgrader.steps import Course

NOT_JUDGED = "there is no verdict: the judge failed, or `workbench course autograde` has not come to it"


def class_of(course: Course) -> ClassView:
    """NbGraderException if the assignment was never generated."""
    given = {slot: [text] for slot, text in course.as_released().items()}
    return view(judged(course), given)


def judged(course: Course) -> Iterator[Judged]:
    for each in course.handed_in():
        if isinstance(each.lifted, Unusable):
            yield Judged(each.student, each.slot, "", None, problem=each.lifted.why)
            continue
        source = "" if each.slot in ANSWERS else each.lifted.source  # estimates are to be alike
        kept = each.judge.kept(each.lifted)
        if kept is None:
            yield Judged(each.student, each.slot, source, None, problem=NOT_JUDGED)
        else:
            yield Judged(each.student, each.slot, source, without_seeds(kept.verdict), kept.seconds)
