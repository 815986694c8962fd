"""An instructor's whole cycle, by the formgrader's buttons in a browser: what each did is seen on the page, and in the
files and the gradebook behind it. The marks are those of `workbench course`."""

import csv
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import FrameLocator, Locator, expect

from grading.nbgrader import sample
from grading.nbgrader.steps import Course
from tests.browser.driver import Lab, Visit, blameless, chromium, empty_home, on_a_free_port, serving

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore"),  # nbgrader's gradebook provokes some
    pytest.mark.skipif(chromium() is None, reason="no Chromium on PATH"),
    pytest.mark.skipif(sys.platform == "win32", reason="nbgrader has no exchange on Windows"),
]

# Milliseconds: a busy machine takes more than Playwright's five seconds.
expect.set_options(timeout=30_000)

ASSIGNMENT = "url-shortener"
NOTEBOOK, ANSWER = "04-detailed-design", "status-answer"
NAMES = {"amara": "Okafor, Amara", "chiara": "Ricci, Chiara", "elif": "Kaya, Elif"}
"""All right; late, and with a stampede; with a notebook that cannot be read, and without prose."""
SCORES = {"amara": 200, "chiara": 197, "elif": 116}
"""Before a person has marked anything, and before what it costs to be late."""
STAMPEDE = {"single-flight": "0 / 2", "cancellation": "0 / 1"}
JUDGING = 120_000
"""Milliseconds. One submission is judged within a sixth of it."""


@pytest.fixture
def course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Course:
    """What `make teach` makes, with half the class."""
    learners = tuple(each for each in sample.CLASS if each.name in NAMES)
    monkeypatch.setattr(sample, "CLASS", learners)
    sample.prepare(tmp_path / "class")
    course = Course(tmp_path / "class", ASSIGNMENT)
    # fewer than a course draws, and the same each time: a test has to be quick, and to fail for a reason
    (course.work / "seeds.toml").write_text('secret = "of this test"\ncount = 2\n')
    return course


@pytest.fixture
def teach(course: Course, tmp_path: Path) -> Iterator[Lab]:
    command = [*on_a_free_port("teach"), "--course", str(course.root)]
    with serving(command, empty_home(tmp_path / "home"), course.root, tmp_path / "teach.log") as lab:
        yield lab
    assert "Traceback" not in (tmp_path / "teach.log").read_text()


@pytest.fixture
def visit(tmp_path: Path) -> Iterator[Visit]:
    with blameless(tmp_path) as visit:
        yield visit


@pytest.fixture
def formgrader(teach: Lab, visit: Visit) -> "Formgrader":
    """As START-HERE.md says: by JupyterLab's menu."""
    visit.page.goto(teach.address("START-HERE.md"))
    visit.page.wait_for_selector(".jp-RenderedMarkdown h1")
    visit.menu("Nbgrader", "Formgrader")
    visit.page.wait_for_selector("iframe")
    return Formgrader(visit, visit.page.frame_locator("iframe"))


class Formgrader:
    """nbgrader's pages, in their tab of JupyterLab."""

    def __init__(self, visit: Visit, frame: FrameLocator) -> None:
        self.visit = visit
        self.frame = frame

    def row(self, text: str) -> Locator:
        return self.frame.locator(f"#main-table tr:has(:text-is('{text}'))")

    def follow(self, words: str) -> None:
        self.frame.locator(f"a:text-is('{words}'):visible").first.click()

    def settle(self) -> None:
        """Waits until nothing on the page fades or scrolls of itself."""
        [_, page] = self.visit.page.frames
        page.wait_for_function("() => !jQuery(':animated').length && !document.getAnimations().length")

    def press(self, row: Locator, button: str) -> str:
        """Presses the button in this column, and waits for what it says when it is done. Returns that."""
        row.locator(f"td.{button} a").click()
        said = self.frame.locator(".modal")
        said.wait_for(timeout=JUDGING)
        self.settle()
        self.visit.shot(button)
        expect(said.locator(".modal-title")).to_have_text("Success")
        text = said.inner_text()
        said.locator(".modal-footer button").click()
        said.wait_for(state="detached")
        return text


def test_the_whole_cycle(course: Course, formgrader: Formgrader, teach: Lab, visit: Visit) -> None:
    page, frame, work = visit.page, formgrader.frame, course.work
    row = formgrader.row(ASSIGNMENT)
    expect(row.locator(".status")).to_have_text("draft")

    # --- generate, release, collect
    formgrader.press(row, "assign")
    released = course.root / "labs" / ASSIGNMENT
    assert "BEGIN SOLUTION" in (course.root / sample.SOURCE / f"{NOTEBOOK}.ipynb").read_text("utf-8")
    assert "BEGIN SOLUTION" not in (released / f"{NOTEBOOK}.ipynb").read_text("utf-8")
    formgrader.press(row, "release")
    expect(row.locator(".status")).to_have_text("released")
    outbound = work / "exchange/system-design/outbound" / ASSIGNMENT
    assert texts(outbound, "*.ipynb") == texts(released, "*.ipynb")
    formgrader.press(row, "collect")
    expect(row.locator(".num-submissions")).to_have_text(str(len(NAMES)))
    assert {path.name for path in (work / "submitted").iterdir()} == set(NAMES)
    twin = shutil.copytree(course.root, course.root.with_name("twin"))

    # --- autograde: as `workbench course` does, and no cell was executed
    row.locator(".num-submissions a").click()
    for learner, score in SCORES.items():
        its = formgrader.row(learner)
        expect(its.locator(".status")).to_have_text("needs autograding")
        said = formgrader.press(its, "autograde")
        assert f"{learner}: redirect-cache-check: " in said
        state = "graded" if learner == "elif" else "needs manual grading"
        expect(its.locator(".status")).to_have_text(state)
        expect(its.locator(".student-name")).to_have_text(NAMES[learner])
        expect(its.locator(".score")).to_have_text(f"{score} / 215")
    visit.shot("autograded")
    assert list(outputs(work, "amara")) == ["redirect-cache-check"]
    assert exported(course) == exported(by_command(twin))

    # --- a person marks an answer, beside its rubric and the judge's report
    formgrader.follow("Manual Grading")
    formgrader.follow(ASSIGNMENT)
    formgrader.follow(NOTEBOOK)
    frame.locator("a.name-hidden").first.wait_for()
    frame.locator("button:text-is('Show All Names')").click()
    visit.shot("to-mark")
    formgrader.follow(NAMES["chiara"])
    field = frame.locator(f"#{ANSWER}")
    expect(field).to_have_class("score tabbable needs_manual_grade")
    formgrader.settle()  # it scrolls to its first field
    report = frame.locator(".output_html:has-text('redirect-cache: 17 of 20 points')")
    report.scroll_into_view_if_needed()
    visit.shot("report")
    for requirement, earned in STAMPEDE.items():
        line = report.locator(f"tr:has(code:text-is('{requirement}'))")
        expect(line.locator("td").nth(1)).to_have_text(earned)
    expect(frame.get_by_text("It decides on a status and a Cache-Control")).to_be_visible()
    essay = frame.locator(f".nbgrader_cell:has(#{ANSWER}) .rendered_html")
    number, _, rest = sample.ESSAYS[ANSWER].partition(". ")  # to Markdown a list, which begins at 302
    expect(essay.locator(f"ol[start='{number}']")).to_have_text(rest)
    expect(frame.get_by_text("Full credit")).to_have_count(2)  # by which START-HERE.md finds the field
    field.fill("4")
    with page.expect_response(lambda answer: "/api/grade/" in answer.url) as saved:
        page.keyboard.press("Tab")  # the page's own key: to the next field
    assert saved.value.ok
    expect(frame.locator(f"#{ANSWER}_extra_credit")).to_be_focused()
    formgrader.settle()
    visit.shot("marked")
    assert manual_score(course, "chiara") == 4
    formgrader.follow(NOTEBOOK)
    line = formgrader.row("4 / 5")
    expect(line.locator(".score")).to_have_text("21 / 25")
    line.locator("a.name-hidden").click()
    expect(field).to_have_value("4")

    # --- feedback, and the page that goes back
    formgrader.follow("Manual Grading")
    formgrader.follow("Manage Assignments")
    formgrader.press(row, "generate-feedback")
    formgrader.press(row, "release-feedback")
    feedback = work / "feedback"
    returned = work / "exchange/system-design/feedback"
    assert sorted(texts(returned, "*.html").values()) == sorted(texts(feedback, "**/*.html").values())
    page.goto(teach.address(f"work/course/feedback/chiara/{ASSIGNMENT}/{NOTEBOOK}.html"))
    shown = page.frame_locator(".jp-HTMLViewer iframe")
    expect(shown.locator(".total")).to_have_text("16.8 of 25 points")
    visit.shot("feedback")
    expect(shown.get_by_text("4.2 points were taken off for handing in late.")).to_be_visible()
    expect(shown.locator(f"#{ANSWER} .points")).to_have_text("4 of 5 points")
    expect(shown.locator("section[role=region]")).to_contain_text("without single flight")


def texts(folder: Path, pattern: str) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text("utf-8") for path in folder.glob(pattern)}


def outputs(work: Path, learner: str) -> dict[str, list[Any]]:
    """Cell -> its outputs, of the graded notebook."""
    path = work / "autograded" / learner / ASSIGNMENT / f"{NOTEBOOK}.ipynb"
    cells = json.loads(path.read_text("utf-8"))["cells"]
    return {
        cell["metadata"]["nbgrader"]["grade_id"]: cell["outputs"] for cell in cells if cell.get("outputs")
    }


def by_command(root: Path) -> Course:
    """The same class, graded at the command line by a judge that has no verdict on file."""
    assert not (root / "work/course/verdicts").exists()
    command = [sys.executable, "-m", "workbench.cli", "course", "autograde", "--root", str(root)]
    subprocess.run(command, check=True, capture_output=True)
    return Course(root, ASSIGNMENT)


def exported(course: Course) -> list[dict[str, str]]:
    """The marks, by learner and requirement."""
    course.export(course.root / "grades.csv")
    return list(csv.DictReader((course.root / "grades.csv").read_text("utf-8").splitlines()))


def manual_score(course: Course, learner: str) -> float | None:
    from nbgrader.api import Gradebook

    with closing(Gradebook(course.config.CourseDirectory.db_url)) as gradebook:
        score: float | None = gradebook.find_grade(ANSWER, NOTEBOOK, ASSIGNMENT, learner).manual_score
        return score
