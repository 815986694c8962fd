"""Every notebook with its solutions runs from top to bottom and gets full marks: from a learner's bundle on `embedded`,
and one of them from this checkout on `local`; in a soak all of them.

As learners get them they are run in a browser (tests/browser/test_notebooks.py). Both take minutes, and are for the
slow lane; in `make test` the browser runs the cells of one.
"""

import json
import os
import re
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient
from workbench.release import ROOT, SOURCE, sources

from grading.bundle.contents import contents
from grading.bundle.folder import write

pytestmark = pytest.mark.slow

NAMES = [path.relative_to(ROOT / SOURCE) for path in sources()]
TRIES = 3
NOT_MEASURED = re.compile(r"\b[Rr]un this cell again\b.* Nothing was recorded\.")
WELCOME = Path("welcome.ipynb")
READ_PATH = Path("url-shortener/04-detailed-design.ipynb")


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


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bundle")
    write(contents(ROOT, ROOT), folder)
    return folder


def run_from(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Kernels, and what they start, have the bundle's modules in place of the project's."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(bundle), str(bundle / "labs")]))


def texts(cell: Any) -> str:
    """All that a cell put out, as plain text."""
    shown = [
        o.text if o.output_type == "stream" else o.get("data", {}).get("text/plain", "") for o in cell.outputs
    ]
    return "\n".join(shown)


def is_graded(cell: Any) -> bool:
    return bool(cell.metadata.get("nbgrader", {}).get("grade"))


def run(notebook: Any, folder: Path) -> dict[str, Any]:
    """The code cells, by id, after all have run. Raises what a cell raised.

    A measurement that says of itself that the machine was too busy for it is run again, as it asks for.
    """
    client = NotebookClient(
        notebook, timeout=180, kernel_name="python3", resources={"metadata": {"path": str(folder)}}
    )
    with client.setup_kernel():
        for index, cell in enumerate(notebook.cells):
            client.execute_cell(cell, index)
            for _ in range(TRIES - 1):
                if cell.cell_type == "code" and NOT_MEASURED.search(texts(cell)):
                    client.execute_cell(cell, index)
    return {cell.id: cell for cell in notebook.cells if cell.cell_type == "code"}


def everywhere() -> list[Any]:
    """Each notebook from the bundle, and from this checkout on real services."""
    on_local = {name: [pytest.mark.local, *([pytest.mark.soak] if name != WELCOME else [])] for name in NAMES}
    return [
        *(pytest.param(name, "bundle", id=f"{name.stem}-bundle") for name in NAMES),
        *(pytest.param(name, "local", id=f"{name.stem}-local", marks=on_local[name]) for name in NAMES),
    ]


@pytest.mark.parametrize(("name", "where"), everywhere())
def test_with_its_solutions_it_gets_full_marks(
    name: Path, where: str, tmp_path: Path, bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if where == "bundle":
        run_from(bundle, monkeypatch)
    monkeypatch.setenv("WORKBENCH_PROFILE", "local" if where == "local" else "embedded")
    notebook: Any = nbformat.read(ROOT / SOURCE / name, as_version=4)  # type: ignore[no-untyped-call]
    cells = run(notebook, tmp_path)
    for id, cell in cells.items():
        if is_graded(cell):
            points = f"{cell.metadata.nbgrader.points:g}"
            assert f"{points} of {points} points" in texts(cell), id
    path = tmp_path / "experiments.json"
    journal = json.loads(path.read_text("utf-8")) if path.exists() else {}
    assert len(journal) == sum(id.startswith("predict-") for id in cells)
    assert [id for id, entry in journal.items() if entry["measured"] is None] == []
    errors = [id for id, cell in cells.items() if any(o.get("name") == "stderr" for o in cell.outputs)]
    assert errors == []
    if name == READ_PATH:
        assert "app-1 -> cache" in texts(cells["start"])
        assert "1 click counted" in texts(cells["first-count"])
        assert re.findall(r"store reads: +(\d+)", texts(cells["cost-count"])) == ["1", "0", "10"]
        assert re.search(r"expired: +\[410, 410, 410\]", texts(cells["life-and-death"]))
        assert re.search(r"deleted: +\[404, 404, 404\]", texts(cells["life-and-death"]))
        assert journal["url-req-availability"]["measured"] == 0
        assert journal["url-scale-skew-1-90"]["measured"] == pytest.approx(0.507, abs=0.001)
