"""A batch in which nearly everybody is hostile or unlucky: nobody gains a point, nobody stops or harms the others."""

import csv
import json
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.nbgrader.hostile import FOLDERS, KEPT, LOST, NAME

ASSIGNMENT = "url-shortener"
COMPONENTS = Path(__file__).parent / "components"
HONEST = ("honest-1", "honest-2", "honest-3")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.logs_errors,
    pytest.mark.skipif(sys.platform == "win32", reason="links and pipes are POSIX"),
]


def test_there_are_fifty_and_more() -> None:
    assert len(KEPT) + len(LOST) + len(FOLDERS) >= 50


@pytest.fixture(scope="module")
def batch(new_course: Callable[[str], Path]) -> dict[str, Any]:
    """Graded all at once. `rows` by student, `told`: a line each, `root`."""
    from grading.nbgrader.steps import Course

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        root = new_course("hostile")
        course = Course(root, ASSIGNMENT)
        course.generate()
        (root / "work/course/seeds.toml").write_text('secret = "of this test"\ncount = 2\n')
        released = json.loads((root / "labs" / ASSIGNMENT / NAME).read_text("utf-8"))
        handed_in = root / "handed-in"

        def honest() -> dict[str, Any]:
            tree: dict[str, Any] = json.loads(json.dumps(released))
            for each in tree["cells"]:
                if each["metadata"].get("nbgrader", {}).get("grade_id") == "redirect-cache":
                    component = (COMPONENTS / "textbook.py").read_text("utf-8")
                    each["source"] = f"%%component url-shortener/redirect-cache\n{component}"
            return tree

        whole = json.dumps(honest()).encode()
        for name in HONEST:
            (handed_in / name).mkdir(parents=True)
            (handed_in / name / NAME).write_bytes(whole)
        for name, deed in (KEPT | LOST).items():
            tree = honest()
            data = deed(tree)
            (handed_in / name).mkdir()
            (handed_in / name / NAME).write_bytes(data if data is not None else json.dumps(tree).encode())
        for name, (done, _) in FOLDERS.items():
            (handed_in / name).mkdir()
            done(handed_in / name, whole)
        course.collect(handed_in)
        told = list(course.autograde())
        course.feedback()
        course.export(root / "grades.csv")
    rows = {row["student_id"]: row for row in csv.DictReader((root / "grades.csv").read_text().splitlines())}
    return {"rows": rows, "told": told, "root": root}


def score(batch: dict[str, Any], student: str) -> float:
    return float(batch["rows"][student]["score"])


def test_everybody_has_a_mark(batch: dict[str, Any]) -> None:
    assert set(batch["rows"]) == {*HONEST, *KEPT, *LOST, *FOLDERS}
    assert [line for line in batch["told"] if "not graded" in line] == []
    assert {row["max_score"] for row in batch["rows"].values()} == {"25"}
    assert [name for name, row in batch["rows"].items() if row["needs_manual_grade"]] == []


def test_the_honest_have_what_they_have_earned(batch: dict[str, Any]) -> None:
    assert {score(batch, name) for name in HONEST} == {4.0}


def test_what_changes_nothing_changes_nothing(batch: dict[str, Any]) -> None:
    still_judged = [*KEPT, *(name for name, (_, judged) in FOLDERS.items() if judged)]
    assert {name: score(batch, name) for name in still_judged if score(batch, name) != 4.0} == {}


def test_where_nothing_is_left_to_judge_there_are_no_points(batch: dict[str, Any]) -> None:
    nothing = [*LOST, *(name for name, (_, judged) in FOLDERS.items() if not judged)]
    assert {name: score(batch, name) for name in nothing if score(batch, name) != 0.0} == {}


def test_each_is_told_why(batch: dict[str, Any]) -> None:
    """Of those who handed in a file of the right name, whatever is in it."""
    for name in LOST:
        page = batch["root"] / f"work/course/feedback/{name}/{ASSIGNMENT}/{Path(NAME).stem}.html"
        assert "0 of 20 points. " in page.read_text("utf-8"), name


def test_no_page_runs_or_loads_anything(batch: dict[str, Any]) -> None:
    from tests.nbgrader.test_cycle import harm

    pages = list((batch["root"] / "work/course/feedback").rglob("*.html"))
    assert len(pages) >= len(KEPT) + len(LOST)
    assert {
        page.parent.parent.name: found for page in pages if (found := harm(page.read_text("utf-8")))
    } == {}
    assert not any("\x1b" in page.read_text("utf-8") for page in pages)
