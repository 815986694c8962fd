"""`await run_capstone(component)`: the capstone from a notebook, in a process of its own."""

from __future__ import annotations

import asyncio
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.capstone.command import SECONDS
from workbench.notebook.component import Component
from workbench.notebook.status import StatusLine
from workbench.subprocesses import LineProcess

if TYPE_CHECKING:
    from workbench.capstone.verdict import CapstoneVerdict

ROOT = Path(__file__).parents[3]


class CapstoneError(Exception):
    """There is no verdict: a fault of the workbench or of the machine, never of the component."""


async def run_capstone(
    component: Component, *, profile: str = "embedded", seed: int = 1, seconds: float = SECONDS
) -> CapstoneVerdict:
    """The verdict on `component` in the whole running service. In a notebook: `await run_capstone(redirect_cache)`.

    Starts a stack of its own, beside any that runs, and takes `seconds` and about 15 s more. `seed`: of what is
    asked and what breaks. Raises CapstoneError if there is no verdict; cancelling (the stop button) ends the stack.
    """
    if not isinstance(component, Component):
        raise TypeError(
            "run_capstone takes what a %%component cell left behind: await run_capstone(redirect_cache)"
        )
    argv = [sys.executable, "-m", "workbench.cli", "capstone", "-", "--slot", component.slot, "--json"]
    argv += ["--profile", profile, "--seed", str(seed), "--seconds", str(seconds)]
    status = StatusLine(f"{component.slot} goes into service …")
    began = time.monotonic()
    text = ""
    try:
        async with LineProcess(argv, component.source, cwd=str(ROOT)) as child:
            waiting = asyncio.create_task(_count_up(status, component.slot, began))
            try:
                text = "\n".join([line async for line in child])
                code = await child.wait()
            finally:
                waiting.cancel()
                with suppress(asyncio.CancelledError):
                    await waiting
    except asyncio.CancelledError:
        status.update("Stopped: not judged.")
        raise
    if code not in (0, 1) or not text:
        status.update("The capstone failed.")
        raise CapstoneError(f"it ended with exit code {code}\n{child.errors or text}".rstrip())
    from workbench.capstone.verdict import CapstoneVerdict

    status.update(f"{component.slot} was in service for {time.monotonic() - began:.0f} s.")
    return CapstoneVerdict.from_json(text)  # type: ignore[return-value]


async def _count_up(status: StatusLine, slot: str, began: float) -> None:
    while True:
        await asyncio.sleep(1.0)
        status.update(f"{slot} is in service, under load and faults … {time.monotonic() - began:.0f} s")
