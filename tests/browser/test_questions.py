"""The questions about one's own requests in JupyterLab, in a real browser: answered by keyboard alone, text as text."""

import pytest

from tests.browser.driver import Lab, Visit
from tests.browser.test_timeline import notebook

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PANEL = ".workbench-questions"
MADE_UP = """from workbench import questions
from workbench.tracing.assemble import Asked, assemble

def way(server, path, status):
    ask = {"name": "ask", "to": server, "began": 1.0, "seconds": 0.01, "status": status}
    took = {"name": "handle", "to": "", "began": 1.0, "seconds": 0.01, "method": "GET", "path": path, "status": status}
    found = {"balancer": [ask], server: [took]}
    return assemble("trace-1", found, Asked("GET", path, "balancer", 1.0, 0.01, status), servers=["app-1", "app-2"])

quiz = questions([way("app-2", "/<b>abc</b>", 302)])
quiz"""


def test_a_question_is_answered_by_keyboard_alone(lab: Lab, visit: Visit) -> None:
    visit.open(lab.address(notebook(lab, "questions", [MADE_UP])))
    visit.page.wait_for_timeout(800)
    visit.menu("Run", "Run All Cells")
    visit.page.wait_for_selector(f"{PANEL} fieldset", timeout=60_000)
    visit.wait_until_idle(30)
    page, verdict = visit.page, f"{PANEL} fieldset:first-of-type .wb-verdict"
    assert "GET /<b>abc</b>, answered with 302" in page.inner_text(f"{PANEL} .wb-requests")
    assert page.inner_text(f"{PANEL} legend") == "1. Which server answered request 1?"
    group = page.get_by_role("group", name="1. Which server answered request 1?")
    assert group.get_by_role("radio").count() == 3

    button = group.get_by_role("button", name="Answer question 1")
    button.focus()
    page.keyboard.press("Enter")
    assert page.inner_text(verdict) == "Choose one first."
    group.get_by_role("radio", name="a) app-1").focus()
    page.keyboard.press("Space")
    assert page.inner_text(verdict) == ""
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_selector(f"{PANEL} .wb-wrong")
    assert page.inner_text(verdict).startswith(
        "✗ Not so. It is b) app-2. Step 2, balancer → app-2: GET /<b>abc</b>"
    )
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_selector(f"{PANEL} .wb-right")
    assert page.inner_text(f"{PANEL} .wb-status").startswith("Question 1: right. 1 of ")
    assert page.get_by_role("status").filter(has_text="✓ Right.").count() == 1
    visit.shot("questions")
