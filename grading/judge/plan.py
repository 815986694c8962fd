"""What one run does: operations (the workload) and faults, as data that can be generated, shrunk and printed."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Op:
    """One operation. It begins `at` seconds after the run's start, or after the operation named `after` has ended.

    do: "call" (a method of the component on `server`), "each" (a pure method, once for each of `args`, which are
    lists of arguments), "cancel" (the call named `target`), "put" and "delete" (a row of the store), "event" (the
    model of the slot's world does `method`), "crash" (`server` dies, and is started again at once, knowing nothing),
    "clock" (`server`'s clock is set forward by `args[0]` seconds, or back), "redis" (the command `args`, done by the
    judge itself; its reply is noted), "flush" (the Redis), "inspect" (note its keys), "weigh" (note the host's memory).
    """

    name: str
    do: Literal[
        "call",
        "each",
        "cancel",
        "put",
        "delete",
        "event",
        "crash",
        "clock",
        "redis",
        "flush",
        "inspect",
        "weigh",
    ]
    at: float = 0.0
    after: str = ""
    server: int = 0
    method: str = ""
    args: tuple[Any, ...] = ()
    target: str = ""
    text: str = ""
    """How a report tells it, where its fields do not say enough."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Something is wrong with `target` from `start` until `end` (virtual seconds), for requests sent in between.

    `target`: the slot's Redis or one of its ports, as the schema calls it ("cache", "store"), or "server".
    Modes of a Redis: "refuse" (connection reset, nothing done), "silent" (nothing done, no answer), "no-answer" (done,
    but no answer), "late" (no answer; done `delay` seconds later), "slow" (done, the answer takes `delay`), "error" (it
    answers with an error).
    Modes of a port: "unavailable" (not done), "timeout" (not done; `TimedOut` after a second), "no-answer" (done;
    `TimedOut` after a second), "late" (`TimedOut` after a second; done `delay` seconds after it was sent), "slow" (done
    at once, the answer takes `delay`).
    Mode of a server: "crash": it dies at the moment at which it sends a request, which still arrives (`count` times).
    """

    target: str
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
    count: int = 0
    """So many requests of each server meet it, and no more; 0: all in the window."""


@dataclass(frozen=True, slots=True)
class Plan:
    seed: int
    ops: tuple[Op, ...]
    faults: tuple[Fault, ...] = ()
    rows: tuple[dict[str, Any], ...] = ()
    """What the store holds at first; times relative to the run's start."""
    servers: int = 3
    values: dict[str, Any] = field(default_factory=dict)
    """What the component is constructed with, by the schema's names; those with "_" in front stay secret."""
    own: tuple[dict[str, Any], ...] = ()
    """By server: what it is constructed with in place of `values`."""
    names: tuple[str, ...] = ()
    """What the servers are called, if not app-1, app-2, …"""
    calm: bool = False
    """Every request takes the same time; the usual order."""
    batch: bool = False
    """Deliver everything that is due within 20 ms at once: for large workloads."""
    facts: dict[str, Any] = field(default_factory=dict)
    """What the checker needs to know of how the plan was made."""

    @property
    def ttl(self) -> float:
        """Seconds, of a slot that is given one."""
        return float(self.values["ttl"])

    def called(self, server: int) -> str:
        return self.names[server] if self.names else f"app-{server + 1}"

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
