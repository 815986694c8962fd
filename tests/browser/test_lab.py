"""The notebook in JupyterLab, in a real browser: it runs, it looks outside for nothing, and a keyboard is enough."""

import pytest

from tests.browser.driver import Lab, Visit

pytestmark = pytest.mark.browser


def test_a_prediction_and_the_stop_of_a_load_by_keyboard_alone(lab: Lab, visit: Visit, copy: str) -> None:
    visit.open(lab.address(copy))
    page = visit.page
    keyboard = page.keyboard
    page.wait_for_timeout(1000)
    keyboard.press("Escape")
    keyboard.press("Shift+Enter")  # the stack
    visit.wait_until_idle(60)
    keyboard.press("Enter")
    keyboard.press("Control+Home")  # the line `guess = None`
    keyboard.press("Shift+End")
    keyboard.type("guess = 0.5")
    keyboard.press("Shift+Enter")
    page.wait_for_selector("text=/Committed: 50\\s%/", timeout=20_000)

    keyboard.press("Shift+Enter")  # the load, 5 s
    page.wait_for_selector(".workbench-chart button:text-is('Stop'):visible", timeout=30_000)
    focused = "() => document.activeElement?.innerText?.trim()"
    for _ in range(40):
        if page.evaluate(focused) == "Stop":
            break
        keyboard.press("Shift+Tab")
    assert page.evaluate(focused) == "Stop"
    page.wait_for_timeout(800)
    visit.shot("live")
    keyboard.press("Enter")
    page.wait_for_selector(".wb-status:has-text('Stopped after')", timeout=20_000)
    page.wait_for_selector("text=too early to tell", timeout=20_000)  # and no traceback
    # The keyboard has not lost its place, once the chart has heard that the load is over.
    page.wait_for_function(f"() => ({focused})() === 'The figures as a table'", timeout=20_000)
    keyboard.press("Enter")
    # A browser tells of an opened <details> in a task of its own, and the table is filled then.
    page.wait_for_selector(".wb-figures >> nth=0 >> tbody tr:nth-child(2)", timeout=20_000)
    table = page.locator(".workbench-chart details[open] .wb-table")
    cut_off = table.evaluate("box => box.scrollHeight > box.clientHeight")
    assert page.locator(".workbench-chart details[open] .wb-more").is_visible() == cut_off
    visit.shot("stopped")
    summary = page.locator(".wb-status").last
    assert summary.get_attribute("role") == "status"

    # What runs a cell still runs it, though the focus is in the chart.
    held = "() => document.activeElement?.closest('.workbench-chart') !== null"
    assert page.evaluate(held)
    before = visit.prompts()
    keyboard.press("Shift+Enter")
    page.wait_for_selector(".workbench-chart button:text-is('Stop'):visible", timeout=30_000)
    assert visit.prompts() != before
