"""The class view of a course: from what was handed in, and the verdicts on file."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from grading.answers import ANSWERS
from grading.nbgrader.class_view import ClassView, Judged, view
from grading.nbgrader.lift import Component, Unusable
from grading.nbgrader.preprocessor import without_seeds
from grading.nbgrader.steps import Course, HandedIn

NOT_JUDGED = "there is no verdict: the judge failed, or `workbench course autograde` has not come to it"
NOT_GRADED = "nothing of theirs is graded yet: `workbench course autograde`"
UNTOUCHED = "every exercise is as it was released; what it begins with earns points of its own"
EVERYTHING = "all exercises"


def class_of(course: Course) -> ClassView:
    """NbGraderException if the assignment was never generated."""
    released = course.as_released()
    return view(judged(course, released), {slot: [text] for slot, text in released.items()})


def judged(course: Course, released: dict[str, str]) -> Iterator[Judged]:
    by_student: dict[str, list[HandedIn]] = defaultdict(list)
    for each in course.handed_in():
        by_student[each.student].append(each)
    for student, all_of in by_student.items():
        whole = [(each, each.lifted) for each in all_of if isinstance(each.lifted, Component)]
        # What they changed. The rest is judged for all at once, and tells nothing about one of them.
        own = [(each, component) for each, component in whole if component.source != released[each.slot]]
        if whole and all(each.judge.kept(component) is None for each, component in own or whole):
            yield Judged(student, EVERYTHING, "", None, problem=NOT_GRADED)
            continue
        if len(whole) == len(all_of) and not own:
            yield Judged(student, EVERYTHING, "", None, problem=UNTOUCHED)
        yield from one_by_one(all_of)


def one_by_one(handed_in: list[HandedIn]) -> Iterator[Judged]:
    for each in handed_in:
        if isinstance(each.lifted, Unusable):
            yield Judged(each.student, each.slot, "", None, problem=each.lifted.why)
            continue
        source = "" if each.slot in ANSWERS else each.lifted.source  # estimates are to be alike
        kept = each.judge.kept(each.lifted)
        if kept is None:
            yield Judged(each.student, each.slot, source, None, problem=NOT_JUDGED)
        else:
            yield Judged(each.student, each.slot, source, without_seeds(kept.verdict), kept.seconds)
