"""The ledger of claims against the notebooks: every claim has its cell, and what carries a claim is in the ledger."""

from collections import Counter
from pathlib import Path
from typing import Any

import nbformat
import pytest
from workbench.ledger import Claim, claims, page

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "grading/source"
CASE = "url-shortener"
OF_THE_CASE = {"requirements": 9, "estimation": 8, "high-level": 10, "detailed": 37, "scaling": 11}
"""How many claims the two write-ups make about this case, step by step."""

LEDGER = claims()


def tagged() -> dict[str, set[str]]:
    """Claim -> the cells, as `NOTEBOOK#CELL-ID`, that carry it."""
    found: dict[str, set[str]] = {}
    for path in sorted((SOURCE / CASE).glob("*.ipynb")):
        notebook: Any = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
        for cell in notebook.cells:
            for tag in cell.metadata.get("tags", []):
                if tag.startswith("claim:"):
                    found.setdefault(tag.removeprefix("claim:"), set()).add(f"{path.stem}#{cell.id}")
    return found


def test_no_claim_is_there_twice_and_none_of_the_case_is_missing() -> None:
    assert [id for id, count in Counter(claim.id for claim in LEDGER).items() if count > 1] == []
    own = Counter(claim.step for claim in LEDGER if claim.id.startswith("url-"))
    assert own == OF_THE_CASE


@pytest.mark.parametrize("claim", LEDGER, ids=lambda claim: claim.id)
def test_its_cell_is_there_and_carries_its_id(claim: Claim) -> None:
    assert claim.cell in tagged().get(claim.id, set())
    assert claim.because.endswith(".")


def test_what_a_cell_carries_is_in_the_ledger() -> None:
    assert sorted(set(tagged()) - {claim.id for claim in LEDGER}) == []


@pytest.mark.parametrize("claim", [c for c in LEDGER if c.finding == "refuted"], ids=lambda claim: claim.id)
def test_what_refutes_a_claim_is_computed(claim: Claim) -> None:
    notebook: Any = nbformat.read(SOURCE / CASE / f"{claim.notebook}.ipynb", as_version=4)  # type: ignore[no-untyped-call]
    (cell,) = (cell for cell in notebook.cells if cell.id == claim.cell_id)
    assert cell.cell_type == "code"


def test_the_page_lists_all_with_a_link() -> None:
    text = page(CASE, LEDGER)
    assert all(f"]({claim.link})" in text for claim in LEDGER)
    assert text.count("\n| ") == len(LEDGER) + sum(
        1 for line in text.splitlines() if line.startswith("| claim")
    )
