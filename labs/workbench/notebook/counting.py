"""Runs a module of ours for a cell, in a process of its own: a status line counts up, and stopping the cell ends it."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from workbench.notebook.status import StatusLine
from workbench.subprocesses import LineProcess

ROOT = Path(__file__).parents[3]


@dataclass(frozen=True, slots=True)
class Output:
    """Of a process that has ended."""

    text: str
    errors: str
    code: int
    seconds: float

    @property
    def usable(self) -> bool:
        """It said something, and whether that is good news (0) or bad (1)."""
        return self.code in (0, 1) and bool(self.text)

    @property
    def why_not(self) -> str:
        return f"it ended with exit code {self.code}\n{self.errors or self.text}".rstrip()


async def counting(status: StatusLine, doing: str, module: Sequence[str], source: str) -> Output:
    """What `python -m module` says to `source`; meanwhile `status` tells `doing` and for how long."""
    began = time.monotonic()
    status.update(f"{doing} …")
    try:
        async with LineProcess([sys.executable, "-m", *module], source, cwd=str(ROOT)) as child:
            waiting = asyncio.create_task(_count_up(status, doing, began))
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
    return Output(text, child.errors, code, time.monotonic() - began)


async def _count_up(status: StatusLine, doing: str, began: float) -> None:
    while True:
        await asyncio.sleep(1.0)
        status.update(f"{doing} … {time.monotonic() - began:.0f} s")
