"""The feedback page: points, the report, and the learner's own answers. One file that loads and runs nothing.

nbgrader's own page shows the source of the tests, passes on scripts that outputs hold, and loads three libraries
from elsewhere; this one is written from the graded cells alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup
from nbconvert.exporters import Exporter
from nbformat.notebooknode import NotebookNode
from nbgrader import utils
from nbgrader.preprocessors import GetGrades

from grading.nbgrader.lift import CHECK
from grading.nbgrader.preprocessor import report_of, unmarked
from grading.nbgrader.restore import Resources
from grading.nbgrader.safe import markdown_to_safe_html, plain

TEMPLATES = Path(__file__).parent / "templates"
UNMARKED = "unmarked"
"""In the metadata of a graded cell, for the page."""


@dataclass(frozen=True, slots=True)
class Part:
    """One graded cell, or one answer, ready to show. `points`: None where the cell carries none. `unmarked`: a person
    has still to mark it."""

    id: str
    title: str
    points: float | None
    max_points: float | None
    report: Markup | None
    answer: Markup | None
    left_as_released: bool
    unmarked: bool
    comment: Markup | None


def parts(nb: NotebookNode) -> list[Part]:
    """The cells of a graded notebook that a learner gets feedback on; nothing else is shown.

    Verdicts come first, then the components that they are about, then all other answers.
    """
    shown = [
        cell for cell in nb.cells if utils.is_grade(cell) or utils.is_solution(cell) or utils.is_task(cell)
    ]
    tests = {cell.metadata.nbgrader["grade_id"] for cell in shown if _is_test(cell)}
    return sorted(map(_part, shown), key=lambda part: (part.report is None, f"{part.id}{CHECK}" not in tests))


def _is_test(cell: NotebookNode) -> bool:
    return bool(utils.is_grade(cell) and not utils.is_solution(cell))


def _part(cell: NotebookNode) -> Part:
    meta = cell.metadata.nbgrader
    carries_points = utils.is_grade(cell) or utils.is_task(cell)
    # nbgrader's own remark on a solution cell that nobody touched
    comment = meta.get("comment")
    untouched = comment == "No response."
    return Part(
        id=meta["grade_id"],
        title="Verdict" if _is_test(cell) else "Your answer",
        points=meta.get("score") if carries_points else None,
        max_points=meta.get("points") if carries_points else None,
        report=_report(cell) if _is_test(cell) else None,
        answer=None if _is_test(cell) or untouched else _answer(cell),
        left_as_released=untouched,
        unmarked=bool(meta.get(UNMARKED)),
        comment=Markup(markdown_to_safe_html(comment)) if comment and not untouched else None,
    )


def _report(cell: NotebookNode) -> Markup:
    """The judge's report; every other output, of which there should be none, stays away."""
    pages = [o.data["text/html"] for o in cell.get("outputs", []) if report_of(o) and "text/html" in o.data]
    return Markup("\n").join(Markup(page) for page in pages)


def _answer(cell: NotebookNode) -> Markup:
    if cell.cell_type == "markdown":
        return Markup(markdown_to_safe_html(cell.source))
    numbered = (f"{n:>4}  {line}" for n, line in enumerate(plain(cell.source).split("\n"), start=1))
    return Markup('<pre class="code" tabindex="0">{}</pre>').format("\n".join(numbered))


def page(nb: NotebookNode, resources: Resources) -> str:
    """The HTML page. `resources["nbgrader"]` holds notebook, assignment, score, max_score and late_penalty."""
    jinja = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    return jinja.get_template("feedback.html.j2").render(about=resources["nbgrader"], parts=parts(nb))


class GetMarks(GetGrades):  # type: ignore[misc]
    """nbgrader's own step; and an answer that nobody has read is not one that earned nothing."""

    def _get_score(self, cell: NotebookNode, resources: Resources) -> None:
        super()._get_score(cell, resources)
        grade = self.gradebook.find_grade(
            cell.metadata.nbgrader["grade_id"], self.notebook_id, self.assignment_id, self.student_id
        )
        cell.metadata.nbgrader[UNMARKED] = unmarked(grade)


class FeedbackPage(Exporter):
    """nbconvert exporter: `GetGrades` has put scores and comments into the cells; this makes the page."""

    file_extension = ".html"
    output_mimetype = "text/html"

    def from_notebook_node(self, nb: NotebookNode, resources: Any = None, **kw: Any) -> tuple[Any, Resources]:
        """(the page, resources)."""
        nb, resources = super().from_notebook_node(nb, resources, **kw)
        return page(nb, resources), resources
