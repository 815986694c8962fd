"""`await check(component)`: the judge's verdict, from a process that ends with the cell."""

import asyncio
from pathlib import Path

import psutil
import pytest
from workbench import check
from workbench.notebook.check import JudgeError
from workbench.notebook.component import Component, define

pytestmark = pytest.mark.anyio
ROOT = Path(__file__).parents[2]
SLOT = "url-shortener/redirect-cache"


def component(path: str) -> Component:
    return define(SLOT, (ROOT / path).read_text("utf-8"))


async def test_the_reference_gets_full_marks_and_the_plain_filling_does_not() -> None:
    best = await check(component("reference/shortener/redirect_cache.py"), seeds="1")
    assert (best.points, best.max_points) == (20, 20)
    plain = await check(component("reference/shortener/plain/redirect_cache.py"), seeds="1")
    assert 0 < plain.points < 12
    assert "single-flight" in plain.text()


async def test_one_requirement_alone() -> None:
    verdict = await check(component("reference/shortener/redirect_cache.py"), seeds="1", requirement="hits")
    assert "hits" in verdict.text()
    assert verdict.max_points < 20 or [r.id for r in verdict.requirements if r.verdict == "pass"] == ["hits"]


def judges() -> list[psutil.Process]:
    return [p for p in psutil.Process().children() if "grading.judge" in p.cmdline()]


async def test_cancelling_ends_the_judge() -> None:
    task = asyncio.create_task(check(component("reference/shortener/redirect_cache.py"), seeds="1-500"))
    for _ in range(100):
        await asyncio.sleep(0.05)
        if judges():
            break
    assert len(judges()) == 1
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert judges() == []


async def test_a_judge_that_fails_is_no_verdict() -> None:
    with pytest.raises(JudgeError, match="exit code 2"):
        await check(component("reference/shortener/redirect_cache.py"), requirement="no-such")


async def test_it_takes_a_component_and_nothing_else() -> None:
    with pytest.raises(TypeError, match="%%component"):
        await check("class RedirectCache: ...")  # type: ignore[arg-type]
