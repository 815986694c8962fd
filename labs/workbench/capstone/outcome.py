"""What a check may say: Kept, NotShown (both as the judge has them), or Failed."""

from __future__ import annotations

from dataclasses import dataclass

from grading.judge.requirement import Kept, NotShown

__all__ = ["Failed", "Kept", "NotShown", "Outcome"]


@dataclass(frozen=True, slots=True)
class Failed:
    """The run broke the requirement. `codes`: of the links that the timeline is to show. `at`: the moment of the
    failing request, in seconds since the load began. `also`: further cases, counted in words."""

    expected: str
    got: str
    codes: tuple[str, ...] = ()
    at: float | None = None
    also: str = ""
    read_next: str = ""
    """Where the slot's own does not fit."""


Outcome = Kept | NotShown | Failed


def others(count: int, what: str) -> str:
    """`and 3 more links`, or nothing."""
    if count <= 0:
        return ""
    return f"The same happened to {count} more {what}{'s' if count > 1 else ''}."
