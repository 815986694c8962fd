"""What checkers of pure methods share: the questions with their answers, and how a report tells them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from grading.checks import errors
from grading.judge.history import Ask, History
from grading.judge.model import StaticModel
from grading.judge.plan import Plan
from grading.judge.requirement import Broken
from grading.judge.wording import show


class Nothing(StaticModel):
    """The world of a pure component: there is nothing in it."""

    def __init__(self, plan: Plan) -> None: ...

    def answer(self, t: float, ask: Ask) -> Any:
        raise ValueError(f"no such question: {ask.method}")


@dataclass(frozen=True, slots=True)
class Answer:
    """One question and what came back: `value`, or `error`."""

    caller: str
    server: int
    method: str
    args: tuple[Any, ...]
    value: Any
    error: dict[str, Any] | None

    @property
    def question(self) -> str:
        return f"{self.method}({', '.join(map(show, self.args))})"

    @property
    def told(self) -> str:
        """What came back, as a report tells it."""
        return show(self.value) if self.error is None else errors.told(self.error)

    def raised(self, base: str) -> bool:
        """Whether it raised this exception, by full name, or one of its subclasses."""
        return self.error is not None and base in self.error["bases"]

    def not_a(self, kind: type) -> Broken | None:
        """What is wrong if it raised, or returned something else than a `kind`; None: nothing."""
        if self.error is None and type(self.value) is kind:
            return None
        returns = f"{'an' if kind is int else 'a'} {kind.__name__}"
        expected = f"{self.question} returns {returns}"
        if self.error is not None:
            return errors.raised(self.error, expected)
        got = f"it returned {self.told}"
        if isinstance(self.value, dict) and self.value.get("not") == "coroutine":
            got = f"it returned a coroutine: {self.method} is a plain method (def), not an async one"
        return Broken("type", expected, got, cause=f"{self.method} does not return {returns}")


def answers(history: History, method: str = "") -> list[Answer]:
    """In the order in which they were asked. `method` empty: of all methods."""
    return [
        Answer(call.name, call.server, call.method, tuple(question), answer.get("value"), answer.get("error"))
        for call in history.calls.values()
        if call.outcome == "returned" and method in ("", call.method)
        for question, answer in zip(call.args, call.value, strict=True)
    ]
