"""Which line of the component is running, for reports."""

from __future__ import annotations

import asyncio
import sys
import traceback
from collections.abc import Callable
from types import FrameType
from typing import Any

filename = "<component>"
"""What the component's code objects call their file; set once, when the source arrives."""


def running(frame: FrameType | None = None) -> int | None:
    """The line of the innermost frame of the component below `frame` (or the caller); None if there is none."""
    frame = frame or sys._getframe(1)
    while frame is not None:
        if frame.f_code.co_filename == filename:
            return frame.f_lineno
        frame = frame.f_back
    return None


def raised(error: BaseException) -> int | None:
    """The innermost line of the component in the error's traceback."""
    if isinstance(error, SyntaxError) and error.filename == filename:
        return error.lineno
    lines = [
        line for frame, line in traceback.walk_tb(error.__traceback__) if frame.f_code.co_filename == filename
    ]
    return lines[-1] if lines else None


def waiting(loop: asyncio.AbstractEventLoop) -> int | None:
    """A line at which some task of the component waits."""
    for task in asyncio.all_tasks(loop):
        for frame in reversed(task.get_stack()):
            if frame.f_code.co_filename == filename:
                return frame.f_lineno
    return None


class Follower:
    """While it is entered, notes which line of the component ran last. What is followed runs many times slower."""

    def __init__(self) -> None:
        self.line: int | None = None

    def __enter__(self) -> Follower:
        sys.settrace(self.called)
        return self

    def __exit__(self, *error: object) -> None:
        sys.settrace(None)

    def called(self, frame: FrameType, event: str, arg: object) -> Callable[..., Any] | None:
        return self.ran if frame.f_code.co_filename == filename else None

    def ran(self, frame: FrameType, event: str, arg: object) -> Callable[..., Any]:
        self.line = frame.f_lineno
        return self.ran
