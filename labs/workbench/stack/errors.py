"""What `Stack` raises."""

from __future__ import annotations


class StackError(RuntimeError):
    """The stack could not do what it was asked; the message says what and why."""


class ComponentError(StackError):
    """A component could not be swapped in; the old one goes on serving.

    `component` is the slot, `line` (1-based) and `source_line` where in the module, if that is known.
    """

    def __init__(
        self,
        message: str,
        component: str | None = None,
        line: int | None = None,
        source_line: str | None = None,
    ) -> None:
        self.component = component
        self.line = line
        self.source_line = source_line
        where = f"\n  line {line} of {component}: {(source_line or '').strip()}" if line else ""
        super().__init__(message + where)


class StartFailed(Exception):
    """Which role did not start, why, and the tail of its log."""
