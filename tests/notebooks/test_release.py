"""What learners get is what the source releases, byte for byte, and keeps the rules of a notebook (house rule 11)."""

import ast
import re
import shutil
from pathlib import Path
from typing import Any

import nbformat
import pytest
from workbench.notebook.component import variable
from workbench.release import RELEASE, ROOT, SOURCE, config, release, released, sources

from grading.answers import ANSWERS, BEGIN, judge_answer
from grading.checks import suite
from grading.judge import judge
from grading.matrix import filling
from grading.nbgrader.steps import Course

SOURCES = sources()
RELEASED = ("*.ipynb", "*/*.ipynb", "*/*.md")
LONGEST_CELL = 25
STARTS_BROKEN = {"url-shortener/base62", "url-shortener/key-pool", "url-shortener/snowflake-codes"}
"""These exercises fail on purpose: learners mend what was published."""
LONGEST_COMPONENT = 80
"""A component's cell is a module: where a learner starts, it holds the plain filling."""


def read(path: Path) -> Any:
    return nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]


def cells_of(kind: str) -> list[Any]:
    """Of all notebooks, each cell that begins with that magic, by the notebook's name and its own."""
    return [
        pytest.param(cell.source, id=f"{path.stem}-{cell.id}")
        for path in SOURCES
        for cell in read(path).cells
        if cell.source.startswith(kind) and BEGIN in cell.source
    ]


def test_there_is_something_to_release() -> None:
    assert [path.stem for path in SOURCES] == [
        "01-requirements",
        "02-estimation",
        "03-high-level-design",
        "04-detailed-design",
        "05-scaling",
        "welcome",
    ]


def test_labs_is_what_the_source_releases(tmp_path: Path) -> None:
    fresh = {path.relative_to(tmp_path): path.read_bytes() for path in release(into=tmp_path)}
    labs = ROOT / RELEASE
    committed = {path.relative_to(labs): path.read_bytes() for each in RELEASED for path in labs.glob(each)}
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
        strange = [id for id in ids if not re.fullmatch("[a-z]+[0-9]*(-[a-z0-9]+)*", id)]
        assert strange == [], "ids are words"
        code = [cell for cell in cells if cell.cell_type == "code"]
        assert [cell.id for cell in code if cell.outputs or cell.execution_count] == []

    def test_no_released_cell_is_long(self, source: Path) -> None:
        long = {
            cell.id: len(cell.source.splitlines())
            for cell in read(ROOT / RELEASE / source.relative_to(ROOT / SOURCE)).cells
            if cell.cell_type == "code"
            and len(cell.source.splitlines())
            > (LONGEST_COMPONENT if cell.source.startswith("%%component") else LONGEST_CELL)
        }
        assert long == {}

    def test_no_solution_is_released(self, source: Path) -> None:
        text = released(source, config())
        assert "SOLUTION" not in text
        for cell in read(source).cells:
            if cell.source.startswith("%%component") and BEGIN in cell.source:
                _, _, solution = cell.source.partition("### BEGIN SOLUTION\n")
                assert solution[:200] not in text

    def test_every_prediction_is_left_to_the_learner(self, source: Path) -> None:
        notebook = nbformat.reads(released(source, config()), as_version=4)  # type: ignore[no-untyped-call]
        predictions = [cell for cell in notebook.cells if cell.id.startswith("predict-")]
        assert len(predictions) >= (1 if source.stem == "welcome" else 5)
        for cell in predictions:
            assignments = [node for node in ast.parse(cell.source).body if isinstance(node, ast.Assign)]
            assert ast.unparse(assignments[0]) == "guess = None"
            assert cell.source.count("guess = ") == 1


@pytest.mark.parametrize("cell", cells_of("%%component"))
def test_an_exercise_starts_plain_and_its_solution_is_the_reference(cell: str) -> None:
    """They are copies, as a notebook must stand alone: so they are held together here."""
    first, _, rest = cell.partition("\n")
    slot = first.removeprefix("%%component ")
    plain, _, solution = rest.partition("### BEGIN SOLUTION\n")
    if slot in STARTS_BROKEN:
        assert 0 < judge(slot, plain, [1]).points < 12
        assert judge(slot, solution.partition("### END SOLUTION")[0], [1]).passed
        return
    assert code_of(plain) == code_of(filling(slot, "plain"))
    solution = "from __future__ import annotations\n" + solution.partition("### END SOLUTION")[0]
    assert code_of(solution) == code_of(filling(slot, "reference"))


@pytest.mark.parametrize("cell", cells_of("%%answer"))
def test_an_answers_solution_gets_full_marks_and_its_stub_tells_what_to_do(cell: str) -> None:
    first, _, rest = cell.partition("\n")
    id = first.removeprefix("%%answer ")
    assert judge_answer(id, f"\n{rest}").passed, judge_answer(id, f"\n{rest}").text()
    stub = judge_answer(id, "\n" + rest.partition(BEGIN)[0])
    assert stub.points < stub.max_points or not stub.max_points


def test_each_graded_cell_is_worth_what_the_judge_gives() -> None:
    for path in SOURCES:
        cells = {cell.id: cell for cell in read(path).cells}
        for cell in cells.values():
            told = cell.metadata.get("nbgrader", {})
            if not told.get("grade") or told.get("solution"):
                continue
            assert told["locked"]
            solution = cells[cell.id.removesuffix("-check")]
            id = solution.source.partition("\n")[0].split()[1]
            assert cell.source == f"await check({variable(id)})"
            most = (
                judge_answer(id, "").max_points
                if id in ANSWERS
                else sum(r.points for r in suite(id).requirements)
            )
            assert told["points"] == most


def code_of(text: str) -> str:
    """Without comments, layout, and the module's docstring."""
    tree = ast.parse(text)
    if ast.get_docstring(tree) is not None:
        del tree.body[0]
    return ast.unparse(tree)


def test_nbgrader_generates_the_same_bytes(tmp_path: Path) -> None:
    """`workbench course generate` rewrites labs too: the two must not fight over it."""
    shutil.copytree(ROOT / SOURCE, tmp_path / SOURCE)
    Course(tmp_path, "url-shortener").generate()
    generated = {path.name: path.read_bytes() for path in (tmp_path / RELEASE).glob("*/*.ipynb")}
    assert generated == {path.name: path.read_bytes() for path in (ROOT / RELEASE).glob("*/*.ipynb")}
