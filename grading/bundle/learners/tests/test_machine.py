"""`make test` of a learner: does everything that the notebooks need work on this machine?"""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import nbformat
import pytest
from nbclient import NotebookClient
from workbench import Stack, cli

from grading import checks
from grading.answers import ANSWERS
from grading.judge import judge

ROOT = Path(__file__).parents[1]
COMPONENTS = ROOT / "reference/shortener"
NOTEBOOKS = sorted((ROOT / "labs").rglob("*.ipynb"))


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with Stack(name="make-test").start() as running:
        yield running


def test_the_stack_redirects_and_counts(stack: Stack) -> None:
    made = httpx.post(f"{stack.url}/api/v1/shorten", json={"long_url": "https://example.org/"}).json()
    answer = httpx.get(f"{stack.url}/{made['code']}")
    assert (answer.status_code, answer.headers["location"]) == (302, "https://example.org/")
    until, clicks = time.monotonic() + 10, 0
    while not clicks and time.monotonic() < until:
        time.sleep(0.1)
        clicks = httpx.get(f"{stack.url}/api/v1/stats/{made['code']}").json()["clicks"]
    assert clicks == 1


def test_a_server_is_killed_and_the_others_go_on(stack: Stack) -> None:
    made = httpx.post(f"{stack.url}/api/v1/shorten", json={"long_url": "https://example.org/"}).json()
    stack.kill("app-2")
    try:
        for _ in range(4):
            assert httpx.get(f"{stack.url}/{made['code']}").status_code == 302
    finally:
        stack.revive("app-2")


@pytest.mark.parametrize("slot", checks.SLOTS)
def test_the_judge_says_what_the_components_here_lack(slot: str) -> None:
    module = slot.partition("/")[2].replace("-", "_")
    verdict = judge(slot, (COMPONENTS / f"{module}.py").read_text("utf-8"), [1])
    assert verdict.crashed is None
    assert 0 <= verdict.points < 20


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_the_notebooks_are_whole(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    nbformat.validate(notebook)
    for cell in json.loads(path.read_text("utf-8"))["cells"]:
        first = "".join(cell["source"]).partition("\n")[0].split()
        if first[:1] in (["%%component"], ["%%answer"]):
            assert first[1] in {*checks.SLOTS, *ANSWERS}


def test_a_notebook_runs(tmp_path: Path) -> None:
    notebook = nbformat.read(ROOT / "labs/welcome.ipynb", as_version=4)  # type: ignore[no-untyped-call]
    where = {"metadata": {"path": str(tmp_path)}}
    NotebookClient(notebook, timeout=120, kernel_name="python3", resources=where).execute()


def test_the_doctor_is_content(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["doctor"]) == 0
    assert "as in the lock" in capsys.readouterr().out
