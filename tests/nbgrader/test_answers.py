"""Answers through nbgrader: they are lifted as text, judged without anything of theirs running, and reported."""

import csv
import json
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from grading.nbgrader.steps import Course

ASSIGNMENT = "url-shortener"
NOTEBOOK = "02-estimation.ipynb"
SOURCE = Path(__file__).parents[2] / "grading/source" / ASSIGNMENT / NOTEBOOK
KEPT = ("estimates", "estimates-check")
ESSAY = "status-answer"
"""Graded by hand, of the notebook on detailed design: 5 points."""
FIRST = "%%answer url-shortener/estimates\n"
RIGHT = """writes = "4.6 links/s"
reads_at_peak = "4600 redirects/s"
storage = "263 GB"
cache = "22 GB"
code_length = "8 characters"
"""
HANDED_IN = {
    "right": (FIRST + RIGHT, 10),
    "half": (FIRST + RIGHT.replace("263 GB", "175 GB").replace("8 char", "7 char"), 8),
    "wrong-first-line": ("%%answer url-shortener/design\n" + RIGHT, 0),
    "python": (FIRST + "import os\nos.remove('gradebook.db')\n", 0),
    "script": (FIRST + RIGHT.replace("22 GB", "<script>alert(1)</script> GB"), 8),
}

pytestmark = pytest.mark.logs_errors


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Course]:
    from sqlalchemy.exc import SAWarning

    root = tmp_path_factory.mktemp("answers")
    tree = json.loads(SOURCE.read_text("utf-8"))
    other = json.loads(SOURCE.with_name("04-detailed-design.ipynb").read_text("utf-8"))
    essay = [cell for cell in other["cells"] if cell["id"] == ESSAY]
    tree["cells"] = [cell for cell in tree["cells"] if cell["id"] in KEPT] + essay
    (root / "grading/source" / ASSIGNMENT).mkdir(parents=True)
    (root / "grading/source" / ASSIGNMENT / NOTEBOOK).write_text(json.dumps(tree), "utf-8")
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=SAWarning)
        warnings.filterwarnings("ignore", category=ResourceWarning)
        course = Course(root, ASSIGNMENT)
        course.generate()
        released = json.loads((root / "labs" / ASSIGNMENT / NOTEBOOK).read_text("utf-8"))
        for student, (text, _) in HANDED_IN.items():
            tree = json.loads(json.dumps(released))
            tree["cells"][0]["source"] = text
            if student == "half":
                tree["cells"][-1]["source"] = "302, because each click is paid."
            (root / "in" / student).mkdir(parents=True)
            (root / "in" / student / NOTEBOOK).write_text(json.dumps(tree), "utf-8")
        course.collect(root / "in")
        (root / "told.txt").write_text("\n".join(course.autograde()))
        yield course


def exported(course: Course) -> list[dict[str, str]]:
    course.export(course.root / "grades.csv")
    return list(csv.DictReader((course.root / "grades.csv").read_text().splitlines()))


def test_what_learners_get_tells_what_to_do_and_holds_no_solution(course: Course) -> None:
    text = (course.root / "labs" / ASSIGNMENT / NOTEBOOK).read_text("utf-8")
    assert "263 GB" not in text
    assert "# YOUR TURN: change what stands above." in text
    assert "write it anew" not in text


def test_marks_are_those_of_the_table(course: Course) -> None:
    assert {row["student_id"]: float(row["score"]) for row in exported(course)} == {
        student: points for student, (_, points) in HANDED_IN.items()
    }


def test_what_a_person_has_to_grade_is_waiting_for_them_and_is_no_failure_of_the_judge(
    course: Course,
) -> None:
    assert [row["student_id"] for row in exported(course) if row["needs_manual_grade"]] == ["half"]
    told = (course.root / "told.txt").read_text()
    assert "half: 8 of 15 points (up to 5 more are for you to give)\n" in told
    assert course.unmarked() == ["half"]


def test_feedback_says_why_and_carries_nothing_that_runs(course: Course) -> None:
    course.feedback()
    pages = {
        student: next((course.work / "feedback" / student).rglob("*.html")).read_text()
        for student in HANDED_IN
    }
    assert "must be `%%answer url-shortener/estimates`" in pages["wrong-first-line"]
    assert "Rows alone" in pages["half"]
    assert "8 of 15 points, and some answers are not marked yet" in pages["half"]
    assert "not marked yet, up to 5 points" in pages["half"]
    assert "not marked yet" not in pages["right"]
    assert "line 2 cannot be read" in pages["python"]
    assert "<script>alert(1)" not in pages["script"]
    assert (course.work / "gradebook.db").exists()
