"""Ending tasks for certain."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

AGAIN = 0.5
"""Seconds. A cancellation may be swallowed on its way: by a library that is just closing a connection, or by
`asyncio.wait_for` (before Python 3.12) when the awaited answer comes at that very moment."""


async def end(tasks: Iterable[asyncio.Task[Any] | None]) -> None:
    """Cancels the tasks, again and again until they have ended. What they raise on the way is no news."""
    given = {task for task in tasks if task is not None}
    pending = given
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=AGAIN)
    for task in given:
        if not task.cancelled():
            task.exception()
