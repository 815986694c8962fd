"""The page of claims, in JupyterLab: it is shown as a page, and a link leads to the very cell."""

import pytest

from tests.browser.driver import Lab, Visit

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_a_link_leads_to_its_cell(lab: Lab, visit: Visit) -> None:
    page = visit.page
    page.goto(lab.address("url-shortener/claims.md"))
    link = page.locator(".jp-RenderedMarkdown a[href*='cell-id=measure-birthday']").first
    link.wait_for(timeout=90_000)
    assert page.locator(".jp-RenderedMarkdown h1").inner_text().startswith("What they say")
    link.click()
    page.wait_for_selector(".jp-NotebookPanel", timeout=60_000)
    cell = page.locator(".jp-Cell:has-text('hash_until_two_meet')").first
    cell.wait_for(state="visible", timeout=30_000)
    page.wait_for_timeout(1500)
    box = cell.bounding_box()
    assert box is not None
    assert -200 < box["y"] < 900
    visit.shot("cell")
