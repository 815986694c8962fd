"""The service's own pages, in a real browser: the small one by keyboard alone, the API's description, both offline."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from workbench.stack import Stack

from tests.browser.driver import Visit, blameless

pytestmark = pytest.mark.browser

FOCUSED = "() => document.activeElement?.id || document.activeElement?.className"


@pytest.fixture(scope="module")
def stack(browser: None) -> Iterator[Stack]:
    with Stack(servers=2) as stack:
        yield stack


@pytest.fixture
def visit(stack: Stack, tmp_path: Path) -> Iterator[Visit]:
    with blameless(tmp_path, by_itself="the server responded with a status of 4") as visit:
        yield visit


def follow(visit: Visit, url: str) -> int:
    """As a click would, but not on to the target, which is on another machine."""
    return int(visit.page.request.get(url, max_redirects=0).status)


def test_shorten_follow_see_the_clicks_and_delete_by_keyboard_alone(stack: Stack, visit: Visit) -> None:
    page, keyboard = visit.page, visit.page.keyboard
    page.goto(f"{stack.url}/")
    keyboard.press("Tab")
    assert page.evaluate(FOCUSED) == "long-url"
    keyboard.type("https://example.org/a/long/path?with=query")
    keyboard.press("Enter")
    page.wait_for_selector("#links .short a")
    assert page.evaluate(FOCUSED) == "long-url"
    assert page.input_value("#long-url") == ""
    url = page.inner_text("#links .short a")
    assert page.inner_text("#news") == f"Made {url}"
    assert url.startswith(f"{stack.url}/")

    assert [follow(visit, url) for _ in range(3)] == [302, 302, 302]
    page.wait_for_selector("#links .clicks:text-is('3 clicks')")
    assert page.inner_text("#news") == f"{url}: 3 clicks"
    assert "3 at most" in str(page.get_attribute("#links .chart", "aria-label"))
    visit.shot("clicks")

    for _ in range(10):
        if page.evaluate(FOCUSED) == "delete":
            break
        keyboard.press("Tab")
    keyboard.press("Enter")
    page.wait_for_selector("#links .gone .state:text-is('Deleted.')")
    assert page.evaluate(FOCUSED) == "long-url"
    assert follow(visit, url) == 404


def test_a_mistake_is_told_where_it_was_made(stack: Stack, visit: Visit) -> None:
    page, keyboard = visit.page, visit.page.keyboard
    page.goto(f"{stack.url}/")
    keyboard.press("Tab")
    keyboard.type("ftp://example.org/")
    keyboard.press("Enter")
    page.wait_for_selector("#problem:not(:empty)")
    assert "http" in page.inner_text("#problem")
    assert page.evaluate(FOCUSED) == "long-url"
    assert page.get_attribute("#long-url", "aria-invalid") == "true"

    for _ in range(2):  # the second time it is taken
        page.fill("#long-url", f"https://example.org/{_}")
        page.eval_on_selector("details", "each => each.open = true")
        page.fill("#alias", "my-alias")
        page.press("#alias", "Enter")
        page.wait_for_selector("#links .short a:has-text('my-alias')")
    page.wait_for_selector("#alias[aria-invalid=true]")
    assert page.evaluate(FOCUSED) == "alias"
    assert "my-alias" in page.inner_text("#problem") or "taken" in page.inner_text("#problem")
    assert page.locator("#links li").count() == 1
    visit.shot("mistake")


def test_the_api_is_described_offline(stack: Stack, visit: Visit) -> None:
    page = visit.page
    page.goto(f"{stack.url}/docs")
    page.wait_for_selector(".opblock")
    paths = page.locator(".opblock-summary-path").all_inner_texts()
    assert any("shorten" in path for path in paths)
    assert any("{code}" in path.replace("\u200b", "") for path in paths)
    page.locator(".opblock-summary-control").first.press("Enter")
    page.wait_for_selector(".opblock.is-open")
    visit.shot("docs")
