"""An update of the notebooks: what nobody touched is replaced, what somebody worked in stays, and all is said."""

from pathlib import Path

import pytest
from workbench.copies import NOTE, Copied, copy_notebooks


@pytest.fixture
def labs(tmp_path: Path) -> Path:
    return tmp_path / "labs"


@pytest.fixture
def work(tmp_path: Path) -> Path:
    return tmp_path / "work"


def put(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_what_is_there_stays_and_what_is_new_comes(labs: Path, work: Path) -> None:
    put(labs, "url-shortener/04.ipynb", "released")
    assert [path.name for path in copy_notebooks(labs, work).added] == ["04.ipynb"]
    put(labs, "url-shortener/05.ipynb", "new")
    assert copy_notebooks(labs, work) == Copied(added=[work / "url-shortener/05.ipynb"])
    assert copy_notebooks(labs, work) == Copied()
    assert copy_notebooks(labs, work).text(work) == ""


def test_a_new_version_replaces_what_nobody_touched(labs: Path, work: Path) -> None:
    put(labs, "04.ipynb", "released")
    copy_notebooks(labs, work)
    put(labs, "04.ipynb", "released anew")
    found = copy_notebooks(labs, work)
    assert found == Copied(replaced=[work / "04.ipynb"])
    assert found.text(work) == "1 brought up to date"
    assert (work / "04.ipynb").read_text() == "released anew"


def test_a_new_version_lies_beside_what_somebody_worked_in(labs: Path, work: Path) -> None:
    put(labs, "url-shortener/04.ipynb", "released")
    copy_notebooks(labs, work)
    mine = put(work, "url-shortener/04.ipynb", "mine")
    for number, name in enumerate(["04.new.ipynb", "04.new-2.ipynb"]):
        put(labs, "url-shortener/04.ipynb", f"released anew {number}")
        found = copy_notebooks(labs, work)
        assert found == Copied(beside={mine: mine.with_name(name)})
        assert found.text(work) == (
            f"url-shortener/04.ipynb has a new version. Yours stays; the new one is {name}"
        )
        assert mine.with_name(name).read_text() == f"released anew {number}"
        assert copy_notebooks(labs, work) == Copied()  # said once
    assert mine.read_text() == "mine"


@pytest.mark.parametrize("note", [None, "not JSON", "[]"])
def test_without_a_note_nothing_is_taken_for_untouched(labs: Path, work: Path, note: str | None) -> None:
    put(labs, "04.ipynb", "released anew")
    mine = put(work, "04.ipynb", "released")
    if note is not None:
        put(work, NOTE, note)
    assert copy_notebooks(labs, work) == Copied()
    assert mine.read_text() == "released"


@pytest.mark.parametrize("what", ["folder", "link"])
def test_whatever_is_in_the_way_stays(labs: Path, work: Path, what: str) -> None:
    put(labs, "04.ipynb", "released")
    work.mkdir()
    if what == "folder":
        (work / "04.ipynb").mkdir()
    else:
        (work / "04.ipynb").symlink_to("nowhere")
    copy_notebooks(labs, work)
    put(labs, "04.ipynb", "released anew")
    assert copy_notebooks(labs, work) == Copied()
