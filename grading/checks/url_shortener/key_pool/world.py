"""What is behind the ports of the slot: the namespace, and numbers that nobody else has."""

from __future__ import annotations

from typing import Any

from grading.checks.url_shortener.codes import SOMEBODY, Namespace
from grading.judge.history import Ask
from grading.judge.plan import Plan


class World(Namespace):
    """`facts` of the plan, besides the namespace's own: `aliases` (codes that are somebody's from the beginning),
    `range` (how many numbers are allotted at once), `first` (the first number), `replay` (each server is allotted the
    same numbers, as if it were in a world of its own)."""

    def __init__(self, plan: Plan) -> None:
        super().__init__(plan)
        self.owners.update(dict.fromkeys(plan.facts.get("aliases", ()), SOMEBODY))
        self.size: int = plan.facts.get("range", 50)
        self.allotted = 0
        """Numbers, in all."""
        self._replay = bool(plan.facts.get("replay", False))
        self._first: int = plan.facts.get("first", 0)
        self._next: dict[int, int] = {}

    def answer(self, t: float, ask: Ask) -> Any:
        if ask.port != "ranges":
            return super().answer(t, ask)
        if ask.method != "allot":
            raise ValueError(f"no such question: {ask.method}")
        whose = ask.server if self._replay else 0
        begin = self._next.get(whose, self._first)
        self._next[whose] = begin + self.size
        self.allotted += self.size
        return [begin, begin + self.size]
