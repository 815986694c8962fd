"""First pass over a submission: the cells get back the shape that was released, whatever was done to them.

nbgrader's own checks come after and find nothing to complain of; where they do complain (a schema of another
version, a test cell turned into prose, the same id twice) they would end the whole batch.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nbconvert.exporters import NotebookExporter
from nbformat.notebooknode import NotebookNode, from_dict
from nbformat.v4 import new_notebook
from nbgrader.api import Gradebook
from nbgrader.preprocessors import NbGraderPreprocessor

from grading.nbgrader.submission import Submission, SubmittedCell, read

NOTES = "workbench"
"""Key in a restored notebook's metadata. It holds what was wrong: `{"unusable": {grade_id: why}, "mended": [text]}`."""

Resources = dict[str, Any]


@dataclass(frozen=True, slots=True)
class ReleasedCell:
    """A cell that the gradebook knows: what it was when the assignment was generated. `points`: None if not graded."""

    grade_id: str
    cell_type: str
    source: str
    checksum: str | None
    locked: bool
    grade: bool
    solution: bool
    task: bool
    points: float | None

    def metadata(self) -> dict[str, Any]:
        """The nbgrader metadata that this cell has by right."""
        meta: dict[str, Any] = {
            "schema_version": 3,
            "grade": self.grade,
            "solution": self.solution,
            "locked": self.locked,
            "task": self.task,
            "grade_id": self.grade_id,
            "cell_type": self.cell_type,
        }
        if self.checksum is not None:
            meta["checksum"] = self.checksum
        if self.points is not None:
            meta["points"] = self.points
        return {"nbgrader": meta}


_read: dict[tuple[str, str, str], list[ReleasedCell]] | None = None


@contextmanager
def read_once() -> Iterator[None]:
    """Within, what was released is read from the gradebook once for each notebook: while submissions are graded,
    nothing changes it."""
    global _read
    _read = {}
    try:
        yield
    finally:
        _read = None


def released_cells(db_url: str, assignment: str, notebook: str) -> list[ReleasedCell]:
    """The cells of `notebook` that nbgrader tracks, by grade id. Raises nbgrader's MissingEntry if it knows none."""
    if _read is None:
        return _cells(db_url, assignment, notebook)
    which = (db_url, assignment, notebook)
    if which not in _read:
        _read[which] = _cells(*which)
    return _read[which]


def _cells(db_url: str, assignment: str, notebook: str) -> list[ReleasedCell]:
    with Gradebook(db_url) as gradebook:
        known = gradebook.find_notebook(notebook, assignment)
        points = {cell.name: float(cell.max_score) for cell in [*known.grade_cells, *known.task_cells]}
        graded = {cell.name for cell in known.grade_cells}
        solutions = {cell.name for cell in known.solution_cells}
        tasks = {cell.name for cell in known.task_cells}
        return [
            ReleasedCell(
                grade_id=cell.name,
                cell_type=cell.cell_type,
                source=cell.source,
                checksum=cell.checksum,
                locked=bool(cell.locked),
                grade=cell.name in graded,
                solution=cell.name in solutions,
                task=cell.name in tasks,
                points=points.get(cell.name),
            )
            for cell in sorted(known.source_cells, key=lambda cell: str(cell.name))
        ]


def restore(submission: Submission, released: list[ReleasedCell]) -> NotebookNode:
    """A notebook of clean cells: released ones with their own metadata, the learner's other cells without any.

    A solution that is missing, there twice or of another type cannot be judged: it is named in the notes, and the
    cell holds the released text, so that a person who grades by hand has a place for a comment.
    """
    by_id = {cell.grade_id: cell for cell in released}
    seen = Counter(cell.grade_id for cell in submission.cells if cell.grade_id in by_id)
    unusable: dict[str, str] = {}
    mended: list[str] = []
    cells: list[NotebookNode] = []
    placed: set[str] = set()

    for cell in submission.cells:
        known = by_id.get(cell.grade_id or "")
        if known is None or known.grade_id in placed:
            cells.append(_new(cell.cell_type, cell.source, len(cells)))
            continue
        placed.add(known.grade_id)
        mended += _changed(cell, known)
        source = known.source if known.locked else cell.source
        if known.solution and seen[known.grade_id] > 1:
            unusable[known.grade_id] = (
                f"The notebook has {seen[known.grade_id]} cells with the id `{known.grade_id}`, so it is not clear"
                " which one counts. Keep one, and delete the copies."
            )
        elif known.solution and cell.cell_type != known.cell_type:
            unusable[known.grade_id] = (
                f"The cell `{known.grade_id}` was changed from a {known.cell_type} cell into a {cell.cell_type} cell."
            )
        cells.append(_new(known.cell_type, source, len(cells), known.metadata()))

    for known in released:
        if known.grade_id in placed:
            continue
        if known.solution:
            unusable[known.grade_id] = submission.problem or (
                f"The cell `{known.grade_id}`, which holds the exercise, is not in the notebook. It was deleted, or its"
                " id was changed. Take a fresh copy of the notebook and put your class into its cell."
            )
        elif submission.problem is None:
            mended.append(f"The cell `{known.grade_id}` had been deleted; it was put back.")
        cells.append(_new(known.cell_type, known.source, len(cells), known.metadata()))

    return _notebook(cells, {NOTES: {"unusable": unusable, "mended": mended}})


def _changed(cell: SubmittedCell, known: ReleasedCell) -> list[str]:
    """What a report says of metadata that differs from the released one. It was put right, and costs nothing."""
    right = known.metadata()["nbgrader"]
    notes = [
        f"`{name}` of the cell `{known.grade_id}` had been changed; it was set back to {right[name]!r}."
        for name in ("points", "grade", "solution", "locked", "schema_version")
        if name in right and name in cell.claims and cell.claims[name] != right[name]
    ]
    if known.locked and cell.source != known.source:
        notes.append(f"The text of the locked cell `{known.grade_id}` had been changed; it was put back.")
    return notes


def _new(cell_type: str, source: str, index: int, metadata: dict[str, Any] | None = None) -> NotebookNode:
    """As nbformat would make it, which checks each against its schema; here the whole is, when it is written."""
    own: dict[str, Any] = {"execution_count": None, "outputs": []} if cell_type == "code" else {}
    cell = {"cell_type": cell_type, "id": f"cell-{index}", "metadata": metadata or {}, "source": source}
    return _node(cell | own)


def _notebook(cells: list[NotebookNode], metadata: dict[str, Any]) -> NotebookNode:
    notebook: NotebookNode = new_notebook(cells=cells, metadata=_node(metadata))  # type: ignore[no-untyped-call]
    return notebook


def _node(value: dict[str, Any]) -> NotebookNode:
    node: NotebookNode = from_dict(value)  # type: ignore[no-untyped-call]
    return node


class SubmissionExporter(NotebookExporter):
    """Writes notebooks as nbgrader does, and in the first pass reads them without trusting them.

    The first pass is the one that `RestoreCells` belongs to; it alone sees learners' files. The second pass reads
    what the first one wrote.
    """

    def from_filename(
        self, filename: str, resources: Resources | None = None, **kw: Any
    ) -> tuple[Any, Resources]:
        """(the notebook's text, resources). Reads `filename`."""
        if not any(isinstance(step, RestoreCells) for step in self._preprocessors):
            return super().from_filename(filename, resources=resources, **kw)
        resources = {**(resources or {}), "submission": read(Path(filename))}
        output, resources = self.from_notebook_node(  # type: ignore[no-untyped-call]
            _notebook([], {}), resources=resources, **kw
        )
        resources.pop("submission", None)
        return output, resources


class RestoreCells(NbGraderPreprocessor):  # type: ignore[misc]
    """nbgrader preprocessor: makes the notebook anew from the submission's cells and the gradebook's."""

    def preprocess(self, nb: NotebookNode, resources: Resources) -> tuple[NotebookNode, Resources]:
        about = resources["nbgrader"]
        released = released_cells(about["db_url"], about["assignment"], about["notebook"])
        nb = restore(resources["submission"], released)
        for grade_id, why in nb.metadata[NOTES]["unusable"].items():
            self.log.warning("%s: %s: %s", about["student"], grade_id, why)
        for note in nb.metadata[NOTES]["mended"]:
            self.log.warning("%s: %s", about["student"], note)
        return nb, resources
