"""Drives JupyterLab as a learner meets it: by `workbench lab`, in Chromium, without any outside world."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from playwright.sync_api import Browser, Page, sync_playwright
from workbench.lab import free_port

NOTEBOOK = "url-shortener/04-detailed-design.ipynb"
PREFIX = "/user/somebody/"
"""A path before everything, as on JupyterHub and Binder: no URL may assume that there is none."""

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
]


def chromium() -> str | None:
    """Where the browser is; None if there is none."""
    names = ("chromium", "chromium-browser", "google-chrome")
    return next((path for name in names if (path := shutil.which(name))), None)


def only(notebook: Path, cells: Collection[str]) -> str:
    """The text of a notebook with these cells of that one, each of which it has."""
    tree = json.loads(notebook.read_text("utf-8"))
    tree["cells"] = [cell for cell in tree["cells"] if cell["id"] in cells]
    assert len(tree["cells"]) == len(cells)
    return json.dumps(tree)


@dataclass(frozen=True, slots=True)
class Lab:
    """A JupyterLab that runs. `work`: the learner's copy of the notebooks."""

    url: str
    token: str
    work: Path

    def address(self, notebook: str = NOTEBOOK) -> str:
        return f"{self.url}lab/tree/{notebook}?reset&token={self.token}"


@contextmanager
def running_lab(folder: Path) -> Iterator[Lab]:
    """`workbench lab` with an empty home, behind a prefix."""
    work = folder / "work"
    command = [*on_a_free_port("lab"), "--work", str(work)]
    environment = empty_home(folder / "home") | {"WORKBENCH_HOME": str(folder / "stacks")}
    with serving(command, environment, work, folder / "lab.log") as lab:
        yield lab


def on_a_free_port(command: str) -> list[str]:
    """`workbench lab` or `workbench teach` behind a prefix."""
    # One port of its own: two labs that start at one moment both find 8888 free, and one of them ends.
    port = free_port("127.0.0.1", first=0)
    start = [sys.executable, "-m", "workbench.cli", command]
    return [*start, "--no-browser", "--base-url", PREFIX, "--port", str(port)]


def empty_home(home: Path) -> dict[str, str]:
    """This environment without any Jupyter of the machine's, and an empty home in it."""
    home.mkdir()
    foreign = ("JUPYTER", "IPYTHON", "XDG_")
    return {k: v for k, v in os.environ.items() if not k.startswith(foreign)} | {"HOME": str(home)}


@contextmanager
def serving(
    command: list[str], environment: dict[str, str], work: Path, log: Path, cwd: Path | None = None
) -> Iterator[Lab]:
    """Runs a command that starts JupyterLab over `work`, and ends it."""
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=cwd, env=environment, stdout=output, stderr=subprocess.STDOUT)
    try:
        deadline = time.monotonic() + 60
        while not (lab := answering(work)):
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"JupyterLab did not start:\n{log.read_text()}")
            time.sleep(0.1)
        yield lab
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def answering(work: Path) -> Lab | None:
    """The lab of this folder, once it answers to its own token: another may sit at the address that it wrote down."""
    for found in work.glob(".jupyter/runtime/jpserver-*.json"):
        try:
            info = json.loads(found.read_text())
            lab = Lab(info["url"], info["token"], work)
            answer = httpx.get(f"{lab.url}api/status", headers={"Authorization": f"token {lab.token}"})
        except (ValueError, KeyError, OSError, httpx.TransportError):  # half written, or nobody listens yet
            continue
        if answer.status_code == 200:
            return lab
    return None


@dataclass(slots=True)
class Visit:
    """A page, and what it did that it should not."""

    page: Page
    shots: Path
    outside: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def open(self, address: str) -> None:
        """Opens a notebook and waits for its kernel."""
        self.page.goto(address)
        self.page.wait_for_selector(".jp-KernelName:has-text('Python 3')", timeout=90_000)
        self.wait_until_idle(90)

    def wait_until_idle(self, seconds: float) -> None:
        idle = ".jp-Notebook-ExecutionIndicator[data-status=idle]"
        self.page.wait_for_selector(idle, timeout=1000 * seconds)
        self.page.wait_for_timeout(500)
        self.page.wait_for_selector(idle, timeout=1000 * seconds)

    def menu(self, menu: str, item: str) -> None:
        self.page.click(f".lm-MenuBar-itemLabel:text-is('{menu}')")
        self.page.click(f".lm-Menu-itemLabel:text-is('{item}')")

    def prompts(self) -> list[str]:
        """`[3]:` for each code cell."""
        script = "cells => cells.map(cell => cell.textContent.trim())"
        found: list[str] = self.page.eval_on_selector_all(".jp-CodeCell .jp-InputArea-prompt", script)
        return found

    def run_all(self, seconds: float, cells: int = 1) -> None:
        """Runs the notebook that is open, from top to bottom. `cells`: with code, that it has at least."""
        self.menu("Run", "Run All Cells")
        self.page.wait_for_function(
            """least => {
                const prompts = [...document.querySelectorAll('.jp-CodeCell .jp-InputArea-prompt')];
                return prompts.length >= least && prompts.every(p => /\\[\\d+\\]/.test(p.textContent))
            }""",
            arg=cells,
            timeout=1000 * seconds,
        )
        self.wait_until_idle(60)

    def saved(self, notebook: Path) -> list[dict[str, Any]]:
        """Saves the notebook that is open. Its code cells, once the file says of each that it has run."""
        self.page.keyboard.press("Control+s")
        code: list[dict[str, Any]] = []
        for _ in range(40):  # it is written a moment later, and not at once
            self.page.wait_for_timeout(250)
            with suppress(ValueError):
                cells = json.loads(notebook.read_text("utf-8"))["cells"]
                code = [cell for cell in cells if cell["cell_type"] == "code"]
                if all(cell["execution_count"] for cell in code):
                    break
        assert [cell["id"] for cell in code if cell["execution_count"] is None] == []
        return code

    def shot(self, name: str) -> None:
        self.page.screenshot(path=self.shots / f"{name}.png")

    def pages(self) -> None:
        """Shows the whole notebook, one screen after another: what is out of sight JupyterLab does not draw."""
        scroll = """() => { const box = document.querySelector('.jp-WindowedPanel-outer'); const before = box.scrollTop;
                            box.scrollTop += box.clientHeight - 40; return box.scrollTop - before }"""
        self.page.evaluate("document.querySelector('.jp-WindowedPanel-outer').scrollTop = 0")
        for _ in range(40):
            self.page.wait_for_timeout(150)
            if self.page.evaluate(scroll) < 2:
                break


@contextmanager
def blameless(shots: Path, by_itself: str | None = None) -> Iterator[Visit]:
    """Fails afterwards if the page asked anything of another machine, or wrote an error to its console. `by_itself`: a
    part of those that the browser writes there whatever the page makes of it."""
    with visiting(shots) as visit:
        yield visit
        assert visit.outside == []
        assert [error for error in visit.errors if by_itself is None or by_itself not in error] == []


@contextmanager
def visiting(shots: Path, height: int = 900) -> Iterator[Visit]:
    """A browser whose every request to another machine is refused and written down."""
    with browsing() as browser:
        yield visitor(browser, shots, height)


@contextmanager
def browsing() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        try:
            yield browser
        finally:
            browser.close()


def visitor(browser: Browser, shots: Path, height: int = 900) -> Visit:
    """Somebody at a machine of their own: with no cookie of anybody else's."""
    context = browser.new_context(viewport={"width": 1280, "height": height})
    visit = Visit(context.new_page(), shots)

    def guard(route: Any) -> None:
        url = route.request.url
        if url.startswith(("http://127.0.0.1:", "ws://127.0.0.1:", "data:", "blob:")):
            route.continue_()
        else:
            visit.outside.append(url)
            route.abort()

    context.route("**/*", guard)
    visit.page.on(
        "console",
        lambda message: visit.errors.append(message.text) if message.type == "error" else None,
    )
    visit.page.on("pageerror", lambda error: visit.errors.append(str(error)))
    return visit
