"""Whatever bytes are handed in: they are read or refused with a reason, and the cells get their released shape back."""

import json
from pathlib import Path
from typing import Any

import pytest

from grading.nbgrader.lift import Component, Misconfigured, Unusable, lift, slots, split
from grading.nbgrader.restore import NOTES, ReleasedCell, restore
from grading.nbgrader.submission import MAX_BYTES, Submission, SubmittedCell, parse, read

SLOT = "url-shortener/redirect-cache"
SOLUTION = ReleasedCell(
    "redirect-cache", "code", f"%%component {SLOT}\nx = 1", "c1", False, False, True, False, None
)
TEST = ReleasedCell(
    "redirect-cache-check", "code", "await check(redirect_cache)", "c2", True, True, False, False, 20.0
)
RELEASED = [SOLUTION, TEST]
MINE = f"%%component {SLOT}\nclass RedirectCache: ..."


def cell(released: ReleasedCell, source: str | None = None, **claims: Any) -> SubmittedCell:
    meta = released.metadata()["nbgrader"] | claims
    return SubmittedCell(
        claims.get("cell_type", released.cell_type), source or released.source, meta["grade_id"], meta
    )


def lifted(*cells: SubmittedCell) -> Component | Unusable:
    return lift(restore(Submission(cells), RELEASED), TEST.grade_id, SLOT)


def why(*cells: SubmittedCell) -> str:
    outcome = lifted(*cells)
    assert isinstance(outcome, Unusable)
    return outcome.why


def metas(*cells: SubmittedCell) -> dict[str, Any]:
    nb = restore(Submission(cells), RELEASED)
    return {
        c.metadata.nbgrader.grade_id: dict(c.metadata.nbgrader) for c in nb.cells if "nbgrader" in c.metadata
    }


RIGHTFUL = {c.grade_id: c.metadata()["nbgrader"] for c in RELEASED}


def notebook(**changes: Any) -> dict[str, Any]:
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": []} | changes


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b" \n", "empty"),
        (b"class RedirectCache: ...", "JSON"),
        (b"\xff\xfe\x00", "JSON"),
        (b"[" * 100_000, "JSON"),
        (b'{"nbformat": ' + b"9" * 5_000 + b"}", "JSON"),
        (b"[]", "cells"),
        (b'{"cells": {}}', "cells"),
        (json.dumps(notebook(nbformat=3)).encode(), "format 4"),
        (json.dumps(notebook(nbformat=99)).encode(), "format 4"),
        (json.dumps(notebook(cells=[{}] * 2_001)).encode(), "2,000"),
    ],
)
def test_bytes_that_are_no_notebook_are_refused_with_a_reason(data: bytes, reason: str) -> None:
    submission = parse(data)
    assert submission.cells == ()
    assert submission.problem is not None
    assert reason in submission.problem


def test_cells_that_are_no_cells_are_left_out() -> None:
    cells: list[Any] = [
        None,
        7,
        {},
        {"cell_type": "heading", "source": "x"},
        {"cell_type": ["code"], "source": "x"},
        {"cell_type": "code", "source": {"a": 1}},
        {"cell_type": "code", "source": ["a\n", 7, "b"]},
        {"cell_type": "code", "source": "x", "metadata": {"nbgrader": 5}},
        {"cell_type": "code", "source": "\ud800", "metadata": {"nbgrader": {"grade_id": ["redirect-cache"]}}},
    ]
    submission = parse(json.dumps(notebook(cells=cells)).encode())
    assert [c.source for c in submission.cells] == ["a\nb", "x", "?"]
    assert all(c.grade_id is None for c in submission.cells)


def test_files_that_are_not_plain_or_too_large_are_not_read(tmp_path: Path) -> None:
    secret = tmp_path / "solution.ipynb"
    secret.write_text(json.dumps(notebook()))
    assert read(secret).problem is None
    link = tmp_path / "link.ipynb"
    link.symlink_to(secret)
    large = tmp_path / "large.ipynb"
    with large.open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    for path, reason in [
        (link, "ordinary"),
        (tmp_path, "ordinary"),
        (tmp_path / "absent", "ordinary"),
        (large, "MB"),
    ]:
        problem = read(path).problem
        assert problem is not None
        assert reason in problem


def test_a_submission_as_released_is_lifted_as_text() -> None:
    assert lifted(cell(SOLUTION, MINE), cell(TEST)) == Component(SLOT, "\nclass RedirectCache: ...")
    assert restore(Submission((cell(SOLUTION, MINE), cell(TEST))), RELEASED).metadata[NOTES]["mended"] == []


@pytest.mark.parametrize(
    "claims",
    [
        {"points": 2000},
        {"points": "many"},
        {"points": None},
        {"schema_version": 99},
        {"schema_version": "3"},
        {"grade": False},
        {"locked": False},
        {"solution": True},
        {"task": True},
        {"checksum": {"nested": []}},
        {"cell_type": "markdown"},
        {"unheard-of": 1},
    ],
)
def test_metadata_is_set_back_and_costs_nothing(claims: dict[str, Any]) -> None:
    assert metas(cell(SOLUTION, MINE), cell(TEST, "print(20)", **claims)) == RIGHTFUL
    assert lifted(cell(SOLUTION, MINE), cell(TEST, "print(20)", **claims)) == Component(
        SLOT, "\nclass RedirectCache: ..."
    )


def test_a_test_cell_that_is_gone_comes_back_with_its_text_and_points() -> None:
    nb = restore(Submission((cell(SOLUTION, MINE),)), RELEASED)
    assert nb.cells[-1].source == TEST.source
    assert metas(cell(SOLUTION, MINE)) == RIGHTFUL
    assert "put back" in nb.metadata[NOTES]["mended"][0]


def test_a_test_cell_there_twice_counts_once() -> None:
    nb = restore(Submission((cell(SOLUTION, MINE), cell(TEST), cell(TEST))), RELEASED)
    assert [c.metadata.get("nbgrader", {}).get("grade_id") for c in nb.cells].count(TEST.grade_id) == 1


def test_what_cannot_be_judged_says_why() -> None:
    assert "not in the notebook" in why(cell(TEST))
    assert "not in the notebook" in why(cell(SOLUTION, MINE, grade_id="my-cache"), cell(TEST))
    assert "2 cells" in why(cell(SOLUTION, MINE), cell(SOLUTION, MINE), cell(TEST))
    assert "markdown" in why(cell(SOLUTION, MINE, cell_type="markdown"), cell(TEST))
    assert "first line" in why(cell(SOLUTION, "class RedirectCache: ..."), cell(TEST))
    assert "first line" in why(cell(SOLUTION, MINE.replace("redirect-cache", "code-source")), cell(TEST))
    assert "characters" in why(cell(SOLUTION, MINE + "#" * 200_001), cell(TEST))


def test_a_solution_claimed_under_the_test_cells_id_is_not_executed_nor_judged() -> None:
    assert metas(cell(TEST, MINE), cell(TEST)) == RIGHTFUL
    assert "not in the notebook" in why(cell(TEST, MINE), cell(TEST))


@pytest.mark.parametrize("line", ["%%component a/b", "\n\n%%component a/b  ", "%%component \ta/b\r"])
def test_the_first_line_names_the_slot(line: str) -> None:
    assert split(f"{line}\nbody") == ("a/b", "\nbody")


@pytest.mark.parametrize(
    "line", ["%%component", "%%component a b", " %%component a/b", "# %%component a/b", "%%bash a/b"]
)
def test_other_first_lines_name_none(line: str) -> None:
    assert split(f"{line}\nbody")[0] is None


def test_the_slot_comes_from_the_released_cell() -> None:
    assert slots(RELEASED) == {TEST.grade_id: SLOT}


def test_a_test_cell_without_a_component_is_the_instructors_mistake() -> None:
    with pytest.raises(Misconfigured, match="redirect-cache-check"):
        slots([TEST])
