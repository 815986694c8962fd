"""The files that set up a machine agree with one another."""

import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
LOCK = (ROOT / "requirements.lock").read_text("utf-8")


def name_of(requirement: str) -> str:
    found = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert found, requirement
    return found.group().lower().replace("_", "-")


def test_the_lock_holds_every_dependency_of_pyproject() -> None:
    locked = set(re.findall(r"^([a-z0-9.-]+)(?:\[[a-z,-]+\])?==", LOCK, re.MULTILINE))
    wanted = {name_of(r) for r in PROJECT["project"]["dependencies"] + PROJECT["dependency-groups"]["dev"]}
    assert wanted - locked == set()


def test_every_locked_package_has_a_hash_and_no_address() -> None:
    blocks = re.split(r"^(?=[a-z0-9.-]+(?:\[[a-z,-]+\])?==)", LOCK, flags=re.MULTILINE)[1:]
    assert [b.split()[0] for b in blocks if "--hash=sha256:" not in b] == []
    assert "://" not in LOCK


@pytest.mark.skipif(shutil.which("sed") is None, reason="no sed on PATH")
@pytest.mark.parametrize("where", ["python.mk", "grading/hub/learner/Dockerfile"])
def test_the_installer_is_taken_from_the_lock_with_its_hashes(where: str) -> None:
    """As these say it to sed: the whole of one requirement."""
    [asked] = re.findall(r"sed -n '(/\^uv==[^']*)'", (ROOT / where).read_text("utf-8"))
    argv = ["sed", "-n", asked.replace("$$", "$"), str(ROOT / "requirements.lock")]
    found = subprocess.run(argv, capture_output=True, text=True, check=True).stdout
    assert found.count("==") == 1
    assert found.count("--hash=sha256:") == len(found.splitlines()) - 1 > 1
    assert found in LOCK


def test_each_dependency_says_why_it_is_there() -> None:
    text = (ROOT / "pyproject.toml").read_text("utf-8")
    listed = re.findall(r'^    "([^"]+)",(.*)$', text, re.MULTILINE)
    wanted = PROJECT["project"]["dependencies"] + PROJECT["dependency-groups"]["dev"]
    silent = [name for name, rest in listed if name in wanted and not re.match(r"\s*# \S", rest)]
    assert silent == []


def test_conda_environment_agrees_with_pyproject() -> None:
    environment = yaml.safe_load((ROOT / "environment.yml").read_text("utf-8"))
    assert environment["name"] == PROJECT["project"]["name"]
    python = next(d for d in environment["dependencies"] if isinstance(d, str) and d.startswith("python="))
    minor = int(python.removeprefix("python=3."))
    low, high = re.findall(r"3\.(\d+)", PROJECT["project"]["requires-python"])
    assert int(low) <= minor < int(high)
    pip = next(d["pip"] for d in environment["dependencies"] if isinstance(d, dict))
    assert pip == ["-r requirements.lock"]


def test_pinned_python_is_one_that_pyproject_allows() -> None:
    low, high = re.findall(r"3\.(\d+)", PROJECT["project"]["requires-python"])
    pinned = int((ROOT / ".python-version").read_text("utf-8").strip().removeprefix("3."))
    assert int(low) <= pinned < int(high)


def test_slow_tests_say_so_in_their_own_file() -> None:
    """The slow lanes collect the files that have these words."""
    elsewhere = [
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "tests").rglob("*.py")
        if not path.name.startswith("test_") and re.search(r"mark\.slow", path.read_text("utf-8"))
    ]
    assert elsewhere == ["tests/contracts/conftest.py"]  # for those on containers
