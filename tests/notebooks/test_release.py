"""What learners get is what the source releases, byte for byte, and keeps the rules of a notebook (house rule 11)."""

import ast
import shutil
from pathlib import Path
from typing import Any

import nbformat
import pytest
from workbench.release import RELEASE, ROOT, SOURCE, config, release, released

from grading.nbgrader.steps import Course

SOURCES = sorted((ROOT / SOURCE).glob("*/*.ipynb"))
LONGEST_CELL = 25


def read(path: Path) -> Any:
    return nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]


def test_there_is_something_to_release() -> None:
    assert [path.name for path in SOURCES] == ["04-detailed-design.ipynb"]


def test_labs_is_what_the_source_releases(tmp_path: Path) -> None:
    fresh = {path.relative_to(tmp_path): path.read_bytes() for path in release(into=tmp_path)}
    labs = ROOT / RELEASE
    committed = {path.relative_to(labs): path.read_bytes() for path in labs.glob("*/*.ipynb")}
    assert fresh.keys() == committed.keys()
    different = [str(path) for path in fresh if fresh[path] != committed[path]]
    assert different == [], "run `make labs`"


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
class TestNotebook:
    def test_releasing_twice_gives_the_same_bytes(self, source: Path) -> None:
        assert released(source, config()) == released(source, config())

    def test_it_has_stable_ids_and_neither_outputs_nor_counts(self, source: Path) -> None:
        cells = read(source).cells
        ids = [cell.id for cell in cells]
        assert len(set(ids)) == len(ids)
        assert all((id == id.lower() and not id.isalnum()) or id.isalpha() for id in ids), "ids are words"
        code = [cell for cell in cells if cell.cell_type == "code"]
        assert [cell.id for cell in code if cell.outputs or cell.execution_count] == []

    def test_no_released_cell_is_long(self, source: Path) -> None:
        code = [
            c for c in read(ROOT / RELEASE / source.relative_to(ROOT / SOURCE)).cells if c.cell_type == "code"
        ]
        assert [c.id for c in code if len(c.source.splitlines()) > LONGEST_CELL] == []

    def test_no_solution_is_released(self, source: Path) -> None:
        text = released(source, config())
        assert "SOLUTION" not in text
        assert "REPLACE_TICKET" in source.read_text("utf-8")
        assert "REPLACE_TICKET" not in text

    def test_every_prediction_is_left_to_the_learner(self, source: Path) -> None:
        notebook = nbformat.reads(released(source, config()), as_version=4)  # type: ignore[no-untyped-call]
        predictions = [cell for cell in notebook.cells if cell.id.startswith("predict-")]
        assert len(predictions) >= 5
        for cell in predictions:
            assignments = [node for node in ast.parse(cell.source).body if isinstance(node, ast.Assign)]
            assert ast.unparse(assignments[0]) == "guess = None"
            assert cell.source.count("guess = ") == 1


def test_the_exercise_starts_plain_and_its_solution_is_the_reference() -> None:
    """The two are copies, as a notebook must stand alone: so they are held together here."""
    cell = next(c for c in read(SOURCES[0]).cells if c.id == "redirect-cache")
    first, _, rest = cell.source.partition("\n")
    plain, _, solution = rest.partition("### BEGIN SOLUTION\n")
    assert first == "%%component url-shortener/redirect-cache"
    assert code_of(plain) == code_of((ROOT / "reference/shortener/plain/redirect_cache.py").read_text())
    solution = "from __future__ import annotations\n" + solution.partition("### END SOLUTION")[0]
    assert code_of(solution) == code_of((ROOT / "reference/shortener/redirect_cache.py").read_text())


def code_of(text: str) -> str:
    """Without comments, layout, and the module's docstring."""
    tree = ast.parse(text)
    if ast.get_docstring(tree) is not None:
        del tree.body[0]
    return ast.unparse(tree)


def test_the_graded_cell_is_the_one_that_grading_expects() -> None:
    cells = {c.id: c for c in read(ROOT / RELEASE / "url-shortener/04-detailed-design.ipynb").cells}
    check, solution = cells["redirect-cache-check"], cells["redirect-cache"]
    assert check.source == "await check(redirect_cache)"
    assert (check.metadata.nbgrader.points, check.metadata.nbgrader.locked) == (20, True)
    assert (solution.metadata.nbgrader.solution, solution.metadata.nbgrader.grade) == (True, False)


def test_nbgrader_generates_the_same_bytes(tmp_path: Path) -> None:
    """`workbench course generate` rewrites labs too: the two must not fight over it."""
    shutil.copytree(ROOT / SOURCE, tmp_path / SOURCE)
    Course(tmp_path, "url-shortener").generate()
    generated = {path.name: path.read_bytes() for path in (tmp_path / RELEASE).glob("*/*.ipynb")}
    assert generated == {path.name: path.read_bytes() for path in (ROOT / RELEASE).glob("*/*.ipynb")}
