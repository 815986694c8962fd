"""Which line of a learner's component was it? Found in exceptions, live frames and faulthandler's dumps.

A learner's module is compiled under the file name `<component SLOT>`; that name is all we look for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from types import FrameType, TracebackType
from typing import Any

PREFIX = "<component "
_DUMPED_FRAME = re.compile(r'^  File "(?P<file>.+)", line (?P<line>\d+) in (?P<function>.+)$')
_COMPONENT_FILE = re.compile(r"^<component (?P<slot>[^>]+)>$")


@dataclass(frozen=True, slots=True)
class Place:
    """A line (1-based) of the module that fills `component`, a slot such as `url-shortener/redirect-cache`."""

    component: str
    line: int

    def json(self) -> dict[str, object]:
        return {"component": self.component, "line": self.line}


def place_of(filename: str | None, line: int | None) -> Place | None:
    match = _COMPONENT_FILE.match(filename or "")
    return Place(match["slot"], line) if match and line else None


def in_frame(frame: FrameType | None) -> Place | None:
    """The innermost line of a component on the stack that `frame` is the top of."""
    while frame is not None:
        if place := place_of(frame.f_code.co_filename, frame.f_lineno):
            return place
        frame = frame.f_back
    return None


def in_traceback(traceback: TracebackType | None) -> Place | None:
    found: Place | None = None
    while traceback is not None:
        found = place_of(traceback.tb_frame.f_code.co_filename, traceback.tb_lineno) or found
        traceback = traceback.tb_next
    return found


def in_exception(error: BaseException) -> Place | None:
    """The line that an exception, or its cause, blames; a SyntaxError blames the line that it could not read."""
    for one in _chain(error):
        if isinstance(one, SyntaxError) and (place := place_of(one.filename, one.lineno)):
            return place
        if place := in_traceback(one.__traceback__):
            return place
    return None


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def describe(error: BaseException) -> dict[str, Any]:
    """As a process tells it: `type`, `message`, and `component` and `line` if one of a component's is to blame."""
    place = in_exception(error)
    text = str(error) if not isinstance(error, SyntaxError) else error.msg
    return {"type": type(error).__name__, "message": text, **(place.json() if place else {})}


def in_dump(dump: str) -> Place | None:
    """The innermost line of a component in what faulthandler wrote (the last dump of the file).

    The thread that runs the event loop is looked at first, the others after it.
    """
    threads = _threads(dump)
    for frames in sorted(threads, key=lambda frames: not any(_is_loop(file) for file, _, _ in frames)):
        for file, line, _ in frames:
            if place := place_of(file, line):
                return place
    return None


def top_of_dump(dump: str) -> str | None:
    """`file:line in function` where the event loop's thread stood: what to say if no component is on its stack."""
    for frames in _threads(dump):
        if any(_is_loop(file) for file, _, _ in frames):
            file, line, function = frames[0]
            return f"{file}:{line} in {function}"
    return None


def _is_loop(file: str) -> bool:
    """Whether it is the main module of a process: a child of a supervisor, or one in a container."""
    return file.replace("\\", "/").endswith(("workbench/stack/child.py", "reference/serve.py"))


def _threads(dump: str) -> list[list[tuple[str, int, str]]]:
    """The frames of each thread, innermost first."""
    threads: list[list[tuple[str, int, str]]] = []
    for text in dump.splitlines():
        if match := _DUMPED_FRAME.match(text):
            if not threads:
                threads.append([])
            threads[-1].append((match["file"], int(match["line"]), match["function"]))
        elif "(most recent call first)" in text:
            threads.append([])
    return [frames for frames in threads if frames]
