"""What learners get: everything that runs, nothing that gives an exercise away; and updates that harm no work."""

import ast
import json
import subprocess
from pathlib import Path

import pytest
from workbench import cli

from grading.answers.alerts.runs import unpacked
from grading.bundle import command
from grading.bundle.branch import GitError, commit
from grading.bundle.contents import HELD_BACK, PROJECT, RUNS, SHORTENER, contents, first_cells
from grading.bundle.folder import CHANGES, MANIFEST, NotABundle, write
from grading.bundle.held_back import leaks
from grading.checks.testers.bank import FILE, loads
from grading.judge import judge

TEXTS = contents(PROJECT, PROJECT)


LESSONS = ("base62", "key_pool", "redirect_cache")


def reference(module: str) -> str:
    return (PROJECT / SHORTENER / f"{module}.py").read_text("utf-8")


# --- what it holds


def test_it_holds_no_source_notebook_no_mutant_no_secret_and_no_bytecode() -> None:
    parts = {part for path in TEXTS for part in Path(path).parts}
    assert not parts & {"source", "mutants", "nbgrader", "bundle", "matrix.py", "work", "__pycache__", ".git"}
    assert not [path for path in TEXTS if path.endswith((".pyc", ".db"))]
    for path, data in TEXTS.items():
        assert b"BEGIN SOLUTION" not in data or path.endswith(".py"), path
        assert b"BEGIN HIDDEN" not in data, path


@pytest.mark.parametrize("module", HELD_BACK)
def test_another_component_stands_where_the_reference_stood(module: str) -> None:
    here = TEXTS[f"{SHORTENER}/{module}.py"].decode()
    assert here != reference(module)
    assert ast.parse(here)


def test_what_stands_there_is_what_the_exercise_begins_with_or_worth_half() -> None:
    """Three are the lessons' own: with base 10 no code would have seven characters, without a cache there is none to
    look at, and a pool has to say that it is dry."""
    for module in LESSONS:
        text = TEXTS[f"{SHORTENER}/{module}.py"].decode()
        assert judge(f"url-shortener/{module.replace('_', '-')}", text, [1]).points <= 10
    begin = first_cells(TEXTS)
    assert len(begin) == 7
    for module, text in begin.items():
        if module not in LESSONS:
            assert TEXTS[f"{SHORTENER}/{module}.py"] == TEXTS[f"{SHORTENER}/plain/{module}.py"] == text


def test_marks_are_not_given_on_recordings_that_it_holds() -> None:
    import gzip

    recordings = [path for path in TEXTS if path.endswith(f"/{FILE}")]
    assert len(recordings) == 2
    for path in recordings:
        assert all(each.shown for each in loads(gzip.decompress(TEXTS[path]).decode()))
        assert not all(each.shown for each in loads(gzip.decompress((PROJECT / path).read_bytes()).decode()))


def test_alert_rules_are_marked_on_runs_that_it_does_not_hold() -> None:
    held = {path for path in TEXTS if path.startswith(RUNS)}
    ours = {path.relative_to(PROJECT).as_posix() for path in (PROJECT / RUNS).iterdir()}
    assert held < ours
    assert all(unpacked(TEXTS[path]).truth.shown for path in held)
    assert not any(unpacked((PROJECT / path).read_bytes()).truth.shown for path in ours - held)


# --- the search for solutions


def test_it_gives_no_solution_away() -> None:
    assert leaks(PROJECT, TEXTS) == []


@pytest.mark.parametrize("module", HELD_BACK)
def test_the_search_finds_a_solution_under_other_names(module: str) -> None:
    text = reference(module).replace("self", "this").replace("code", "slug").replace("number", "n")
    found = leaks(PROJECT, TEXTS | {"labs/workbench/helper.py": text.encode()})
    assert (module, "labs/workbench/helper.py") in {(each.module, each.path) for each in found}


def test_the_search_finds_a_solution_in_a_notebook_and_as_bytecode() -> None:
    cells = [{"cell_type": "code", "source": ["# mine\n", reference("redirect_cache")]}]
    planted = {"labs/x.ipynb": json.dumps({"cells": cells}).encode(), "reference/base62.pyc": b""}
    assert [each.module for each in leaks(PROJECT, TEXTS | planted)] == ["bytecode", "redirect_cache"]


def test_nothing_is_handed_out_that_gives_a_solution_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("grading.bundle.contents.HELD_BACK", HELD_BACK[1:])
    with pytest.raises(command.Leaking, match=r"plain/base62\.py holds 100% of plain/base62"):
        command.bundle(PROJECT, tmp_path / "bundle", None)
    assert not (tmp_path / "bundle").exists()


# --- as a folder

SMALL = {"README.md": b"one", "labs/a.ipynb": b"a", "labs/b.ipynb": b"b"}


def test_a_first_bundle(tmp_path: Path) -> None:
    changes = write(SMALL, tmp_path / "new")
    assert changes.first
    assert {path: (tmp_path / "new" / path).read_bytes() for path in SMALL} == SMALL
    assert "first version" in (tmp_path / "new" / CHANGES).read_text("utf-8")


def test_an_update_says_what_it_changes_and_keeps_what_is_not_its_own(tmp_path: Path) -> None:
    write(SMALL, tmp_path)
    work = tmp_path / "work/labs/a.ipynb"
    work.parent.mkdir(parents=True)
    work.write_text("an afternoon's work")
    changes = write({"README.md": b"two", "labs/a.ipynb": b"a", "labs/c.ipynb": b"c"}, tmp_path)
    assert (changes.added, changes.changed, changes.removed) == (
        ["labs/c.ipynb"],
        ["README.md"],
        ["labs/b.ipynb"],
    )
    assert work.read_text() == "an afternoon's work"
    assert not (tmp_path / "labs/b.ipynb").exists()
    told = (tmp_path / CHANGES).read_text("utf-8")
    assert all(name in told for name in ("README.md", "labs/b.ipynb", "labs/c.ipynb"))
    assert "labs/a.ipynb" not in told
    assert not write({"README.md": b"two", "labs/a.ipynb": b"a", "labs/c.ipynb": b"c"}, tmp_path)


@pytest.mark.parametrize("text", [b"two", None], ids=["changed", "removed"])
def test_what_somebody_changed_stays_under_another_name(tmp_path: Path, text: bytes | None) -> None:
    write(SMALL, tmp_path)
    (tmp_path / "labs/a.ipynb").write_bytes(b"mine")
    newer = {path: data for path, data in SMALL.items() if path != "labs/a.ipynb"}
    changes = write(newer | ({"labs/a.ipynb": text} if text else {}), tmp_path)
    assert changes.kept == {"labs/a.ipynb": "labs/a.yours.ipynb"}
    assert (tmp_path / "labs/a.yours.ipynb").read_bytes() == b"mine"
    assert (tmp_path / "labs/a.ipynb").exists() == (text is not None)
    assert "`labs/a.yours.ipynb`" in (tmp_path / CHANGES).read_text("utf-8")


def test_what_somebody_changed_and_we_did_not_stays_as_it_is(tmp_path: Path) -> None:
    write(SMALL, tmp_path)
    (tmp_path / "labs/a.ipynb").write_bytes(b"mine")
    changes = write(SMALL | {"README.md": b"two"}, tmp_path)
    assert (changes.changed, changes.kept) == (["README.md"], {})
    assert (tmp_path / "labs/a.ipynb").read_bytes() == b"mine"


def test_a_folder_with_something_else_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("")
    with pytest.raises(NotABundle, match="is no bundle"):
        write(SMALL, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


# --- as a branch


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    for arguments in (
        ["init", "-q", "-b", "main"],
        ["config", "user.email", "instructor@example.org"],
        ["config", "user.name", "Instructor"],
    ):
        subprocess.run(["git", "-C", str(tmp_path), *arguments], check=True)
    (tmp_path / "solution.py").write_text("secret")
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "-qm", "the project")
    return tmp_path


def git(repository: Path, *arguments: str) -> str:
    done = subprocess.run(["git", "-C", str(repository), *arguments], capture_output=True, check=True)
    return done.stdout.decode()


def test_a_branch_holds_bundles_and_nothing_else(repository: Path, tmp_path: Path) -> None:
    first, changes = commit(SMALL, repository, "learners")
    assert changes.first
    second, changes = commit(SMALL | {"README.md": b"two"}, repository, "learners")
    assert changes.changed == ["README.md"]
    assert commit(SMALL | {"README.md": b"two"}, repository, "learners")[0] == second
    assert git(repository, "rev-list", "learners").split() == [second, first]
    objects = git(repository, "rev-list", "--objects", "learners")
    assert "solution.py" not in objects
    assert git(repository, "status", "--porcelain") == ""
    assert git(repository, "rev-parse", "--abbrev-ref", "HEAD").strip() == "main"
    learner = tmp_path / "learner"
    git(repository, "clone", "-q", "--branch", "learners", "--single-branch", str(repository), str(learner))
    assert (learner / "README.md").read_bytes() == b"two"
    assert "`README.md`" in (learner / CHANGES).read_text("utf-8")
    assert json.loads((learner / MANIFEST).read_text("utf-8")).keys() == SMALL.keys()


def test_a_branch_that_is_something_else_is_left_alone(repository: Path) -> None:
    before = git(repository, "rev-parse", "main")
    with pytest.raises(GitError, match="holds no bundle"):
        commit(SMALL, repository, "main")
    assert git(repository, "rev-parse", "main") == before
    with pytest.raises(GitError):
        commit(SMALL, repository, "no name..")


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["course", "bundle"]) == 1
    assert "--to FOLDER" in capsys.readouterr().err
    assert cli.main(["course", "bundle", "--to", str(tmp_path / "bundle")]) == 0
    assert "9 solutions are held back" in capsys.readouterr().out
    assert len(list((tmp_path / "bundle").rglob("*.py"))) > 300
