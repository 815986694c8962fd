"""`python tests/browser/picture.py` takes the README's screenshot anew: the stack as it runs, and a load on it."""

import tempfile
from pathlib import Path

import nbformat
from workbench.release import RELEASE, ROOT

from tests.browser.driver import NOTEBOOK, running_lab, visiting

PICTURE = ROOT / "labs/screenshot.png"
LOAD = """\
from workbench import create_links, load

codes = await create_links(stack, 300)
await load(stack, codes, rate=200, seconds=8, at={5: ("the cache is flushed", stack.flush)})"""


def take(folder: Path) -> None:
    full = nbformat.read(ROOT / RELEASE / NOTEBOOK, as_version=4)  # type: ignore[no-untyped-call]
    chosen = [cell for cell in full.cells if cell.id == "start"]
    full.cells = [*chosen, nbformat.v4.new_code_cell(LOAD)]  # type: ignore[no-untyped-call]
    with running_lab(folder) as lab, visiting(folder, height=1400) as visit:
        nbformat.write(full, lab.work / NOTEBOOK)  # type: ignore[no-untyped-call]
        visit.open(lab.address())
        visit.page.keyboard.press("Control+b")  # the file browser away
        visit.page.wait_for_timeout(1000)
        visit.menu("Run", "Run All Cells")
        visit.page.wait_for_selector(".wb-status:has-text('Done')", timeout=60_000)
        visit.wait_until_idle(30)
        visit.page.evaluate("document.querySelector('.jp-WindowedPanel-outer').scrollTop = 0")
        visit.page.wait_for_timeout(1000)
        visit.page.screenshot(path=PICTURE)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        take(Path(folder))
    print(f"{PICTURE}: {PICTURE.stat().st_size // 1000} kB")
