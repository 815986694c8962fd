"""One JupyterLab for all browser tests, a fresh browser for each."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from workbench.release import RELEASE, ROOT

from tests.browser.driver import NOTEBOOK, Lab, Visit, blameless, chromium, only, running_lab

NEEDED = ("start", "predict-hit-rate", "measure-hit-rate", "stop")


@pytest.fixture(scope="session")
def browser() -> None:
    if chromium() is None:
        pytest.skip("no Chromium on PATH")


@pytest.fixture(scope="session")
def lab(browser: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with running_lab(tmp_path_factory.mktemp("lab")) as lab:
        yield lab


@pytest.fixture
def visit(lab: Lab, tmp_path: Path) -> Iterator[Visit]:
    with blameless(tmp_path) as visit:
        yield visit


@pytest.fixture
def copy(lab: Lab, request: pytest.FixtureRequest) -> str:
    """The path, for `lab.address`, of a notebook that is this test's own: the cells that it needs."""
    path = Path(NOTEBOOK).with_name(f"{request.node.name}.ipynb")
    (lab.work / path).write_text(only(ROOT / RELEASE / NOTEBOOK, NEEDED), "utf-8")
    return path.as_posix()
