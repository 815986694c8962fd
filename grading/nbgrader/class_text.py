"""The class view in a terminal."""

from __future__ import annotations

import textwrap

from grading.nbgrader.class_view import ClassView
from grading.nbgrader.safe import plain

IDEAS, LOOKS = 10, 20
"""Lines of each that are shown; the tables hold all."""


def summary(view: ClassView) -> str:
    """Requirements, the commonest wrong ideas, what to look at, who is alike."""
    lines = [f"{len(view.learners)} learners"]
    lines += [
        f"  {each.student}: {each.points:g} of {each.max_points:g} points of the judge" for each in view.each
    ]
    for exercise in dict.fromkeys(each.exercise for each in view.requirements):
        lines += ["", f"{exercise}    passed, failed, not shown"]
        for row in view.requirements:
            if row.exercise == exercise:
                counts = f"{row.passed:>4} {row.failed:>4} {row.unknown:>4}"
                lines.append(f"  {counts}  {row.requirement}: {row.points:g} of {row.max_points:g} points")
    if view.ideas:
        lines += ["", "The commonest wrong ideas"]
    for idea in view.ideas[:IDEAS]:
        lines += ["", f"  {idea.learners} × {idea.exercise}, {idea.requirement}: {idea.students}"]
        lines += _wrapped(f"expected: {idea.expected}")
        lines += _wrapped(f"instead: {idea.got}")
    if view.looks:
        lines += ["", "To look at"]
    for look in view.looks[:LOOKS]:
        what = ", ".join(filter(None, (look.student, look.exercise, look.requirement)))
        lines += _wrapped(f"{what}: {look.why}", "  ")
    if len(view.looks) > LOOKS:
        lines.append(f"  … and {len(view.looks) - LOOKS} more")
    if view.alike:
        lines += ["", "Nearly the same text (a reason to look, no proof)"]
    lines += [f"  {pair.per_cent} %  {pair.exercise}: {pair.one} and {pair.other}" for pair in view.alike]
    return "\n".join(plain(line) for line in lines)


def _wrapped(text: str, indent: str = "      ") -> list[str]:
    return textwrap.wrap(text, 100, initial_indent=indent, subsequent_indent=f"{indent}  ")
