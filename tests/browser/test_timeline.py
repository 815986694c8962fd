"""A failure in JupyterLab, in a real browser: stepped through by keyboard alone, hints on request, text as text."""

import json
from collections.abc import Iterator, Sequence

import pytest
from workbench.release import ROOT

from tests.browser.driver import Lab, Visit

pytestmark = [pytest.mark.browser, pytest.mark.slow]

MUTANTS = ROOT / "grading/mutants/url_shortener"
IMPORT = "import workbench\nfrom workbench import check"
PANEL = ".workbench-failures"
FOCUSED = "() => document.activeElement?.textContent || document.activeElement?.type"


def notebook(lab: Lab, name: str, cells: Sequence[str]) -> str:
    """Writes a notebook of code cells, and returns its path for `lab.address`."""
    path = f"url-shortener/{name}.ipynb"
    made = [
        {
            "cell_type": "code",
            "id": f"c{number}",
            "metadata": {},
            "execution_count": None,
            "outputs": [],
            "source": text,
        }
        for number, text in enumerate(cells)
    ]
    kernel = {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}
    whole = {"cells": made, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}
    (lab.work / path).write_text(json.dumps(whole), "utf-8")
    return path


def run(lab: Lab, visit: Visit, name: str, slot: str, source: str, check: str) -> None:
    """Has a component judged, and waits for what can be stepped through."""
    visit.open(lab.address(notebook(lab, name, [IMPORT, f"%%component {slot}\n{source}", check])))
    visit.page.wait_for_timeout(800)
    visit.menu("Run", "Run All Cells")
    visit.page.wait_for_selector(PANEL, timeout=60_000)
    visit.wait_until_idle(30)


def tab_to(visit: Visit, text: str, key: str = "Tab") -> None:
    for _ in range(40):
        if visit.page.evaluate(FOCUSED) == text:
            return
        visit.page.keyboard.press(key)
    raise AssertionError(f"the keyboard does not reach {text!r}")


CONTRAST = """panel => {
  const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const paint = (colours) => {
    canvas.clearRect(0, 0, 1, 1);
    for (const colour of colours) { canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1); }
    return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
  };
  const light = (rgb) => {
    const [r, g, b] = rgb.map(v => v / 255).map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (node) => {
    const found = [];
    for (let each = node; each; each = each.parentElement) found.unshift(getComputedStyle(each).backgroundColor);
    return found;
  };
  const weak = [];
  let looked = 0;
  const walker = document.createTreeWalker(panel, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || !node.getClientRects().length) continue;
    looked += 1;
    const paper = behind(node);
    const [a, b] = [light(paint(paper)), light(paint([...paper, getComputedStyle(node).color]))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) weak.push(`${ratio.toFixed(1)}: ${walker.currentNode.data.trim().slice(0, 40)}`);
  }
  return [looked, weak];
}"""


def assert_readable(visit: Visit) -> None:
    """WCAG AA: every text in the report and in the panel has a contrast of 4.5 or more."""
    page = visit.page
    page.eval_on_selector_all("details", "all => all.forEach(each => each.open = true)")
    for part in (PANEL, "section[aria-label='Verdict of the judge']"):
        looked, weak = page.locator(part).evaluate(CONTRAST)
        assert looked > 30
        assert weak == []


def test_a_failure_is_stepped_through_by_keyboard_alone(lab: Lab, visit: Visit) -> None:
    source = (MUTANTS / "redirect_cache/wrong/racing_fill.py").read_text("utf-8")
    check = "await check(redirect_cache, seeds='1', requirement='deletion')"
    run(lab, visit, "stepping", "url-shortener/redirect-cache", source, check)
    page, keyboard = visit.page, visit.page.keyboard
    panel = page.locator(PANEL)
    now, current = panel.locator(".wb-now"), panel.locator(".wb-lanes [aria-current]")
    lines = source.splitlines()

    def written_line(number: int) -> str:
        return lines[number - 2].strip()  # line 1 is the magic's

    lanes = panel.locator(".wb-heads span").all_inner_texts()
    assert lanes == ["client", "app-1", "app-2", "cache", "store", "fault"]
    count = panel.locator(".wb-lanes li").count()
    assert now.get_attribute("aria-live") == "polite"
    assert f"Step 1 of {count}, at 0.9000 s" in now.inner_text()
    assert "None of your lines was running" in now.inner_text()

    page.locator(".jp-Notebook .jp-Cell").last.click()
    keyboard.press("Escape")
    page.locator(PANEL).evaluate("panel => panel.querySelector('summary').focus()")
    tab_to(visit, "range")
    visit.shot("first")
    keyboard.press("ArrowRight")
    keyboard.press("ArrowRight")
    assert f"Step 3 of {count}, at 1.0000 s" in now.inner_text()
    assert "GET redirect:" in current.inner_text()
    marked = panel.locator(".wb-source [aria-current]")
    number = int(marked.locator(".wb-lineno").inner_text())
    assert "self.cache.get" in marked.inner_text()
    assert marked.locator("code").inner_text().strip() == written_line(number)
    assert f"Your line {number} was running: {written_line(number)}" in now.inner_text()
    assert panel.locator("input").get_attribute("aria-valuetext") == f"3 of {count}"
    visit.shot("third")
    keyboard.press("ArrowRight")  # the cache answers: no line runs, and the last one stays in sight
    assert f"On app-2 the last one was line {number} (step 3)." in now.inner_text()
    assert marked.count() == 0
    keyboard.press("End")
    assert f"Step {count} of {count}" in now.inner_text()
    tab_to(visit, "Next ▶")
    keyboard.press("Enter")  # nothing follows
    assert f"Step {count} of {count}" in now.inner_text()
    assert page.evaluate(FOCUSED) == "Next ▶"
    tab_to(visit, "◀ Previous", "Shift+Tab")
    keyboard.press("Space")
    assert f"Step {count - 1} of {count}" in now.inner_text()
    visit.shot("last-but-one")

    hints = panel.locator(".wb-hints li")
    assert hints.count() == 0
    assert "lease" not in panel.locator(".wb-hints").inner_text().lower()
    tab_to(visit, "Hint 1 of 3")
    keyboard.press("Enter")
    assert hints.count() == 1
    assert "Find the moment of the deletion" in hints.first.inner_text()
    keyboard.press("Enter")
    keyboard.press("Space")
    assert hints.count() == 3
    assert page.evaluate(FOCUSED) == "All 3 hints are shown"
    keyboard.press("Enter")
    assert hints.count() == 3
    visit.shot("hints")
    assert "dashed arrows answer" in panel.locator(".wb-note").inner_text()
    assert_readable(visit)

    before = visit.prompts()  # what runs a cell still runs it, though the focus is in the panel
    keyboard.press("Shift+Enter")
    page.wait_for_function(
        "before => { const now = [...document.querySelectorAll('.jp-CodeCell .jp-InputArea-prompt')];"
        " return now.map(each => each.textContent.trim()).join() !== before }",
        arg=",".join(before),
    )
    visit.wait_until_idle(30)


NASTY = """\
from reference.shortener.components import Answer
class Nasty(Exception):
    pass
class RedirectCache:
    def __init__(self, *, cache, links, clock, random, ttl):
        self.cache = cache
    async def resolve(self, code):
        print("<img src=x onerror=alert(1)>")
        await self.cache.set(code, "<img src=x onerror=alert(2)>")
        raise Nasty("`<b>as code</b>` <img src=x onerror=alert(3)>\\x1b[31m\\u202e<script>alert(4)</script>")
        # <img src=x onerror=alert(5)>
    async def invalidate(self, code):
        pass
"""


@pytest.fixture
def dark(lab: Lab) -> Iterator[None]:
    """JupyterLab's dark theme."""
    settings = (
        lab.work / ".jupyter/lab/user-settings/@jupyterlab/apputils-extension/themes.jupyterlab-settings"
    )
    settings.write_text(json.dumps({"theme": "JupyterLab Dark"}), "utf-8")
    yield
    settings.unlink()


def test_what_a_component_says_stays_text_and_dark_is_readable(lab: Lab, visit: Visit, dark: None) -> None:
    dialogs: list[str] = []
    visit.page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    check = "await check(redirect_cache, seeds='1')"
    run(lab, visit, "nasty", "url-shortener/redirect-cache", NASTY, check)
    page = visit.page
    panel = page.locator(PANEL)
    panel.locator(".wb-controls input").press("End")
    select = panel.locator("select")
    for index in range(select.locator("option").count()):
        select.select_option(index=index)
    panel.evaluate("panel => panel.scrollIntoView()")
    visit.shot("nasty")
    assert_readable(visit)
    text = panel.inner_text()
    assert "<img src=x onerror=alert(3)>" in text
    assert "<b>as code</b>" in panel.locator("dd code").all_inner_texts()  # it stood between backticks
    assert "alert(5)" in panel.locator(".wb-source").inner_text()
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert page.locator(".jp-OutputArea-output img, .jp-OutputArea-output script").count() == 0
    assert dialogs == []
