"""Every notebook, as learners get it, in Chromium: it runs, asks nobody outside, and can be read by everybody."""

from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from workbench.release import RELEASE, ROOT, SOURCE, sources

from tests.browser.driver import NOTEBOOK, Lab, Visit

pytestmark = [pytest.mark.browser, pytest.mark.slow]

NAMES = [path.relative_to(ROOT / SOURCE).as_posix() for path in sources()]
OURS = ".jp-OutputArea-output"
"""What cells put out: the rest of the page is JupyterLab's."""
NOT_OURS = {"scrollable-region-focusable"}
"""JupyterLab makes each output scroll, and gives it no place in the order of Tab."""


@pytest.mark.parametrize(
    "name", [name for name in NAMES if name != NOTEBOOK], ids=lambda name: Path(name).stem
)
def test_it_runs_and_is_accessible(name: str, lab: Lab, visit: Visit) -> None:
    assert (ROOT / RELEASE / name).exists()
    visit.open(lab.address(name))
    page = visit.page
    visit.run_all(240, cells=6)
    found: dict[str, str] = {}
    scroll = """() => { const box = document.querySelector('.jp-WindowedPanel-outer'); const before = box.scrollTop;
                        box.scrollTop += box.clientHeight - 60; return box.scrollTop - before }"""
    page.evaluate("document.querySelector('.jp-WindowedPanel-outer').scrollTop = 0")
    for _ in range(80):  # what is out of sight JupyterLab does not draw
        page.wait_for_timeout(250)
        assert page.locator("[data-mime-type='application/vnd.jupyter.error']").count() == 0
        if page.locator(OURS).count():
            for each in Axe().run(page, context=OURS).response["violations"]:
                if each["impact"] in ("serious", "critical") and each["id"] not in NOT_OURS:
                    found[each["id"]] = f"{each['help']}: {each['nodes'][0]['html'][:200]}"
        if page.evaluate(scroll) < 2:
            break
    assert found == {}
