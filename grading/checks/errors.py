"""Errors of a component, as every report tells of them. An error is as the host sent it: type, message, bases, line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from grading.judge.history import Call
from grading.judge.requirement import Broken

Error = Mapping[str, Any]


def told(error: Error) -> str:
    at = f" (your line {error['line']})" if error["line"] is not None else ""
    return f"{error['type']}: {error['message']}{at}"


def cause_of(error: Error | None) -> str:
    """The exception and its line: by these two the same mistake is known again. Without an error nothing."""
    if not error:
        return ""
    at = f" on your line {error['line']}" if error["line"] is not None else ""
    return f"{error['type']}{at}"


def raised(error: Error, expected: str) -> Broken:
    """`expected` was to happen, and it raised this."""
    return Broken(f"raised {error['type']}", expected, f"it raised {told(error)}", cause=cause_of(error))


def gave_up(call: Call, expected: str) -> Broken | None:
    """The call raised, or was cancelled though nobody cancelled it."""
    if call.outcome == "raised":
        return raised(call.error, expected)
    if call.outcome == "cancelled" and call.cancelled_at is None:
        return Broken("cancelled", expected, "it got CancelledError, though nobody cancelled this call")
    return None
