"""What is behind a slot's ports, as the judge plays it: its own, so that a bug of the reference is not in it."""

from __future__ import annotations

from typing import Any, Protocol

from grading.judge.history import Ask, Call
from grading.judge.plan import Op


class Refused(Exception):
    """A port refuses: the component gets the error of this name, of those of the schema's `errors`."""

    def __init__(self, error: str, message: str = "") -> None:
        super().__init__(message or error)
        self.error = error


class Model(Protocol):
    """Of one run. Times are virtual seconds since the run began, POSIX seconds where a value has them."""

    def answer(self, t: float, ask: Ask) -> Any:
        """Do what a port was asked, at `t`, and answer in JSON. Refused; ValueError: there is no such method."""
        ...

    def happen(self, t: float, op: Op) -> str:
        """Do an operation "put", "delete" or "event"; says what was done, for the timeline."""
        ...

    def react(self, t: float, ended: Call | None) -> list[Op]:
        """What is done next because a call has ended, or (None) an operation of the world has: operations that begin
        `at` seconds from now. For workloads that depend on what the component did."""
        ...


class StaticModel:
    """A model whose workload does not depend on what the component does."""

    def happen(self, t: float, op: Op) -> str:
        raise ValueError(f"no such operation: {op.do} {op.method}")

    def react(self, t: float, ended: Call | None) -> list[Op]:
        return []
