"""A small language to write workloads in: a script of operations, with names that a report can show."""

from __future__ import annotations

import random
import string
from typing import Any

from grading.judge.plan import Fault, Op, Plan

ALPHABET = string.ascii_letters + string.digits
FAR = 10_000_000.0
"""Seconds: the expiry of a link that does not expire in the run."""


class Script:
    """Collects rows and operations. Everything drawn comes from the seed and the scenario's name."""

    def __init__(self, seed: int, name: str) -> None:
        self.seed = seed
        self.random = random.Random(f"{name} {seed}")
        self.rows: list[dict[str, Any]] = []
        self.ops: list[Op] = []
        self.facts: dict[str, Any] = {}
        self.callers = self.invalidations = 0

    def code(self) -> str:
        return "".join(self.random.choices(ALPHABET, k=7))

    def link(self, url: str = "", expires_at: float = FAR, code: str = "") -> str:
        """A row of the store from the beginning on; returns its code."""
        code = code or self.code()
        self.rows.append(row(code, url, expires_at))
        return code

    def server(self, *others: int) -> int:
        """One of the three, and none of `others`."""
        return self.random.choice([s for s in range(3) if s not in others])

    def between(self, least: float, most: float) -> float:
        return round(self.random.uniform(least, most), 3)

    def resolve(self, code: str, server: int, at: float, after: str = "", role: str = "") -> str:
        """The caller's name. `role`: what the checker is to see in this call (`role_of`)."""
        self.callers += 1
        return self._call(f"caller {self.callers}", "resolve", code, server, at, after, role)

    def invalidate(self, code: str, server: int, at: float, after: str = "") -> str:
        self.invalidations += 1
        return self._call(f"invalidation {self.invalidations}", "invalidate", code, server, at, after, "")

    def _call(self, name: str, method: str, code: str, server: int, at: float, after: str, role: str) -> str:
        self.ops.append(Op(name, "call", round(at, 6), after, server, method, (code,)))
        if role:
            self.facts.setdefault("roles", {})[name] = role
        return name

    def cancel(self, target: str, at: float) -> None:
        self.ops.append(Op(f"cancel {target}", "cancel", round(at, 6), target=target))

    def delete(self, code: str, at: float, after: str = "") -> str:
        self.ops.append(Op(f"delete {code}", "delete", round(at, 6), after, args=(code,)))
        return f"delete {code}"

    def put(self, code: str, at: float, after: str = "") -> str:
        self.ops.append(Op(f"create {code}", "put", round(at, 6), after, args=(row(code),)))
        return f"create {code}"

    def look(self, do: Any, name: str, at: float) -> None:
        self.ops.append(Op(name, do, round(at, 6)))

    def plan(self, *faults: Fault, **settings: Any) -> Plan:
        values = {"ttl": settings.pop("ttl", 600.0)}
        return Plan(
            self.seed, tuple(self.ops), faults, tuple(self.rows), values=values, facts=self.facts, **settings
        )


def role_of(plan: Plan, name: str) -> str:
    """The role that the script gave to the call of this name; empty: none."""
    return str(plan.facts.get("roles", {}).get(name, ""))


def row(code: str, url: str = "", expires_at: float = FAR) -> dict[str, Any]:
    return {"code": code, "long_url": url or f"https://example.org/{code}", "expires_at": expires_at}
