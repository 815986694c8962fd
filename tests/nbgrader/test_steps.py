"""Where steps go when something is amiss: the judge, the instructor's own notebook, the command line."""

import json
import shutil
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from nbgrader.converters.base import NbGraderException

from grading.nbgrader.course import main
from grading.nbgrader.restore import read_once, released_cells
from grading.nbgrader.steps import Course

ASSIGNMENT = "url-shortener"
NOTEBOOK = "04-detailed-design.ipynb"
PROJECT = Path(__file__).parents[2]

pytestmark = pytest.mark.logs_errors


@pytest.fixture(scope="module", autouse=True)
def silent_nbgrader() -> Iterator[None]:
    from sqlalchemy.exc import SAWarning

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=SAWarning)
        warnings.filterwarnings("ignore", category=ResourceWarning)
        yield


@pytest.fixture(scope="module")
def course(new_course: Callable[[str], Path], hand_in: Callable[..., None]) -> Course:
    """One submission, as released, collected."""
    course = Course(new_course("steps"), ASSIGNMENT)
    course.generate()
    hand_in(course.root / "labs" / ASSIGNMENT / NOTEBOOK, course.root / "handed-in/ada", "textbook.py")
    course.collect(course.root / "handed-in")
    return course


def marks(course: Course) -> dict[str, Any]:
    import csv

    course.export(course.root / "grades.csv")
    [row] = csv.DictReader((course.root / "grades.csv").read_text().splitlines())
    return row


def judged_by(course: Course, program: str) -> Course:
    path = course.root / "judge.py"
    path.write_text(program)
    course.config.JudgeComponents.command = [sys.executable, "-I", str(path)]
    return course


def test_where_the_judge_fails_a_person_decides_and_nobody_is_marked_down(course: Course) -> None:
    told = list(judged_by(course, "raise SystemExit('out of order')").autograde())
    assert told == ["ada: 0 of 25 points (the judge gave no verdict: please look at it)"]
    assert marks(course)["needs_manual_grade"] == "yes"
    course.feedback()
    page = (course.work / f"feedback/ada/{ASSIGNMENT}/{NOTEBOOK}").with_suffix(".html").read_text("utf-8")
    assert "your instructor will look at it" in page


def test_a_judge_that_gives_other_points_than_the_notebook_promises_is_the_instructors_matter(
    course: Course,
) -> None:
    verdict = {"slot": "url-shortener/redirect-cache", "points": 5, "max_points": 5, "isolation": "none"}
    text = json.dumps(verdict | {"seeds": [1], "requirements": [], "notes": []})
    told: list[str] = []
    with pytest.raises(NbGraderException):
        told.extend(judged_by(course, f"print({text!r})").autograde())
    assert told == ["ada: not graded, see the messages above"]
    assert marks(course)["score"] == "0"


def test_what_nobody_has_touched_is_judged_once_for_all(
    new_course: Callable[[str], Path], hand_in: Callable[..., None]
) -> None:
    course = Course(new_course("untouched"), ASSIGNMENT)
    course.generate()
    released = course.root / "labs" / ASSIGNMENT / NOTEBOOK
    for learner in ("ada", "bob"):
        (course.root / "handed-in" / learner).mkdir(parents=True)
        shutil.copyfile(released, course.root / "handed-in" / learner / NOTEBOOK)
    for learner in ("cid", "dora"):
        hand_in(released, course.root / "handed-in" / learner, "textbook.py")
    course.collect(course.root / "handed-in")
    verdict = {"slot": "url-shortener/redirect-cache", "points": 7, "max_points": 20, "isolation": "none"}
    text = json.dumps(verdict | {"seeds": [1], "requirements": [], "notes": []})
    log = course.root / "asked"
    program = f"import sys; open({str(log)!r}, 'a').write(sys.argv[-1] + '\\n'); print({text!r})"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # nbgrader's gradebook provokes some
        told = list(judged_by(course, program).autograde())
    assert [line.partition(" of")[0] for line in told] == ["ada: 7", "bob: 7", "cid: 7", "dora: 7"]
    asked = log.read_text().split()
    assert len(asked) == len(set(asked)) == 3


def test_what_was_never_generated_cannot_be_graded(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for step in ("collect", "autograde", "class", "feedback", "export"):
        assert main([step, "--root", str(tmp_path)]) == 1
        said = capsys.readouterr().err
        assert f"workbench course {step}: there is no course in {tmp_path} yet" in said
        assert "Traceback" not in said


def test_the_command_line_runs_a_step(course: Course, tmp_path: Path) -> None:
    assert main(["export", "--root", str(course.root), "--to", str(tmp_path / "marks.csv")]) == 0
    assert (tmp_path / "marks.csv").read_text().startswith("assignment,student_id,")


@pytest.mark.parametrize("folder", [".", pytest.param("grading/nbgrader", marks=pytest.mark.slow)])
def test_plain_nbgrader_finds_the_course(folder: str) -> None:
    """From the project's root, and from the folder that holds the configuration."""
    program = (
        "from nbgrader.apps import AutogradeApp; app = AutogradeApp(); app.initialize(['url-shortener']);"
        "print(app.coursedir.root, app.coursedir.source_directory, app.config.JudgeComponents.work)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=PROJECT / folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout.split() == [str(PROJECT), "grading/source", str(PROJECT / "work/course")]


def test_a_folder_that_is_a_course_is_the_one_that_is_meant(
    course: Course, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in the terminal of an instructor's JupyterLab."""
    monkeypatch.chdir(course.root)
    assert main(["export", "--to", str(tmp_path / "marks.csv")]) == 0
    assert "ada" in (tmp_path / "marks.csv").read_text()
    monkeypatch.chdir(tmp_path)
    assert main(["export", "--root", str(course.root), "--to", str(tmp_path / "same.csv")]) == 0
    assert (tmp_path / "same.csv").read_text() == (tmp_path / "marks.csv").read_text()


def test_what_was_released_is_read_once_for_a_step_and_anew_for_the_next(course: Course) -> None:
    about = (course.config.CourseDirectory.db_url, ASSIGNMENT, Path(NOTEBOOK).stem)
    with read_once():
        cells = released_cells(*about)
        assert released_cells(*about) is cells
    assert released_cells(*about) is not cells
    assert released_cells(*about) == cells != []
