"""An envelope in JupyterLab, in a real browser: its assumptions turn by keyboard, and what follows follows."""

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.browser.driver import Lab, Visit
from tests.browser.test_timeline import notebook

pytestmark = [pytest.mark.browser, pytest.mark.slow]

CELL = """from workbench import estimate
estimate(
    "Links a second",
    {"new_links": "100 million links", "month": "30 days"},
    "writes = new_links / month [links/s]",
    claims={"writes": ("url-est-writes-per-second", "40 links/s")},
)"""
PANEL = ".workbench-estimate"


def test_assumptions_turn_by_keyboard_alone(lab: Lab, visit: Visit) -> None:
    visit.open(lab.address(notebook(lab, "envelope", [CELL, CELL])))
    visit.menu("Run", "Run All Cells")
    page, keyboard = visit.page, visit.page.keyboard
    page.wait_for_selector(f"{PANEL} >> nth=1", timeout=60_000)
    panel = page.locator(PANEL).first
    assert "= 38.6 links/s" in panel.inner_text()
    assert "the claim is 3.68 % too high" in panel.inner_text()

    panel.get_by_label("month (days)").focus()
    keyboard.press("Control+a")
    keyboard.type("15")
    keyboard.press("Tab")  # to its slider, whose thumb goes where the number went
    panel.locator(".wb-result:has-text('77.2 links/s')").wait_for(timeout=10_000)
    assert panel.locator("[role=status]").inner_text() == "month is 15 days: writes = 77.2 links/s"

    assert page.evaluate("document.activeElement.ariaLabel") == "month, by a factor"
    keyboard.press("ArrowRight")
    panel.locator(".wb-result:has-text('= 75')").wait_for(timeout=10_000)
    keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "As at the beginning"
    keyboard.press("Enter")
    panel.locator(".wb-result:has-text('38.6 links/s')").wait_for(timeout=10_000)
    assert "= 38.6 links/s" in page.locator(PANEL).last.inner_text()  # the other one is another one
    visit.shot("estimate")

    found = Axe().run(page, context=PANEL).response
    worst = [(v["id"], v["help"]) for v in found["violations"] if v["impact"] in ("serious", "critical")]
    assert worst == []
