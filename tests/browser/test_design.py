"""A design is drawn in JupyterLab: by keyboard alone, with the mouse, as text; and put into its cell."""

import json
from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator

from tests.browser.driver import Lab, Visit
from tests.browser.test_timeline import CONTRAST, notebook

pytestmark = [pytest.mark.browser, pytest.mark.slow]

CELL = "%%answer url-shortener/design\n# my design\nclient: client\nbalancer x2: load balancer\nclient -> balancer"
PANEL = ".workbench-design"
FOCUSED = """() => { const at = document.activeElement;
    return at?.dataset?.box ?? at?.labels?.[0]?.textContent ?? at?.textContent?.trim() ?? '' }"""
EDITOR = "() => document.querySelectorAll('.jp-CodeCell .cm-content')[1].cmTile.view.state.doc.toString()"


def opened(lab: Lab, visit: Visit, name: str, cell: str = CELL) -> Locator:
    """A notebook with that answer, which was run; gives back the widget."""
    visit.open(lab.address(notebook(lab, name, ["import workbench", cell, "print(design.text)"])))
    visit.page.keyboard.press("Control+b")
    visit.page.wait_for_timeout(800)
    visit.menu("Run", "Run All Cells")
    visit.page.wait_for_selector(PANEL, timeout=60_000)
    visit.wait_until_idle(30)
    return visit.page.locator(PANEL)


def tab_to(visit: Visit, text: str, key: str = "Tab") -> None:
    for _ in range(60):
        if visit.page.evaluate(FOCUSED) == text:
            return
        visit.page.keyboard.press(key)
    raise AssertionError(f"the keyboard does not reach {text!r}, it is at {visit.page.evaluate(FOCUSED)!r}")


def expect(panel: Locator, selector: str, text: str) -> None:
    panel.locator(f"{selector}:has-text({json.dumps(text)})").first.wait_for(timeout=10_000)


def lines(panel: Locator) -> list[str]:
    return panel.locator(".wb-column textarea").input_value().split("\n")


def test_a_design_grows_by_keyboard_alone_and_goes_into_its_cell(lab: Lab, visit: Visit) -> None:
    panel = opened(lab, visit, "drawing")
    page, keyboard = visit.page, visit.page.keyboard
    status, lacks = panel.locator(".wb-status"), panel.locator("ul[aria-label='What this design lacks']")
    assert status.get_attribute("aria-live") == "polite"
    assert lacks.get_attribute("aria-live") == "polite"
    assert "no way leads from a client to an app server" in lacks.inner_text()

    panel.locator(".wb-bar select").focus()
    keyboard.type("app s")  # by its first letters, as in any list
    tab_to(visit, "Add box")
    keyboard.press("Enter")
    expect(panel, ".wb-status", "Added app.")
    assert "app: app server" in lines(panel)
    assert "no way of arrows joins app to a client" in lacks.inner_text()

    tab_to(visit, "app")  # the box in the picture
    keyboard.press("ArrowUp")
    assert page.evaluate(FOCUSED) == "balancer"
    keyboard.press("a")
    assert page.evaluate(FOCUSED) == "Arrow to"
    keyboard.type("app")
    keyboard.press("Tab")
    keyboard.press("Enter")
    expect(panel, ".wb-status", "Arrow from balancer to app.")
    assert "balancer -> app" in lines(panel)
    assert "app can ask no database or replica" in lacks.inner_text()
    assert "overloaded: app: 11,691 of 1,400 requests/s, 8.4 times what it takes" in lacks.inner_text()
    name = panel.locator("[data-box=app]").get_attribute("aria-label")
    assert name == "app, app server; gets 11,691 of 1,400 requests/s; overloaded: 8.4 times what it takes"

    tab_to(visit, "→ app, what flows")
    keyboard.type("all of them")
    keyboard.press("Escape")
    expect(panel, ".wb-status", "balancer to app: all of them.")
    assert page.evaluate(FOCUSED) == "balancer"
    keyboard.press("ArrowDown")
    for count in range(2, 10):
        keyboard.press("+")
        expect(panel, ".wb-status", f"app: {count}.")
    assert "app x9: app server" in lines(panel)
    assert "overloaded" not in lacks.inner_text()
    keyboard.press("Enter")
    assert page.evaluate(FOCUSED) == "Name"
    keyboard.press("Control+a")
    keyboard.type("api")
    keyboard.press("Enter")
    expect(panel, ".wb-status", "app is now api.")
    assert page.evaluate(FOCUSED) == "Name"
    keyboard.press("Escape")
    assert page.evaluate(FOCUSED) == "api"
    visit.shot("drawn")

    keyboard.press("PageDown")
    assert page.evaluate(FOCUSED) == "client"
    keyboard.press("PageUp")
    keyboard.press("Delete")
    expect(panel, ".wb-status", "Deleted api and its arrows.")
    assert page.evaluate(FOCUSED) == "balancer"
    keyboard.press("Control+z")
    expect(panel, ".wb-status", "Undone.")
    drawn = ["# my design", "client: client", "balancer x2: load balancer", "api x9: app server",
             "client -> balancer", "balancer -> api: all of them"]  # fmt: skip
    assert [line for line in lines(panel) if line] == drawn

    tab_to(visit, "Put it into the cell", "Shift+Tab")
    keyboard.press("Enter")
    expect(panel, ".wb-status", "It stands in the cell.")
    assert page.evaluate(EDITOR).split("\n") == ["%%answer url-shortener/design", *drawn]
    keyboard.press("Control+Enter")
    page.wait_for_function(
        "() => document.querySelectorAll('.jp-CodeCell .jp-InputArea-prompt')[1].textContent.trim() === '[4]:'"
    )
    visit.wait_until_idle(30)
    expect(page.locator(PANEL), ".wb-status", "requirements are met.")
    assert [line for line in lines(page.locator(PANEL)) if line] == drawn
    kept = json.loads((lab.work / "url-shortener/answers.json").read_text("utf-8"))
    assert kept["url-shortener/design"].split("\n")[1:7] == drawn


def test_with_the_mouse_and_as_text(lab: Lab, visit: Visit) -> None:
    panel = opened(lab, visit, "mouse")
    page = visit.page

    def middle(name: str) -> tuple[float, float]:
        found = panel.locator(f"[data-box={name}] .wb-outline").last.bounding_box()
        assert found is not None
        return found["x"] + found["width"] / 2, found["y"] + found["height"] / 2

    def drag(start: tuple[float, float], end: tuple[float, float]) -> None:
        page.mouse.move(*start)
        page.mouse.down()
        page.mouse.move(start[0] + 20, start[1] + 9)
        page.mouse.move(*end, steps=4)
        visit.shot("dragged")
        page.mouse.up()

    area = panel.locator(".wb-column textarea")
    area.fill("client: client\nbalancer: load balancer\napp: app server\n")
    expect(panel, ".wb-status", "requirements are met.")
    panel.locator("[data-box=app]").wait_for()
    drag(middle("client"), middle("balancer"))
    expect(panel, ".wb-status", "Arrow from client to balancer.")
    assert "client -> balancer" in area.input_value()
    before = middle("app")
    drag(before, (before[0] + 150, before[1] - 30))  # onto free paper
    assert middle("app")[0] > before[0] + 100
    page.click("text=Lay out anew")
    assert abs(middle("app")[0] - before[0]) < 2

    area.fill("client: client\nbalancer: load balancer\nclient -> balanzer")
    expect(panel, "li", "no box is called 'balanzer'; did you mean 'balancer'?")
    assert "✗4" in panel.locator(".wb-numbers").inner_text()
    assert panel.locator("[data-box]").count() == 2  # what can be read is still drawn


def test_where_there_is_no_such_cell_the_text_is_there_to_copy(lab: Lab, visit: Visit) -> None:
    cells = ["from workbench import design", "design('a: client')"]
    visit.open(lab.address(notebook(lab, "no-cell", cells)))
    visit.page.wait_for_timeout(800)
    visit.menu("Run", "Run All Cells")
    panel = visit.page.locator(PANEL)
    panel.wait_for(timeout=60_000)
    panel.locator(".wb-put").click()
    text = panel.locator("textarea[readonly]")
    assert text.input_value() == "%%answer url-shortener/design\na: client"
    assert (
        text.evaluate("text => text.value.slice(text.selectionStart, text.selectionEnd)")
        == text.input_value()
    )


PASTE_ONLY = """() => {
  const hidden = ['cmTile', 'cmView'];
  const content = document.querySelectorAll('.jp-CodeCell .cm-content')[1];
  const real = Object.fromEntries(hidden.map((name) => [name, content[name]]));
  const ours = () => (new Error().stack.split('\\n')[3] ?? '').includes('blob:');
  for (const name of hidden) Object.defineProperty(content, name, { configurable: true,
    get: () => (ours() ? undefined : real[name]), set: (value) => { real[name] = value; } });
}"""
"""Hides CodeMirror's view from the widget's module, as another version of it might."""


def test_the_text_is_pasted_where_the_editor_shows_nothing_of_itself(lab: Lab, visit: Visit) -> None:
    panel = opened(lab, visit, "pasting")
    panel.locator(".wb-column textarea").fill("a: client\nb: app\na -> b")
    expect(panel, ".wb-status", "requirements are met.")
    visit.page.evaluate(PASTE_ONLY)
    panel.locator(".wb-put").click()
    expect(panel, ".wb-status", "It stands in the cell.")
    assert visit.page.evaluate(EDITOR) == "%%answer url-shortener/design\na: client\nb: app\na -> b"


@pytest.fixture(params=["light", "dark"])
def theme(lab: Lab, request: pytest.FixtureRequest) -> Iterator[str]:
    settings = (
        lab.work / ".jupyter/lab/user-settings/@jupyterlab/apputils-extension/themes.jupyterlab-settings"
    )
    if request.param == "dark":
        settings.write_text(json.dumps({"theme": "JupyterLab Dark"}), "utf-8")
    yield str(request.param)
    settings.unlink(missing_ok=True)


def test_every_text_is_readable_in_both_themes(lab: Lab, visit: Visit, theme: str) -> None:
    cell = f"{CELL}\napp: app server\nbalancer -> app\nwrong"
    panel = opened(lab, visit, f"readable-{theme}", cell)
    panel.evaluate("panel => panel.querySelectorAll('details').forEach(each => each.open = true)")
    looked, weak = panel.evaluate(CONTRAST)
    assert looked > 60
    assert [each for each in weak if "NaN" not in each] == []
    panel.evaluate("panel => panel.scrollIntoView()")
    visit.shot(theme)
