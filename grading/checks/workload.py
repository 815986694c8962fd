"""A small language to write workloads in: a script of operations, with names that a report can show."""

from __future__ import annotations

import random
from typing import Any

from grading.judge.plan import Fault, Op, Plan

LONG = 110, 160
"""So many calls of one server, at least and at most, in a workload that asks whether what was right stays right. More
than a hundred: a component must not be able to be right for as long as it is looked at."""


class Workload:
    """Collects operations. Everything drawn comes from the seed and the scenario's name."""

    def __init__(self, seed: int, name: str) -> None:
        self.seed = seed
        self.random = random.Random(f"{name} {seed}")
        self.ops: list[Op] = []
        self.facts: dict[str, Any] = {}
        self.count = 0

    def between(self, least: float, most: float) -> float:
        return round(self.random.uniform(least, most), 3)

    def secret(self, size: int = 16) -> str:
        """Random bytes, as a plan carries them: text of as many characters."""
        return self.random.randbytes(size).decode("latin-1")

    def call(
        self,
        method: str,
        *args: Any,
        server: int = 0,
        at: float = 0.0,
        after: str = "",
        name: str = "caller",
        role: str = "",
    ) -> str:
        """The call's name, `name` with a number. `role`: what the checker is to see in it (`role_of`)."""
        self.count += 1
        named = f"{name} {self.count}"
        self.ops.append(Op(named, "call", round(at, 6), after, server, method, args))
        if role:
            self.facts.setdefault("roles", {})[named] = role
        return named

    def each(
        self, method: str, questions: list[list[Any]], *, server: int = 0, at: float = 0.0, text: str
    ) -> str:
        """A pure method, once for each list of arguments. `text`: how a report tells it."""
        self.count += 1
        named = f"caller {self.count}"
        self.ops.append(Op(named, "each", round(at, 6), "", server, method, tuple(questions), text=text))
        return named

    def cancel(self, target: str, at: float, after: str = "") -> None:
        self.ops.append(Op(f"cancel {target}", "cancel", round(at, 6), after, target=target))

    def crash(self, server: int, at: float, after: str = "") -> str:
        return self._add(Op(f"crash {len(self.ops)}", "crash", round(at, 6), after, server))

    def clock(self, server: int, by: float, at: float, after: str = "") -> str:
        """Sets the server's clock forward by so many seconds, or back."""
        return self._add(Op(f"clock {len(self.ops)}", "clock", round(at, 6), after, server, args=(by,)))

    def event(self, method: str, *args: Any, at: float, text: str, after: str = "", name: str = "") -> str:
        """Something that the model of the world does. `text`: how a report tells it."""
        named = name or f"event {len(self.ops)}"
        return self._add(Op(named, "event", round(at, 6), after, 0, method, args, text=text))

    def redis(self, *command: str | int | float, at: float, name: str, text: str = "") -> str:
        """A command of the judge's own to the Redis; its reply is found under `name` in the history's `readings`."""
        return self._add(Op(name, "redis", round(at, 6), args=command, text=text))

    def look(self, do: Any, name: str, at: float) -> str:
        """Look at the Redis's keys ("inspect"), or at the component's memory ("weigh"); or "flush" the Redis."""
        return self._add(Op(name, do, round(at, 6)))

    def _add(self, op: Op) -> str:
        self.ops.append(op)
        return op.name

    def plan(self, *faults: Fault, **settings: Any) -> Plan:
        return Plan(self.seed, tuple(self.ops), faults, facts=self.facts, **settings)


def role_of(plan: Plan, name: str) -> str:
    """The role that the script gave to the call of this name; empty: none."""
    return str(plan.facts.get("roles", {}).get(name, ""))
