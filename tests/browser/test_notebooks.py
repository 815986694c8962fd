"""Every notebook, as learners get it and from their bundle, in Chromium: it runs from top to bottom, asks for
predictions and judges what is there, asks nobody outside, and can be read by everybody."""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from workbench.release import RELEASE, ROOT, SOURCE, sources

from grading.answers.quantities import digits
from grading.bundle.contents import contents
from grading.bundle.folder import write
from tests.browser.driver import NOTEBOOK, Lab, Visit, only, running_lab

pytestmark = [pytest.mark.browser, pytest.mark.slow]

NAMES = [path.relative_to(ROOT / SOURCE).as_posix() for path in sources()]
ALIKE = tuple(
    f"url-shortener/{name}.ipynb" for name in ("02-estimation", "03-high-level-design", "04-detailed-design")
)
"""For a soak: what they show, others here show too, or tests/browser has a test of its own for it. With their solutions
they are run by tests/notebooks."""
LONG = "url-shortener/05-scaling.ipynb"
SHOWN = (
    *("start", "percentiles", "objectives", "trace-slow", "trace-log", "alerts-metrics", "alerts-look"),
    *("predict-real", "journeys", "measure-real", "stop"),
)
"""What only the longest one shows, and what that needs. All of it is for a soak."""
OURS = ".jp-OutputArea-output"
"""What cells put out: the rest of the page is JupyterLab's."""
NEW = f"{OURS}:not([data-looked-at])"
TALL = {"width": 1280, "height": 2600}
NOT_OURS = {"scrollable-region-focusable"}
"""JupyterLab makes each output scroll, and gives it no place in the order of Tab."""
SCROLL = """() => { const box = document.querySelector('.jp-WindowedPanel-outer'); const before = box.scrollTop;
                    box.scrollTop += box.clientHeight - 60; return box.scrollTop - before }"""


@pytest.fixture(scope="module")
def lab(browser: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """JupyterLab, its kernels and what they start have a bundle's modules in place of the project's."""
    folder = tmp_path_factory.mktemp("learner")
    bundle = folder / "bundle"
    write(contents(ROOT, ROOT), bundle)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join([str(bundle), str(bundle / "labs")]))
        with running_lab(folder) as lab:
            yield lab


def texts(cell: dict[str, Any]) -> str:
    """All that a cell put out, as plain text."""
    return "\n".join(
        "".join(out.get("text") or out.get("data", {}).get("text/plain", "")) for out in cell["outputs"]
    )


def inaccessible(visit: Visit) -> dict[str, str]:
    """What axe has to say of what cells put out, screen by screen: rule -> a place that breaks it."""
    page, found = visit.page, dict[str, str]()
    page.set_viewport_size(TALL)  # axe takes as long for a small screen as for a large one
    page.evaluate("document.querySelector('.jp-WindowedPanel-outer').scrollTop = 0")
    for _ in range(80):  # what is out of sight JupyterLab does not draw
        page.wait_for_timeout(400)
        assert page.locator("[data-mime-type='application/vnd.jupyter.error']").count() == 0
        if page.locator(NEW).count():
            for each in Axe().run(page, context=NEW).response["violations"]:
                if each["impact"] in ("serious", "critical") and each["id"] not in NOT_OURS:
                    found[each["id"]] = f"{each['help']}: {each['nodes'][0]['html'][:200]}"
            page.eval_on_selector_all(NEW, "all => all.forEach(each => { each.dataset.lookedAt = 'yes' })")
        if page.evaluate(SCROLL) < 2:
            break
    return found


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, id=Path(name).stem, marks=[pytest.mark.soak] * (name in (*ALIKE, LONG)))
        for name in NAMES
    ],
)
def test_it_runs_asks_for_predictions_judges_what_is_there_and_is_accessible(
    name: str, lab: Lab, visit: Visit
) -> None:
    assert (ROOT / RELEASE / name).exists()
    runs_through(name, lab, visit)


def test_what_only_the_longest_one_shows(lab: Lab, visit: Visit) -> None:
    copy = Path(LONG).with_name("shown.ipynb")
    (lab.work / copy).write_text(only(lab.work / LONG, SHOWN), "utf-8")
    runs_through(copy.as_posix(), lab, visit)


def runs_through(name: str, lab: Lab, visit: Visit) -> None:
    visit.open(lab.address(name))
    visit.run_all(240, cells=6)
    assert inaccessible(visit) == {}
    if name == NOTEBOOK:
        visit.pages()
        assert visit.page.locator(".jp-RenderedMermaid").count() >= 3
        assert visit.page.locator(".workbench-chart canvas").count() >= 4
    cells = visit.saved(lab.work / name)
    outputs = [(cell["id"], out) for cell in cells for out in cell["outputs"]]
    assert [id for id, out in outputs if out["output_type"] == "error" or out.get("name") == "stderr"] == []
    for cell in cells:
        told = texts(cell)
        if cell["id"].startswith(("predict-", "measure-")):
            assert "Predict first." in told, cell["id"]
        about = cell["metadata"].get("nbgrader", {})
        if about.get("grade"):
            most = digits(about["points"])
            points = re.search(rf"([\d.]+) of {most} points", told)
            assert points is not None, cell["id"]
            assert float(points[1]) < float(most), cell["id"]
    assert not list(lab.work.rglob("experiments.json"))
