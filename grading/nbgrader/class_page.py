"""The class view as a page for a notebook: bars and tables, no scripts, all that came from a learner escaped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import fields
from html import escape
from typing import Any

from grading.nbgrader.class_view import ClassView, Requirement
from grading.nbgrader.safe import plain

# Okabe and Ito: told apart with any colour vision; each part of a bar carries its number as well.
PASSED, FAILED, UNKNOWN = "#0072B2", "#D55E00", "#999999"
HEADS = {
    "requirement": "Requirement",
    "exercise": "Exercise",
    "learners": "Learners",
    "expected": "Expected",
    "got": "What happened instead",
    "run": "Smallest run",
    "students": "Who",
    "student": "Who",
    "why": "Why",
    "one": "Who",
    "other": "And who",
    "per_cent": "Alike, %",
    "points": "Points",
    "max_points": "of",
    "lost": "Lost in",
    "judged": "Judged",
    "median_s": "Median, s",
    "longest_s": "Longest, s",
    "longest": "Whose",
}


def requirements(view: ClassView) -> str:
    """A bar for each requirement: how many learners passed it, failed it, or were not shown to do either."""
    return "".join(
        f"<h3>{escape(exercise)}</h3>{_bars([r for r in view.requirements if r.exercise == exercise])}"
        for exercise in dict.fromkeys(each.exercise for each in view.requirements)
    )


def table(view: ClassView, name: str, empty: str) -> str:
    """One of `view.tables()`; `empty`: what is said if it has no rows."""
    kind, rows = view.tables()[name]
    if not rows:
        return f"<p>{escape(empty)}</p>"
    columns = [each.name for each in fields(kind)]
    return _table(
        [HEADS.get(column, column) for column in columns],
        [[getattr(row, c) for c in columns] for row in rows],
    )


def _bars(rows: Sequence[Requirement]) -> str:
    legend = " ".join(
        f'<span style="border-left:0.9em solid {colour};padding:0 0.8em 0 0.3em">{word}</span>'
        for colour, word in ((PASSED, "passed"), (FAILED, "failed"), (UNKNOWN, "not shown"))
    )
    lines = "".join(
        f"<tr><th scope=row {LEFT}>{escape(row.requirement)}</th><td {LEFT}>{escape(row.title)}</td>"
        f'<td style="min-width:16em">{_bar(row)}</td>'
        f"<td {RIGHT}>{row.passed}</td><td {RIGHT}>{row.failed}</td><td {RIGHT}>{row.unknown}</td>"
        f"<td {RIGHT}>{row.points:g} of {row.max_points:g}</td></tr>"
        for row in rows
    )
    heads = "".join(
        f"<th scope=col {LEFT if i < 3 else RIGHT}>{head}</th>"
        for i, head in enumerate(
            ("Requirement", "", "Learners", "passed", "failed", "not shown", "Mean points")
        )
    )
    return f"<p>{legend}</p><table><thead><tr>{heads}</tr></thead><tbody>{lines}</tbody></table>"


def _bar(row: Requirement) -> str:
    total = row.passed + row.failed + row.unknown
    parts = "".join(
        f'<span style="width:{100 * count / total:.2f}%;background:{colour};color:#fff;'
        f'text-align:center;overflow:hidden">{count}</span>'
        for count, colour in ((row.passed, PASSED), (row.failed, FAILED), (row.unknown, UNKNOWN))
        if count
    )
    return f'<div aria-hidden=true style="width:16em;display:flex;font-size:0.8em">{parts}</div>'


LEFT, RIGHT = 'style="text-align:left;vertical-align:top"', 'style="text-align:right;vertical-align:top"'


def _table(heads: Iterable[str], rows: Iterable[Iterable[Any]]) -> str:
    head = "".join(f"<th scope=col {LEFT}>{escape(each)}</th>" for each in heads)
    body = "".join(
        f"<tr>{''.join(f'<td {LEFT}>{escape(plain(str(value)))}</td>' for value in row)}</tr>" for row in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
