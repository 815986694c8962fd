"""A whole cycle of grading, over submissions honest and hostile: marks as a table written before expects them."""

import asyncio
import csv
import json
import re
import shutil
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from grading.nbgrader.steps import Course

ASSIGNMENT = "url-shortener"
NOTEBOOK = "04-detailed-design"
CELL = "redirect-cache-check"
PROJECT = Path(__file__).parents[2]

pytestmark = pytest.mark.logs_errors  # nbgrader logs what it meets in a hostile notebook

HandIn = Callable[..., None]


def silent_nbgrader() -> None:
    from sqlalchemy.exc import SAWarning

    warnings.filterwarnings("ignore", category=SAWarning)  # nbgrader's gradebook provokes them
    warnings.filterwarnings("ignore", category=ResourceWarning)


@dataclass(frozen=True)
class Graded:
    """A course after a cycle: its root, the lines that autograde told, the exported table."""

    root: Path
    told: list[str]
    table: bytes

    @property
    def rows(self) -> dict[str, dict[str, str]]:
        return {row["student_id"]: row for row in csv.DictReader(self.table.decode().splitlines())}

    def page(self, student: str) -> str:
        return (self.root / f"work/course/feedback/{student}/{ASSIGNMENT}/{NOTEBOOK}.html").read_text("utf-8")


@pytest.fixture(scope="module")
def graded(new_course: Callable[[str], Path], expected: dict[str, dict[str, Any]], hand_in: HandIn) -> Graded:
    from grading.nbgrader.steps import Course

    with warnings.catch_warnings():
        silent_nbgrader()
        root = new_course("first")
        course = Course(root, ASSIGNMENT)
        course.generate()
        # fewer than a course draws, and the same each time: a test has to be quick, and to fail for a reason
        (root / "work/course/seeds.toml").write_text('secret = "of this test"\ncount = 3\n')
        for student, about in expected.items():
            hand_in(
                root / f"labs/{ASSIGNMENT}/{NOTEBOOK}.ipynb",
                root / "handed-in" / student,
                about["component"],
                about.get("tampered", ""),
            )
        course.collect(root / "handed-in")
        told = list(course.autograde())
        course.feedback()
        course.export(root / "grades.csv")
    return Graded(root, told, (root / "grades.csv").read_bytes())


@pytest.fixture(scope="module")
def points() -> dict[str, float]:
    """Requirement -> points, as the judge lists them."""
    from grading.checks import suite

    return {each.id: float(each.points) for each in suite("url-shortener/redirect-cache").requirements}


def earned(about: dict[str, Any], points: dict[str, float]) -> dict[str, float]:
    """Requirement -> points that the table expects."""
    names = set(points) - set(about["loses"]) if "loses" in about else about["earns"]
    names = {"all": set(points), "none": set()}.get(names, names) if isinstance(names, str) else set(names)
    assert names <= set(points), "the table names a requirement that there is none of"
    return {name: worth if name in names else 0.0 for name, worth in points.items()}


def test_each_submission_gets_the_marks_that_the_table_expects(
    graded: Graded, expected: dict[str, dict[str, Any]], points: dict[str, float]
) -> None:
    assert sum(points.values()) == 20
    wanted = {student: earned(about, points) for student, about in expected.items()}
    # a cell that was not judged has no points by requirement in the table
    got = {
        student: {name: float(row[f"{CELL}/{name}"] or 0) for name in points}
        for student, row in graded.rows.items()
    }
    assert got == wanted
    totals = {student: float(row["score"]) for student, row in graded.rows.items()}
    assert totals == {student: sum(by.values()) for student, by in wanted.items()}
    assert {row["max_score"] for row in graded.rows.values()} == {"25"}  # 5 are a person's to give
    by_hand = {row["needs_manual_grade"] for row in graded.rows.values()}
    assert by_hand == {""}  # nobody has written anything there


def test_every_submission_is_told_of(graded: Graded, expected: dict[str, dict[str, Any]]) -> None:
    assert [line.partition(":")[0] for line in graded.told] == sorted(expected)


def the_same_class(graded: Graded, root: Path) -> "Course":
    """What was handed in there, collected for a course of its own with the same seeds."""
    from grading.nbgrader.steps import Course

    course = Course(root, ASSIGNMENT)
    course.generate()
    shutil.copyfile(graded.root / "work/course/seeds.toml", root / "work/course/seeds.toml")
    course.collect(graded.root / "handed-in")
    return course


@pytest.mark.slow  # the whole class once more, one by one
def test_another_order_on_another_day_gives_the_same_table(
    graded: Graded, new_course: Callable[[str], Path], expected: dict[str, dict[str, Any]]
) -> None:
    root = new_course("second")
    with warnings.catch_warnings():
        silent_nbgrader()
        course = the_same_class(graded, root)
        for student in sorted(expected, reverse=True):
            list(course.autograde(student, workers=1))
        course.export(root / "grades.csv")
    assert (root / "grades.csv").read_bytes() == graded.table


@pytest.mark.slow
@pytest.mark.soak  # on a cluster each time (test_thirty.py)
@pytest.mark.skipif(sys.platform == "win32", reason="kill -9 is POSIX")
def test_grading_that_was_killed_goes_on_where_it_was(
    graded: Graded, new_course: Callable[[str], Path]
) -> None:
    root = new_course("killed")
    with warnings.catch_warnings():
        silent_nbgrader()
        course = the_same_class(graded, root)
    command = [sys.executable, "-P", "-m", "grading.nbgrader.course", "autograde", "--root", str(root)]
    verdicts = root / "work/course/verdicts"
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=root) as first:
        deadline = time.monotonic() + 60
        while len(list(verdicts.glob("*.json"))) < 3 and time.monotonic() < deadline:
            time.sleep(0.02)
        first.kill()
    kept = {path: path.stat().st_mtime_ns for path in verdicts.glob("*.json")}
    assert 3 <= len(kept) < len(list((graded.root / "work/course/verdicts").glob("*.json")))
    again = subprocess.run(command, capture_output=True, text=True, timeout=300, cwd=root)
    assert again.returncode == 0, again.stderr
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
    course.export(root / "grades.csv")
    assert (root / "grades.csv").read_bytes() == graded.table


def test_what_is_generated_is_what_labs_holds(graded: Graded) -> None:
    """Also: generating twice, by two ways, gives the same bytes."""
    released = f"labs/{ASSIGNMENT}/{NOTEBOOK}.ipynb"
    assert (graded.root / released).read_bytes() == (PROJECT / released).read_bytes()
    assert "SOLUTION" not in (graded.root / released).read_text("utf-8")


class Harm(HTMLParser):
    """Collects what in a page could run, or make a browser ask somebody else for something."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in {
            "script",
            "iframe",
            "object",
            "embed",
            "link",
            "base",
            "form",
            "img",
            "svg",
            "math",
            "template",
        }:
            self.found.append(tag)
        for name, value in attrs:
            local = name == "href" and (value or "").startswith("#")
            if name.startswith("on") or (name in {"src", "href", "srcset", "action", "data"} and not local):
                self.found.append(f"{tag} {name}={value}")
            if name == "style" and re.search(r"url|@import|expression", value or "", re.I):
                self.found.append(f"{tag} style={value}")


def harm(page: str) -> list[str]:
    parser = Harm()
    parser.feed(page)
    style = "".join(re.findall(r"<style>(.*?)</style>", page, re.S))
    return parser.found + re.findall(r"@import|url\(", style)


def test_the_search_for_harm_finds_it() -> None:
    assert harm(
        "<p><script>1</script><a href='https://x/'>x</a><i onclick=x>x</i><style>@import 'x'</style>"
    ) == [
        "script",
        "a href=https://x/",
        "i onclick=x",
        "@import",
    ]


def test_no_feedback_page_runs_or_loads_anything(graded: Graded, expected: dict[str, dict[str, Any]]) -> None:
    with_a_page = [student for student, about in expected.items() if about.get("tampered") != "no-file"]
    assert {student: harm(graded.page(student)) for student in with_a_page} == {s: [] for s in with_a_page}
    assert "&lt;script&gt;" in graded.page("forges")  # shown as the text that it is, in the answer


def test_no_feedback_page_shows_a_secret(graded: Graded) -> None:
    from grading.judge.__main__ import parse_seeds
    from grading.nbgrader.seeds import learner_seeds

    work = graded.root / "work/course"
    secrets = [str(seed) for student in graded.rows for seed in parse_seeds(learner_seeds(work, student))]
    for page in (graded.root / "work/course/feedback").rglob("*.html"):
        text = page.read_text("utf-8")
        assert [seed for seed in secrets if seed in text] == []
        assert "BEGIN SOLUTION" not in text
        assert str(graded.root) not in text
    for notebook in (graded.root / "work/course/autograded").rglob("*.ipynb"):
        assert [seed for seed in secrets if seed in notebook.read_text("utf-8")] == []


def test_feedback_tells_points_by_requirement_or_why_there_are_none(
    graded: Graded, expected: dict[str, dict[str, Any]], points: dict[str, float]
) -> None:
    page = graded.page("no-jitter")
    assert "18 of 20 points" in page
    assert [name for name in points if name not in page] == []
    for student, about in expected.items():
        if "says" in about:
            assert about["says"] in graded.page(student), student


def test_nothing_that_was_handed_in_survives_as_an_output(graded: Graded) -> None:
    for path in (graded.root / "work/course/autograded").rglob("*.ipynb"):
        tree = json.loads(path.read_text("utf-8"))
        for cell in tree["cells"]:
            is_test = cell["metadata"].get("nbgrader", {}).get("grade_id") == CELL
            kinds = [output["output_type"] for output in cell.get("outputs", [])]
            assert kinds == (["execute_result", "display_data"] if is_test else [])
        assert set(tree["metadata"]) <= {"kernelspec", "language_info", "workbench"}


def test_inside_the_formgraders_event_loop_it_grades_the_same(graded: Graded) -> None:
    """The formgrader calls this from a request handler, while the server's loop runs."""
    from nbgrader.apps.api import NbGraderAPI
    from nbgrader.coursedir import CourseDirectory
    from traitlets.config import Config

    from grading.nbgrader.config import configure

    async def request() -> dict[str, Any]:
        config = configure(Config(), graded.root)
        api = NbGraderAPI(CourseDirectory(config=config), config=config)
        return dict(api.autograde(ASSIGNMENT, "untouched"))

    (graded.root / "work/course/exchange").mkdir(exist_ok=True)
    shutil.rmtree(graded.root / "work/course/verdicts")  # it is to ask the judge, and not the files
    with warnings.catch_warnings():
        silent_nbgrader()
        outcome = asyncio.run(request())
    assert outcome["success"], outcome
    tree = json.loads(
        (graded.root / f"work/course/autograded/untouched/{ASSIGNMENT}/{NOTEBOOK}.ipynb").read_text()
    )
    [test] = [c for c in tree["cells"] if c["metadata"].get("nbgrader", {}).get("grade_id") == CELL]
    assert "".join(test["outputs"][0]["data"]["text/plain"]) == graded.rows["untouched"]["score"]


@pytest.mark.slow
def test_plain_nbgrader_gives_the_same_mark(graded: Graded) -> None:
    """From the course root, as its own users type it; exit code 0 and the mark as before."""
    shutil.rmtree(graded.root / "work/course/verdicts", ignore_errors=True)
    for step in (
        ["autograde", ASSIGNMENT, "--force", "--student", "no-jitter"],
        ["export", "--to", "plain.csv"],
    ):
        command = [sys.executable, "-m", "nbgrader", *step]
        done = subprocess.run(command, cwd=graded.root, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
    assert (graded.root / "plain.csv").read_bytes() == graded.table
