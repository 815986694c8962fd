"""The steps of `workbench course`, over nbgrader's converters and exchange with our configuration."""

from __future__ import annotations

import os
import shutil
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from glob import escape
from operator import attrgetter
from pathlib import Path

from nbgrader.api import Gradebook, MissingEntry
from nbgrader.auth import Authenticator
from nbgrader.converters import Autograde, GenerateAssignment, GenerateFeedback
from nbgrader.converters.base import NbGraderException
from nbgrader.coursedir import CourseDirectory
from nbgrader.exchange import ExchangeFactory
from nbgrader.exchange.default import ExchangeReleaseAssignment
from traitlets.config import Config

from grading.nbgrader.config import WORK, configure
from grading.nbgrader.engines import shared_engines
from grading.nbgrader.exchange import CollectPlainFiles, ReleaseAllFeedback
from grading.nbgrader.export import RequirementsCsv
from grading.nbgrader.judging import Judge, judge_ahead
from grading.nbgrader.lift import CHECK, Component, Unusable, given, lift, slots
from grading.nbgrader.preprocessor import JudgeComponents, unmarked
from grading.nbgrader.restore import read_once, released_cells, restore
from grading.nbgrader.submission import read


@dataclass(frozen=True, slots=True)
class HandedIn:
    """What `student` handed in for the test cell `test`, an exercise for `slot`; the judge has that student's seeds."""

    student: str
    test: str
    slot: str
    lifted: Component | Unusable
    judge: Judge

    @property
    def names(self) -> tuple[str, ...]:
        """How an instructor may call the exercise."""
        return (self.test, self.test.removesuffix(CHECK), self.slot)


class Course:
    """One assignment of the course at `root`. `config`: nbgrader's; a test may alter it before a step."""

    def __init__(self, root: Path, assignment: str) -> None:
        self.root = root.resolve()
        self.assignment = assignment
        self.work = self.root / WORK
        self.config = configure(Config(), self.root)

    def create_gradebook(self) -> None:
        """nbgrader runs `alembic` by its name when it makes a gradebook: it must be on PATH, venv active or not."""
        self.work.mkdir(parents=True, exist_ok=True)
        before = os.environ.get("PATH", "")
        os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{before}"
        try:
            Gradebook(self.config.CourseDirectory.db_url, self.config.CourseDirectory.course_id).close()
        finally:
            os.environ["PATH"] = before

    def generate(self) -> None:
        """grading/source -> labs. Twice gives the same bytes."""
        self.create_gradebook()
        converter = GenerateAssignment(coursedir=self._coursedir(), config=self.config)
        converter.force = True
        converter.start()
        self._test_cells()  # raises Misconfigured now rather than when marks are due

    def due(self, at: datetime) -> None:
        """Sets the time until which a submission is not late."""
        with Gradebook(self.config.CourseDirectory.db_url) as gradebook:
            gradebook.update_or_create_assignment(
                self.assignment, duedate=at.astimezone(UTC).replace(tzinfo=None)
            )

    def release(self) -> None:
        """labs -> the exchange."""
        self._exchange(ExchangeReleaseAssignment)

    def collect(self, folder: Path | None = None) -> None:
        """The exchange, or `folder`/STUDENT/NOTEBOOK.ipynb -> work/course/submitted. Follows no links."""
        if folder is None:
            self._exchange(CollectPlainFiles)
            return
        names = {f"{name}.ipynb" for name in self._test_cells()}
        for student in sorted(p for p in folder.iterdir() if p.is_dir() and not p.is_symlink()):
            target = self._submitted(student.name)
            shutil.rmtree(target, ignore_errors=True)
            target.mkdir(parents=True)
            for name in sorted(names):
                notebook = student / name
                if notebook.is_file() and not notebook.is_symlink():
                    shutil.copyfile(notebook, target / name)

    def autograde(
        self,
        student: str = "*",
        workers: int | None = None,
        *,
        exercise: str | None = None,
        again: bool = False,
        scheduler: str | None = None,
        tell: Callable[[str], None] | None = None,
    ) -> Iterator[str]:
        """Judges several components at once, and meanwhile writes into the gradebook, one submission after the other,
        what is judged. Yields a line for each mark.

        What is on file is not judged again, unless `again`: of `student`, all or the one `exercise` (a slot, or the
        name of its cell). `scheduler`: of a Dask cluster that judges, or "local" for one on this machine. `tell`: gets
        lines on how far it is.
        Raises NbGraderException if a submission could not be graded; the others have been.
        """
        handed_in = sorted(
            path.parent.name for path in self._submitted("").glob(f"{student}/{self.assignment}")
        )
        if not handed_in:
            raise NbGraderException(f"nothing was handed in: there is no {self._submitted(student)}")
        problem = None
        if gradable := [name for name in handed_in if self._notebooks(name)]:
            with shared_engines(), read_once():
                for name in self._judged(student, gradable, exercise, again, workers, scheduler, tell):
                    problem = self._grade(name) or problem
        with Gradebook(self.config.CourseDirectory.db_url) as gradebook:
            for name in handed_in:
                yield self._outcome(gradebook, name)
        if problem is not None:
            raise problem

    def _grade(self, student: str) -> NbGraderException | None:
        """Runs nbgrader's Autograde. What it could not grade comes back as its exception."""
        converter = Autograde(coursedir=self._coursedir(escape(student)), config=self.config)
        converter.force = True
        try:
            converter.start()
        except NbGraderException as error:
            return error
        return None

    def unmarked(self) -> list[str]:
        """Who has written answers that no person has marked yet."""
        with Gradebook(self.config.CourseDirectory.db_url) as gradebook:
            return sorted(
                submission.student_id
                for submission in gradebook.assignment_submissions(self.assignment)
                if any(unmarked(grade) for notebook in submission.notebooks for grade in notebook.grades)
            )

    def is_known(self) -> bool:
        """Whether there is a gradebook."""
        return (self.work / "gradebook.db").is_file()

    def feedback(self) -> None:
        """A page for each graded submission, in work/course/feedback."""
        converter = GenerateFeedback(coursedir=self._coursedir(), config=self.config)
        converter.force = True
        converter.start()

    def release_feedback(self) -> None:
        """work/course/feedback -> the exchange."""
        self._exchange(ReleaseAllFeedback)

    def export(self, to: Path) -> None:
        """All marks, as CSV."""
        plugin = RequirementsCsv(config=self.config)
        plugin.to, plugin.assignment = str(to), [self.assignment]
        with Gradebook(self.config.CourseDirectory.db_url) as gradebook:
            plugin.export(gradebook)

    def _coursedir(self, student: str = "*") -> CourseDirectory:
        return CourseDirectory(config=self.config, assignment_id=self.assignment, student_id=student)

    def _exchange(self, action: type) -> None:
        Path(self.config.Exchange.root).mkdir(parents=True, exist_ok=True)
        factory = ExchangeFactory(config=self.config)
        action(
            coursedir=self._coursedir(),
            authenticator=Authenticator(config=self.config),
            parent=factory,
            config=self.config,
        ).start()

    def _submitted(self, student: str) -> Path:
        folder = self.work / "submitted"
        return folder / student / self.assignment if student else folder

    def _notebooks(self, student: str) -> list[Path]:
        return sorted(self._submitted(student).glob("*.ipynb"))

    def _test_cells(self) -> dict[str, dict[str, str]]:
        """Notebook -> (test cell -> slot), from the gradebook."""
        db_url = self.config.CourseDirectory.db_url
        with Gradebook(db_url) as gradebook:
            try:
                names = sorted(
                    notebook.name for notebook in gradebook.find_assignment(self.assignment).notebooks
                )
            except MissingEntry:
                raise NbGraderException(
                    f"the gradebook does not know {self.assignment!r}: run `workbench course generate` first"
                ) from None
        return {name: slots(released_cells(db_url, self.assignment, name)) for name in names}

    def _judged(
        self,
        student: str,
        with_notebooks: Sequence[str],
        exercise: str | None,
        again: bool,
        workers: int | None,
        scheduler: str | None,
        tell: Callable[[str], None] | None,
    ) -> Iterator[str]:
        """Of those with notebooks each, as soon as there is a verdict on all of theirs that is to be judged."""
        found = [each for each in self.handed_in(student) if exercise in (None, *each.names)]
        if exercise is not None and not found:
            known = sorted({slot for tests in self._test_cells().values() for slot in tests.values()})
            if exercise not in known:
                raise NbGraderException(f"no exercise {exercise!r}; there are: {', '.join(known)}")
        if again:
            for each in found:
                if each.judge.verdicts is not None and isinstance(each.lifted, Component):
                    each.judge.verdicts.forget(each.lifted, each.judge.seeds)
        found = [
            each for each in sorted(found, key=attrgetter("student")) if isinstance(each.lifted, Component)
        ]
        left = Counter(each.student for each in found)
        yield from (name for name in with_notebooks if not left[name])
        asked = [(each.judge, each.lifted) for each in found if isinstance(each.lifted, Component)]
        with closing(judge_ahead(asked, workers, tell, scheduler)) as decided:
            for place in decided:
                name = found[place].student
                left[name] -= 1
                if not left[name]:
                    yield name

    def handed_in(self, student: str = "*") -> Iterator[HandedIn]:
        """Each exercise of each notebook that `student` handed in."""
        db_url = self.config.CourseDirectory.db_url
        settings = JudgeComponents(config=self.config)
        for name, tests in self._test_cells().items():
            released = released_cells(db_url, self.assignment, name)
            texts = given(released)
            for path in sorted(self._submitted("").glob(f"{student}/{self.assignment}/{name}.ipynb")):
                nb = restore(read(path), released)
                for test, slot in tests.items():
                    lifted = lift(nb, test, slot)
                    judge = settings.judge_of(path.parts[-3], lifted, texts[test])
                    yield HandedIn(path.parts[-3], test, slot, lifted, judge)

    def as_released(self) -> dict[str, str]:
        """Slot -> the text of its cell as learners get it."""
        db_url = self.config.CourseDirectory.db_url
        return {
            tests[test]: text
            for name, tests in self._test_cells().items()
            for test, text in given(released_cells(db_url, self.assignment, name)).items()
        }

    def _outcome(self, gradebook: Gradebook, student: str) -> str:
        """One line on a student's mark. A folder without any notebook gets its zero here: nbgrader passes it over."""
        if not self._notebooks(student):
            gradebook.update_or_create_student(student)
            submission = gradebook.update_or_create_submission(self.assignment, student)
            for notebook in submission.notebooks:
                for grade in notebook.grades:
                    grade.auto_score, grade.needs_manual_grade = 0, False
            gradebook.db.commit()
            return (
                f"{student}: 0 of {submission.max_score:g} points: there is no notebook in what was handed in"
            )
        if not any((self.work / "autograded" / student / self.assignment).glob("*.ipynb")):
            return f"{student}: not graded, see the messages above"
        submission = gradebook.find_submission(self.assignment, student)
        answers = {
            cell.name for submitted in submission.notebooks for cell in submitted.notebook.solution_cells
        }
        grades = [grade for submitted in submission.notebooks for grade in submitted.grades]
        by_hand = sum(grade.max_score for grade in grades if unmarked(grade))
        penalty = submission.late_submission_penalty or 0.0
        notes = [f"{penalty:g} taken off for being late"] if penalty else []
        if by_hand:
            notes.append(f"up to {by_hand:g} more are for you to give")
        if any(grade.needs_manual_grade and grade.name not in answers for grade in grades):
            notes.append("the judge gave no verdict: please look at it")
        told = f" ({'; '.join(notes)})" if notes else ""
        return f"{student}: {submission.score - penalty:g} of {submission.max_score:g} points{told}"
