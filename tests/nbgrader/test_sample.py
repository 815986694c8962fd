"""The class to try everything on: what its learners handed in is what they are said to have handed in."""

import csv
import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from grading.answers import BEGIN, judge_answer
from grading.nbgrader.sample import ALL, CLASS, prepare, sample_class

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="nbgrader has no exchange on Windows")
NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("sample") / "class"
    assert sample_class(root, NOW) == datetime(2026, 5, 3, 6, 0, tzinfo=UTC)
    return root


def handed_in(root: Path, learner: str) -> Path:
    [folder] = (root / "work/course/exchange/system-design/inbound").glob(f"{learner}+url-shortener+*")
    return folder


def exported(course: Any) -> list[dict[str, str]]:
    course.export(course.root / "grades.csv")
    return list(csv.DictReader((course.root / "grades.csv").read_text("utf-8").splitlines()))


def cells(root: Path, learner: str) -> dict[str, str]:
    found = {}
    for path in handed_in(root, learner).glob("*.ipynb"):
        for cell in json.loads(path.read_text("utf-8") or '{"cells": []}')["cells"]:
            found[cell["metadata"].get("nbgrader", {}).get("grade_id", "")] = "".join(cell["source"])
    return found


def test_each_learner_has_handed_in_five_notebooks(root: Path) -> None:
    for learner in CLASS:
        assert len(list(handed_in(root, learner.name).glob("*.ipynb"))) == 5


def test_who_is_right_has_the_solutions_and_their_markers_are_gone(root: Path) -> None:
    right, untouched = cells(root, "amara"), cells(root, "farid")
    for name in ALL:
        assert right[name] != untouched[name], name
        if right[name].startswith("%%answer"):
            first, _, rest = right[name].partition("\n")
            assert judge_answer(first.removeprefix("%%answer "), f"\n{rest}").passed
        assert BEGIN not in right[name]
        assert right[name].partition("\n")[0] == untouched[name].partition("\n")[0]
        if right[name].startswith("%%component"):
            compile(right[name].partition("\n")[2], name, "exec")


def test_a_copy_has_other_names_and_the_same_shape(root: Path) -> None:
    from grading.nbgrader.similar import pairs

    texts = {
        who: cells(root, who)["redirect-cache"] for who in ("amara", "bashir", "chiara", "dmitri", "farid")
    }
    assert texts["bashir"] != texts["chiara"]
    assert [(pair.one, pair.other) for pair in pairs(texts)] == [("bashir", "chiara")]


def test_one_is_late_and_one_has_an_unreadable_notebook(root: Path) -> None:
    assert (handed_in(root, "chiara") / "timestamp.txt").read_text() == "2026-05-04 08:00:00.000000 UTC"
    assert (handed_in(root, "elif") / "02-estimation.ipynb").read_bytes() == b""


def test_a_class_that_is_there_is_left_alone(root: Path) -> None:
    (root / "START-HERE.md").write_text("mine")
    assert sample_class(root, NOW) is None
    assert (root / "START-HERE.md").read_text() == "mine"


@pytest.mark.slow
@pytest.mark.logs_errors
@pytest.mark.filterwarnings("ignore")
def test_the_whole_cycle_from_the_exchange_to_the_view_of_the_class(tmp_path: Path) -> None:
    """Each step as the buttons of the formgrader do it; then the notebook of the class, run."""
    import nbformat
    from nbclient import NotebookClient
    from nbgrader.api import Gradebook
    from nbgrader.apps.api import NbGraderAPI
    from nbgrader.coursedir import CourseDirectory
    from traitlets.config import Config

    from grading.nbgrader.class_of import UNTOUCHED, class_of
    from grading.nbgrader.config import configure
    from grading.nbgrader.steps import Course

    root = tmp_path / "class"
    prepare(root)
    (root / "work/course/seeds.toml").write_text('secret = "of this test"\ncount = 2\n')
    config = configure(Config(), root)
    config.CollectPlainFiles.check_owner = False
    api = NbGraderAPI(CourseDirectory(config=config), config=config)
    for step in (api.generate_assignment, api.release_assignment, api.collect):
        outcome = step("url-shortener")
        assert outcome["success"], outcome
    assert {each["student"] for each in api.get_submissions("url-shortener")} == {each.name for each in CLASS}
    course = Course(root, "url-shortener")
    course.config.CollectPlainFiles.check_owner = False
    told = {line.partition(":")[0]: line for line in course.autograde()}
    assert set(told) == {each.name for each in CLASS}
    seen = class_of(course)
    assert [pair.one for pair in seen.alike if pair.exercise.endswith("redirect-cache")] == ["bashir"]
    ideas = [each for each in seen.ideas if each.requirement == "single-flight"]
    [idea] = [each for each in ideas if "bashir, chiara" in each.students]
    assert idea.run
    assert {look.student for look in seen.looks} >= {"elif"}
    assert [look.student for look in seen.looks if look.why == UNTOUCHED] == ["farid"]
    assert course.unmarked() == ["amara", "bashir", "chiara", "dmitri"]
    assert "15 more are for you to give" in told["amara"]
    [before] = [float(row["late_penalty"]) for row in exported(course) if row["student_id"] == "chiara"]
    assert f"{before:g} taken off for being late" in told["chiara"]
    with Gradebook(course.config.CourseDirectory.db_url) as gradebook:
        answers = gradebook.find_submission("url-shortener", "chiara").notebooks
        [grade] = [g for each in answers for g in each.grades if g.name == "status-answer"]
        grade.manual_score, grade.needs_manual_grade = 5.0, False
        gradebook.db.commit()
    assert api.generate_feedback("url-shortener")["success"]
    assert api.release_feedback("url-shortener")["success"]
    [after] = [float(row["late_penalty"]) for row in exported(course) if row["student_id"] == "chiara"]
    assert after == pytest.approx(before + 1.0)  # two tenths of what a person gave since
    page = root / "work/course/feedback/chiara/url-shortener/04-detailed-design.html"
    assert "points were taken off for handing in late" in page.read_text("utf-8")
    rows = {line.split(",")[1]: line.split(",") for line in (root / "grades.csv").read_text().splitlines()}
    assert float(rows["amara"][3]) > float(rows["bashir"][3]) > float(rows["farid"][3]) >= 0
    late = rows["student_id"].index("late_penalty")
    assert float(rows["chiara"][late]) > 0 == float(rows["bashir"][late])
    notebook = nbformat.read(root / "class.ipynb", as_version=4)  # type: ignore[no-untyped-call]
    resources = {"metadata": {"path": str(root)}}
    NotebookClient(notebook, timeout=120, kernel_name="python3", resources=resources).execute()
    shown = "".join(
        "".join(output.get("data", {}).get("text/html", ""))
        for cell in notebook.cells
        for output in cell.get("outputs", [])
    )
    assert "single-flight" in shown
    assert "bashir" in shown


def test_the_command_says_what_it_does(capsys: pytest.CaptureFixture[str]) -> None:
    from workbench.cli import main

    with pytest.raises(SystemExit):
        main(["teach", "--help"])
    assert "sample class" in capsys.readouterr().out
