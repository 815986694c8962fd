"""What an instructor wants to know of a class: where it lost its points, by which mistakes, and what needs a look."""

from __future__ import annotations

import csv
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, fields
from pathlib import Path
from statistics import median
from typing import Any

from grading.judge.report import Finding, RequirementVerdict, Verdict
from grading.nbgrader.export import safe
from grading.nbgrader.similar import pairs


@dataclass(frozen=True, slots=True)
class Judged:
    """One exercise of one learner. `verdict`: None if there is none; then `problem` says why. `seconds`: of judging."""

    student: str
    exercise: str
    source: str
    verdict: Verdict | None
    seconds: float | None = None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Requirement:
    """How the class did on one requirement. Counts are learners; points are means."""

    exercise: str
    requirement: str
    title: str
    passed: int
    failed: int
    unknown: int
    points: float
    max_points: float


@dataclass(frozen=True, slots=True)
class Learner:
    """One learner over all exercises that are judged, without what the rubric gives and a late day takes. `lost`: the
    exercises that cost points, the dearest first."""

    student: str
    judged: int
    points: float
    max_points: float
    lost: str


@dataclass(frozen=True, slots=True)
class Idea:
    """A mistake that `students` share. `expected`, `got`, `run`: of the shortest counterexample among theirs."""

    exercise: str
    requirement: str
    learners: int
    expected: str
    got: str
    run: str
    students: str


@dataclass(frozen=True, slots=True)
class Look:
    """Something that a person has to look at."""

    exercise: str
    student: str
    requirement: str
    why: str


@dataclass(frozen=True, slots=True)
class Alike:
    """Two components that are nearly one text; a reason to look, no proof."""

    exercise: str
    one: str
    other: str
    per_cent: int


@dataclass(frozen=True, slots=True)
class Took:
    """Seconds that the judge took for one exercise of one learner."""

    exercise: str
    judged: int
    median_s: float
    longest_s: float
    longest: str


@dataclass(frozen=True, slots=True)
class ClassView:
    """All tables. `learners`: who handed something in."""

    learners: tuple[str, ...]
    each: tuple[Learner, ...]
    requirements: tuple[Requirement, ...]
    ideas: tuple[Idea, ...]
    looks: tuple[Look, ...]
    alike: tuple[Alike, ...]
    took: tuple[Took, ...]

    def tables(self) -> dict[str, tuple[type, tuple[Any, ...]]]:
        """Name -> what a row is, and the rows."""
        return {
            "learners": (Learner, self.each),
            "requirements": (Requirement, self.requirements),
            "ideas": (Idea, self.ideas),
            "to-look-at": (Look, self.looks),
            "alike": (Alike, self.alike),
            "judging": (Took, self.took),
        }

    def write(self, folder: Path) -> list[Path]:
        """Each table as CSV, in `folder`."""
        folder.mkdir(parents=True, exist_ok=True)
        written = []
        for name, (kind, rows) in self.tables().items():
            path = folder / f"{name}.csv"
            with open(path, "w", newline="", encoding="utf-8") as file:
                table = csv.writer(file, lineterminator="\n")
                columns = [each.name for each in fields(kind)]
                table.writerow(columns)
                table.writerows([safe(getattr(row, column)) for column in columns] for row in rows)
            written.append(path)
        return written


def view(judged: Iterable[Judged], given: dict[str, list[str]] | None = None) -> ClassView:
    """`given`: exercise -> sources that all could copy from, which make nobody alike."""
    all_of = sorted(judged, key=lambda each: (each.exercise, each.student))
    by_exercise: dict[str, list[Judged]] = defaultdict(list)
    for each in all_of:
        by_exercise[each.exercise].append(each)
    return ClassView(
        learners=tuple(sorted({each.student for each in all_of})),
        each=tuple(_learners(all_of)),
        requirements=tuple(row for name, group in by_exercise.items() for row in _requirements(name, group)),
        ideas=tuple(
            sorted(
                (row for name, group in by_exercise.items() for row in _ideas(name, group)),
                key=lambda idea: (-idea.learners, idea.exercise, idea.requirement, idea.expected),
            )
        ),
        looks=tuple(row for each in all_of for row in _looks(each)),
        alike=tuple(
            Alike(name, pair.one, pair.other, round(100 * pair.alike))
            for name, group in by_exercise.items()
            for pair in pairs(
                {each.student: each.source for each in group if each.source}, (given or {}).get(name, ())
            )
        ),
        took=tuple(row for name, group in by_exercise.items() for row in _took(name, group)),
    )


def _learners(judged: list[Judged]) -> Iterable[Learner]:
    """The one with the fewest points first: who needs help."""
    by_student: dict[str, list[tuple[str, Verdict]]] = defaultdict(list)
    for each in judged:
        verdicts = by_student[each.student]
        if each.verdict is not None:
            verdicts.append((each.exercise, each.verdict))
    found = []
    for student, verdicts in by_student.items():
        missed = {exercise: verdict.max_points - verdict.points for exercise, verdict in verdicts}
        dearest = sorted((name for name, points in missed.items() if points), key=lambda name: -missed[name])
        found.append(
            Learner(
                student=student,
                judged=len(verdicts),
                points=round(sum(verdict.points for _, verdict in verdicts), 2),
                max_points=sum(verdict.max_points for _, verdict in verdicts),
                lost=", ".join(f"{name} (-{missed[name]:g})" for name in dearest),
            )
        )
    return sorted(found, key=lambda learner: (learner.points, learner.student))


def _requirements(exercise: str, group: list[Judged]) -> Iterable[Requirement]:
    found: dict[str, list[RequirementVerdict]] = defaultdict(list)
    for each in group:
        for requirement in each.verdict.requirements if each.verdict else ():
            found[requirement.id].append(requirement)
    for name, verdicts in found.items():
        counts = {
            word: sum(each.verdict == word for each in verdicts) for word in ("pass", "fail", "unknown")
        }
        yield Requirement(
            exercise=exercise,
            requirement=name,
            title=verdicts[0].title,
            passed=counts["pass"],
            failed=counts["fail"],
            unknown=counts["unknown"],
            points=round(sum(each.points for each in verdicts) / len(verdicts), 2),
            max_points=verdicts[0].max_points,
        )


def _ideas(exercise: str, group: list[Judged]) -> Iterable[Idea]:
    """Grouped by what the judge calls the mistake, which is the same however small the run that shows it."""
    found: dict[tuple[str, str], list[tuple[str, Finding]]] = defaultdict(list)
    for each in group:
        for finding, concerned in each.verdict.findings() if each.verdict else ():
            if any(requirement.verdict == "fail" for requirement in concerned):
                names = ", ".join(requirement.id for requirement in concerned)
                found[names, finding.kind or _shape(finding.got)].append((each.student, finding))
    for (names, _), made in found.items():
        smallest = min((finding for _, finding in made), key=_size)
        yield Idea(
            exercise=exercise,
            requirement=names,
            learners=len(made),
            expected=smallest.expected,
            got=smallest.got,
            run="; ".join((*smallest.counterexample.operations, *smallest.counterexample.faults))
            if smallest.counterexample
            else "",
            students=", ".join(student for student, _ in made),
        )


def _shape(text: str) -> str:
    """What is left of a sentence without its figures."""
    return re.sub(r"[\d.,]+", "#", text)


def _size(finding: Finding) -> tuple[int, int]:
    example = finding.counterexample
    return (len(example.operations) + len(example.faults) if example else 0, len(finding.got))


def _looks(each: Judged) -> Iterable[Look]:
    if each.verdict is None:
        yield Look(each.exercise, each.student, "", each.problem)
        return
    for finding, concerned in each.verdict.findings():
        names = ", ".join(requirement.id for requirement in concerned if requirement.verdict == "unknown")
        if names:
            yield Look(each.exercise, each.student, names, f"not shown: {finding.got}")


def _took(exercise: str, group: list[Judged]) -> Iterable[Took]:
    timed = [(each.seconds, each.student) for each in group if each.seconds is not None]
    if timed:
        longest, student = max(timed)
        typical = median(seconds for seconds, _ in timed)
        yield Took(exercise, len(timed), round(typical, 2), round(longest, 2), student)
