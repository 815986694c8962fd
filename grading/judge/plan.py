"""What one run does: operations (the workload) and faults, as data that can be generated, shrunk and printed."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Op:
    """One operation. It begins `at` seconds after the run's start, or after the operation named `after` has ended.

    do: "call" (a method of the component on `server`), "cancel" (the call named `target`), "put" and "delete" (a row
    of the store), "flush" (the cache), "inspect" (note the cache's keys), "weigh" (note the host's memory).
    """

    name: str
    do: Literal["call", "cancel", "put", "delete", "flush", "inspect", "weigh"]
    at: float = 0.0
    after: str = ""
    server: int = 0
    method: str = ""
    args: tuple[Any, ...] = ()
    target: str = ""


@dataclass(frozen=True, slots=True)
class Fault:
    """Something is wrong with `target` from `start` until `end` (virtual seconds), for requests sent in between.

    cache modes: "refuse" (connection reset, nothing done), "silent" (nothing done, no answer), "no-answer" (done, but
    no answer), "late" (no answer; done `delay` seconds later), "slow" (done, the answer takes `delay`), "error" (the
    server answers with an error).
    store modes: "unavailable", "timeout" (after a second), "slow" (the row is read at once, the answer takes `delay`).
    """

    target: Literal["cache", "store"]
    mode: str
    start: float
    end: float
    delay: float = 0.0
    servers: tuple[int, ...] = ()
    """Empty: all."""
    skip: int = 0
    """So many requests of each server in the window go well first."""
    after_find: bool = False
    """Only for requests sent after the server has had an answer from the store (in the window)."""


@dataclass(frozen=True, slots=True)
class Plan:
    seed: int
    ops: tuple[Op, ...]
    faults: tuple[Fault, ...] = ()
    rows: tuple[dict[str, Any], ...] = ()
    """What the store holds at first; times relative to the run's start."""
    servers: int = 3
    ttl: float = 600.0
    calm: bool = False
    """Every request takes the same time; the usual order."""
    batch: bool = False
    """Deliver everything that is due within 20 ms at once: for large workloads."""
    facts: dict[str, Any] = field(default_factory=dict)
    """What the checker needs to know of how the plan was made."""

    def without(self, names: set[str]) -> Plan:
        """Without these operations and whatever depends on them."""
        gone = set(names)
        kept: list[Op] = []
        for op in self.ops:
            if op.name in gone or op.after in gone or op.target in gone:
                gone.add(op.name)
            else:
                kept.append(op)
        return replace(self, ops=tuple(kept))
