"""One JupyterLab for all browser tests, a fresh browser for each."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from workbench.release import RELEASE, ROOT

from tests.browser.driver import NOTEBOOK, Lab, Visit, chromium, running_lab, visiting


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    if chromium() is None:
        pytest.skip("no Chromium on PATH")
    with running_lab(tmp_path_factory.mktemp("lab")) as lab:
        yield lab


@pytest.fixture
def visit(lab: Lab, tmp_path: Path) -> Iterator[Visit]:
    """Fails afterwards if the page asked anything of another machine, or wrote an error to its console."""
    with visiting(tmp_path) as visit:
        yield visit
        assert visit.outside == []
        assert visit.errors == []


@pytest.fixture
def copy(lab: Lab, request: pytest.FixtureRequest) -> str:
    """The path, for `lab.address`, of a copy of the notebook that is this test's own."""
    path = Path(NOTEBOOK).with_name(f"{request.node.name}.ipynb")
    shutil.copyfile(ROOT / RELEASE / NOTEBOOK, lab.work / path)
    return path.as_posix()
