"""Every notebook runs from top to bottom on `embedded`: with its solution, and as learners get it.

Both take most of a minute. In `make test` the browser runs the cells that learners get.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient
from workbench.release import RELEASE, ROOT, SOURCE

NAME = "url-shortener/04-detailed-design.ipynb"


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the machine's owner is read or written."""
    for name in (
        "HOME",
        "IPYTHONDIR",
        "JUPYTER_CONFIG_DIR",
        "JUPYTER_DATA_DIR",
        "JUPYTER_RUNTIME_DIR",
        "WORKBENCH_HOME",
    ):
        monkeypatch.setenv(name, str(tmp_path / name.lower()))
    monkeypatch.setenv("JUPYTER_PLATFORM_DIRS", "1")


def texts(cell: Any) -> str:
    """All that a cell put out, as plain text."""
    shown = [
        o.text if o.output_type == "stream" else o.get("data", {}).get("text/plain", "") for o in cell.outputs
    ]
    return "\n".join(shown)


@pytest.mark.slow
def test_with_the_solution_it_gets_full_marks(tmp_path: Path) -> None:
    notebook: Any = nbformat.read(ROOT / SOURCE / NAME, as_version=4)  # type: ignore[no-untyped-call]
    client = NotebookClient(
        notebook, timeout=120, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}
    )
    client.execute()
    cells = {cell.id: cell for cell in notebook.cells if cell.cell_type == "code"}
    assert "app-1 -> cache" in texts(cells["start"])
    assert "1 click counted" in texts(cells["first-count"])
    assert re.findall(r"store reads: +(\d+)", texts(cells["cost-count"])) == ["1", "0", "10"]
    assert "20 of 20 points" in texts(cells["redirect-cache-check"])
    assert re.search(r"expired: +\[410, 410, 410\]", texts(cells["life-and-death"]))
    assert re.search(r"deleted: +\[404, 404, 404\]", texts(cells["life-and-death"]))
    journal = json.loads((tmp_path / "experiments.json").read_text("utf-8"))
    assert len(journal) == 5
    assert all(entry["measured"] is not None for entry in journal.values())
    assert journal["url-req-availability"]["measured"] == 0
    assert journal["url-scale-skew-1-90"]["measured"] == pytest.approx(0.507, abs=0.001)


@pytest.mark.slow
def test_as_released_it_runs_asks_for_predictions_and_judges_the_plain_component(tmp_path: Path) -> None:
    """By nbmake, as a learner's instructor might run it."""
    shutil.copyfile(ROOT / RELEASE / NAME, tmp_path / "lab.ipynb")
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    argv = [
        sys.executable,
        "-m",
        "pytest",
        "--nbmake",
        "--overwrite",
        "--nbmake-timeout=120",
        "-p",
        "no:cacheprovider",
    ]
    ran = subprocess.run(
        [*argv, "lab.ipynb"], cwd=tmp_path, capture_output=True, text=True, env=os.environ.copy()
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    notebook: Any = nbformat.read(tmp_path / "lab.ipynb", as_version=4)  # type: ignore[no-untyped-call]
    cells = {cell.id: cell for cell in notebook.cells if cell.cell_type == "code"}
    for id, cell in cells.items():
        if id.startswith(("predict-", "measure-")):
            assert "Predict first." in texts(cell), id
    assert not (tmp_path / "experiments.json").exists()
    points = re.search(r"(\d+) of 20 points", texts(cells["redirect-cache-check"]))
    assert points is not None
    assert 0 < int(points[1]) < 12
