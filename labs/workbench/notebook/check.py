"""`await check(component)`: has the judge decide, in a process of its own, and shows its report."""

from __future__ import annotations

import asyncio
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.learner import check_seeds
from workbench.notebook.component import Component
from workbench.notebook.status import StatusLine
from workbench.subprocesses import LineProcess

if TYPE_CHECKING:
    from workbench.notebook.verdict import CheckedVerdict

ROOT = Path(__file__).parents[3]


class JudgeError(Exception):
    """The judge itself failed: a fault of the workbench or of the machine, never of the component."""


async def check(
    component: Component, *, seeds: str | None = None, requirement: str | None = None
) -> CheckedVerdict:
    """The judge's verdict on `component`, requirement by requirement. In a notebook: `await check(redirect_cache)`.

    There what failed can be stepped through, beside the cell's own lines, and hints can be asked for.
    `seeds`: such as "1-20"; public ones and the learner's own, if not given. `requirement`: only that one. Nothing of
    the component runs in this process. Raises JudgeError if there is no verdict; cancelling (the notebook's stop
    button) ends the judge.
    """
    if not isinstance(component, Component):
        raise TypeError(
            "check takes what a %%component cell left behind, such as: await check(redirect_cache)"
        )
    argv = [sys.executable, "-m", "grading.judge", component.slot, "-", "--json"]
    argv += ["--seeds", seeds or check_seeds()]
    argv += ["--requirement", requirement] if requirement else []
    began = time.monotonic()
    status = StatusLine(f"Judging {component.slot} …")
    text = ""
    try:
        async with LineProcess(argv, component.source, cwd=str(ROOT)) as judge:
            waiting = asyncio.create_task(_count_up(status, component.slot, began))
            try:
                text = "\n".join([line async for line in judge])
                code = await judge.wait()
            finally:
                waiting.cancel()
                with suppress(asyncio.CancelledError):
                    await waiting
    except asyncio.CancelledError:
        status.update("Stopped: not judged.")
        raise
    if code not in (0, 1) or not text:
        status.update("The judge failed.")
        raise JudgeError(f"the judge ended with exit code {code}\n{judge.errors or text}".rstrip())
    from grading.judge.report import Verdict
    from workbench.notebook.verdict import CheckedVerdict

    verdict = CheckedVerdict.of(Verdict.from_json(text), component.source)
    status.update(f"Judged {component.slot} in {time.monotonic() - began:.1f} s.")
    return verdict


async def _count_up(status: StatusLine, slot: str, began: float) -> None:
    while True:
        await asyncio.sleep(1.0)
        status.update(f"Judging {slot} … {time.monotonic() - began:.0f} s")
