"""The cell magics `%%component SLOT` and `%%answer ID`."""

from __future__ import annotations

import traceback
from asyncio import CancelledError
from typing import Any

from IPython.core.error import UsageError

from workbench.loadgen.result import StoppedEarly
from workbench.notebook.answer import Answer, keep
from workbench.notebook.component import Component, ComponentCellError, define, file_name, variable
from workbench.notebook.component import keep as keep_component
from workbench.stack.errors import ComponentError, StackError


def register(shell: Any) -> None:
    """Makes `%%component` and `%%answer` known to an IPython shell. Calling it twice does no harm."""

    def component(line: str, cell: str) -> Component:
        """%%component SLOT: the cell is a module; keeps it as a component under the slot's name."""
        words = line.split()
        if len(words) != 1:
            raise UsageError(
                "name one slot on the first line, such as: %%component url-shortener/redirect-cache"
            )
        try:
            found = define(words[0], cell)
        except ComponentCellError as error:
            forget(words[0])
            raise UsageError(f"{error}{unset(words[0])}") from None
        except Exception as error:
            forget(words[0])
            raise UsageError(f"{cell_error(error, words[0])}{unset(words[0])}") from None
        keep_component(found)
        shell.user_ns[found.name] = found
        return found

    def forget(slot: str) -> None:
        """The component of an earlier run must not be swapped in or judged in place of this one."""
        shell.user_ns.pop(variable(slot), None)

    def answer(line: str, cell: str) -> Answer:
        """%%answer ID: the cell is data; keeps it under the answer's name, and in a file for later notebooks."""
        from grading.answers import ANSWERS, exercise, own_part  # only now: most notebooks begin without

        words = line.split()
        try:
            exercise(words[0] if len(words) == 1 else "")
        except ValueError:
            raise UsageError(
                f"name one answer on the first line, such as: %%answer {next(iter(ANSWERS))}"
            ) from None
        found = Answer(words[0], own_part(f"\n{cell}"))
        keep(found)
        shell.user_ns[found.name] = found
        return found

    shell.register_magic_function(component, "cell", "component")
    shell.register_magic_function(answer, "cell", "answer")
    shell.set_custom_exc((ComponentError, StackError, StoppedEarly, CancelledError), short_traceback)


def unset(slot: str) -> str:
    name = variable(slot)
    return f"\n\nThere is no `{name}` until this cell runs; an earlier one was taken away." if name else ""


def cell_error(error: Exception, slot: str) -> str:
    """The error with the lines of the cell that led to it, and none of ours."""
    frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename == file_name(slot)]
    lines = traceback.format_list(frames) + traceback.format_exception_only(error)
    return "this cell does not run:\n" + "".join(lines).replace(f'File "{file_name(slot)}", ', "").rstrip()


def short_traceback(shell: Any, kind: type[BaseException], error: BaseException, _: Any, **__: Any) -> None:
    """IPython's handler for errors whose message says all: how they came about inside the workbench helps nobody."""
    name = "Interrupted" if issubclass(kind, CancelledError) else kind.__name__
    text = str(error) or "the cell was stopped before its end; run it again."
    shell._showtraceback(kind, error, [f"{name}: {text}"])
