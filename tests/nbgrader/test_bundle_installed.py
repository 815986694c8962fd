"""What learners get, set up by its own Makefile in an empty home: its tests pass, and its notebooks run in JupyterLab.
Nothing is taken from this checkout, and nothing but packages from elsewhere."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.browser.driver import blameless, chromium, only, serving

pytestmark = pytest.mark.slow

KEPT = ("PATH", "LANG", "PIP_INDEX_URL", "PIP_CONFIG_FILE", "PIP_CERT", "SSL_CERT_FILE")
"""Of the environment: where programs are, and the package index."""
WELCOME = "welcome.ipynb"
EXERCISE, CELLS = "url-shortener/01-requirements.ipynb", ("start", "base62", "base62-check", "stop")
PACKAGES = ("workbench", "reference.shortener", "grading.judge", "grading.host", "grading.checks")
WHERE = f"import importlib\nfor name in {PACKAGES}: print(importlib.import_module(name).__file__)"


@dataclass(frozen=True)
class Installed:
    bundle: Path
    environment: dict[str, str]

    def run(self, *command: str | Path) -> str:
        """What it prints. Its failure fails the test."""
        told = subprocess.run(
            command, cwd=self.bundle, env=self.environment, capture_output=True, text=True, check=False
        )
        assert told.returncode == 0, told.stdout + told.stderr
        return told.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    folder = tmp_path_factory.mktemp("learner")
    bundle, home = folder / "bundle", folder / "home"
    command = [sys.executable, "-m", "workbench.cli", "course", "bundle", "--to", str(bundle)]
    subprocess.run(command, check=True, capture_output=True)
    home.mkdir()
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    installed = Installed(bundle, kept | {"HOME": str(home)})
    installed.run("make", ".venv/.ready")
    return installed


def test_its_own_tests_pass(installed: Installed) -> None:
    installed.run("make", "test")


def test_what_it_imports_is_its_own(installed: Installed) -> None:
    # -I: as the judge is run, whose path nothing in the environment can bend
    found = [Path(line) for line in installed.run(".venv/bin/python", "-I", "-c", WHERE).splitlines()]
    assert len(found) == len(PACKAGES)
    assert [path for path in found if not path.is_relative_to(installed.bundle)] == []


def test_its_command_has_nothing_for_instructors(installed: Installed) -> None:
    told = installed.run(".venv/bin/workbench", "--help")
    assert "course" not in told
    assert "check" in told


@pytest.mark.browser
@pytest.mark.skipif(chromium() is None, reason="no Chromium on PATH")
def test_its_notebooks_run_in_jupyterlab(installed: Installed, tmp_path: Path) -> None:
    work = installed.bundle / "work"
    # `make lab` opens a browser: this one is blind, and ours comes after it.
    environment = installed.environment | {"BROWSER": "true"}
    with (
        serving(["make", "lab"], environment, work, tmp_path / "lab.log", cwd=installed.bundle) as lab,
        blameless(tmp_path) as visit,
    ):
        (work / "url-shortener/base62.ipynb").write_text(only(work / EXERCISE, CELLS), "utf-8")
        for notebook, points in (
            (WELCOME, "6 of 20 points"),
            ("url-shortener/base62.ipynb", " of 20 points"),
        ):
            visit.open(lab.address(notebook))
            visit.shot(f"opened-{Path(notebook).stem}")
            visit.run_all(120)
            report = visit.page.locator(f".jp-OutputArea-output:has-text('{points}')").last
            report.scroll_into_view_if_needed()
            visit.shot(f"report-{Path(notebook).stem}")
            outputs = [output for cell in visit.saved(work / notebook) for output in cell["outputs"]]
            assert points in json.dumps(outputs)
            assert [
                out for out in outputs if out["output_type"] == "error" or out.get("name") == "stderr"
            ] == []
