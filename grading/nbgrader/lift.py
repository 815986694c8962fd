"""Lifts components and answers out of a restored notebook, as text. Nothing is executed, imported or compiled here.

A test cell `NAME-check` is decided by the component or answer in the solution cell `NAME`. Which slot or answer it
is, the released cell says (its first line), never the learner's.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from nbformat.notebooknode import NotebookNode
from nbgrader import utils

from grading.answers import ANSWERS
from grading.nbgrader.restore import NOTES, ReleasedCell

CHECK = "-check"
MAX_SOURCE = 200_000
"""Characters of one component at most; the reference has about 6,000."""
MAGIC = re.compile(r"%%(?:component|answer)[ \t]+(?P<slot>[\w./-]+)[ \t]*")


@dataclass(frozen=True, slots=True)
class Component:
    """A learner's module for `slot`: the cell below its `%%component` line. Of an answer, `slot` is its id."""

    slot: str
    source: str


@dataclass(frozen=True, slots=True)
class Unusable:
    """There is no component to judge; `why` is told to the learner."""

    why: str


class Misconfigured(Exception):
    """The released notebook itself cannot be graded: a matter for the instructor, not for a learner."""


def split(cell_source: str) -> tuple[str | None, str]:
    """(slot, text) of a `%%component` or `%%answer` cell; slot is None where the first line is something else.

    As in the notebook, the text's first line is empty: it stands for the magic, so that lines count alike.
    """
    first, _, rest = cell_source.lstrip("\n").partition("\n")
    match = MAGIC.fullmatch(first.rstrip())
    return (match["slot"], f"\n{rest}") if match else (None, cell_source)


def slots(released: list[ReleasedCell]) -> dict[str, str]:
    """Test cell's grade id -> slot, for each automatically graded cell. Raises Misconfigured where one has none."""
    by_id = {cell.grade_id: cell for cell in released}
    found: dict[str, str] = {}
    for cell in released:
        if not cell.grade or cell.solution or cell.cell_type != "code":
            continue
        solution = by_id.get(cell.grade_id.removesuffix(CHECK))
        slot = split(solution.source)[0] if solution is not None and solution.solution else None
        if slot is None:
            raise Misconfigured(
                f"test cell {cell.grade_id!r}: there is no solution cell {cell.grade_id.removesuffix(CHECK)!r}"
                " that begins with %%component SLOT or %%answer ID"
            )
        found[cell.grade_id] = slot
    return found


def given(released: list[ReleasedCell]) -> dict[str, str]:
    """Test cell's grade id -> the text that learners get for its exercise. Raises Misconfigured."""
    texts = {cell.grade_id: cell.source for cell in released}
    return {test: split(texts[test.removesuffix(CHECK)])[1] for test in slots(released)}


def lift(nb: NotebookNode, test_id: str, slot: str) -> Component | Unusable:
    """What the test cell `test_id` is decided by, from a restored notebook `nb`."""
    name = test_id.removesuffix(CHECK)
    if why := nb.metadata.get(NOTES, {}).get("unusable", {}).get(name):
        return Unusable(why)
    cells = [c for c in nb.cells if utils.is_solution(c) and c.metadata.nbgrader.get("grade_id") == name]
    if len(cells) != 1:
        return Unusable(f"The notebook has {len(cells)} cells with the id `{name}` where it should have one.")
    named, source = split(cells[0].source)
    if named != slot:
        magic = "answer" if slot in ANSWERS else "component"
        return Unusable(f"The first line of the cell `{name}` must be `%%{magic} {slot}`. Put it back.")
    if len(source) > MAX_SOURCE:
        return Unusable(f"The component has {len(source):,} characters; at most {MAX_SOURCE:,} are judged.")
    return Component(slot, source)
