"""A component's text as a module of Python, and what may be wrong with it.

The module's file name is `<component SLOT>`; `linecache` knows its text, so tracebacks show the learner's lines.
"""

from __future__ import annotations

import asyncio
import inspect
import linecache
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any


class ComponentRejected(ValueError):
    """A component cannot be taken into service; the message says why, and the cause where."""


def file_name(slot: str) -> str:
    return f"<component {slot}>"


def compile_module(slot: str, source: str) -> ModuleType:
    """Runs `source` as a new module. It is in `sys.modules` until `forget_module`, as dataclasses need it to be.

    Raises whatever the text raises, SyntaxError included.
    """
    file = file_name(slot)
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    module = ModuleType(f"component_{secrets.token_hex(8)}")
    module.__file__ = file
    sys.modules[module.__name__] = module
    try:
        exec(compile(source, file, "exec", dont_inherit=True), module.__dict__)
    except BaseException:
        forget_module(module.__name__)
        raise
    return module


def forget_module(name: str) -> None:
    sys.modules.pop(name, None)


def line_in_component(error: BaseException, slot: str) -> int | None:
    """The line of the component, 1-based, that `error` or what caused it came from; the innermost one."""
    file = file_name(slot)
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        if isinstance(error, SyntaxError) and error.filename == file:
            return error.lineno
        line, step = None, error.__traceback__
        while step is not None:
            if step.tb_frame.f_code.co_filename == file:
                line = step.tb_lineno
            step = step.tb_next
        if line is not None:
            return line
        error = error.__cause__ or error.__context__  # type: ignore[assignment]
    return None


@contextmanager
def rejecting(slot: str, what: str) -> Iterator[None]:
    """Whatever is raised within, an attempt to exit included, becomes a ComponentRejected that begins with `what`."""
    try:
        yield
    except (GeneratorExit, asyncio.CancelledError) as error:
        if isinstance(error, GeneratorExit) or being_cancelled():
            raise
        raise ComponentRejected(f"{what}: {type(error).__name__}") from error
    except BaseException as error:
        line = line_in_component(error, slot)
        text = error.msg if isinstance(error, SyntaxError) else str(error)
        where = f" (line {line})" if line else ""
        raise ComponentRejected(f"{what}{where}: {type(error).__name__}: {text}") from error


def check_method(component: Any, class_name: str, method: str, *, pure: bool = False) -> None:
    """ComponentRejected unless `component` has the method, as a coroutine function; a pure one as a plain function."""
    function = getattr(component, method, None)
    if function is None:
        raise ComponentRejected(f"{class_name} has no method {method}")
    is_async = inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(inspect.unwrap(function))
    if pure and (is_async or not callable(function)):
        raise ComponentRejected(
            f"{class_name}.{method} must be a plain function, not `async def`: it is pure"
        )
    if not pure and not is_async:
        raise ComponentRejected(f"{class_name}.{method} must be defined with `async def`")


def being_cancelled() -> bool:
    """Whether a CancelledError here is meant for the task that runs; else something within has raised it."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
