"""What of the hub needs no container: the list of names, the passwords, and that all sides have the same packages."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from grading.hub.accounts import names, password

ROOT = Path(__file__).parents[2]
HUB = ROOT / "grading/hub"
PINNED = re.compile(r"^([a-z0-9._-]+)(?:\[[a-z,-]+\])?==([^\s;\\]+)", re.MULTILINE)


def pinned(lock: Path) -> dict[str, str]:
    return dict(PINNED.findall(lock.read_text("utf-8")))


def test_a_learners_server_has_the_projects_versions_and_the_hubs_jupyterhub() -> None:
    project, hub = pinned(ROOT / "requirements.lock"), pinned(HUB / "hub/requirements.lock")
    learner = pinned(HUB / "learner/requirements.lock")
    assert {name: version for name, version in learner.items() if project.get(name, version) != version} == {}
    assert learner["jupyterhub"] == hub["jupyterhub"]


def test_the_list_is_read(tmp_path: Path) -> None:
    path = tmp_path / "learners.txt"
    path.write_text("# autumn\nada\n\n  grace  # late\nada\n")
    assert names(path) == ["ada", "grace"]


@pytest.mark.parametrize("name", ["Ada", "ada b", "a-b", "../ada", "1ada", "ä", "a" * 33])
def test_a_name_that_would_not_do_for_a_folder_is_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / "learners.txt"
    path.write_text(f"ada\n{name}\n")
    with pytest.raises(ValueError, match="is no name"):
        names(path)


def test_a_password_is_one_persons_and_one_hubs() -> None:
    given = {password(secret, name) for secret in (b"one", b"two") for name in ("ada", "grace")}
    assert len(given) == 4
    assert all(re.fullmatch(r"[a-z2-7]{4}-[a-z2-7]{4}-[a-z2-7]{4}", each) for each in given)
    assert password(b"one", "ada") == password(b"one", "ada")


def test_the_list_of_passwords_has_the_instructor_first(tmp_path: Path) -> None:
    (tmp_path / "learners.txt").write_text("ada\ngrace\n")
    (tmp_path / "secret").write_bytes(b"of a test")
    listed = told(tmp_path, "--secret", str(tmp_path / "secret"), "--instructor", "ellen")
    assert listed.splitlines() == [
        f"{name},{password(b'of a test', name)}" for name in ("ellen", "ada", "grace")
    ]
    assert told(tmp_path, "--names").splitlines() == ["ada", "grace"]


def told(folder: Path, *options: str) -> str:
    argv = [sys.executable, "-m", "grading.hub.accounts", str(folder / "learners.txt"), *options]
    return subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60).stdout
