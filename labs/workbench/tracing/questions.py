"""`questions(traces)`: questions about the learner's own run, and the widget that asks them.

A small widget in the manner of the others; without widgets the same stands there as text, and `quiz.answer(1, "b")`
answers. Which choice is right stays in the kernel: the page is told with the verdict.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import traitlets

from workbench.notebook.chart import STATIC
from workbench.notebook.widget import Widget
from workbench.tracing.making import Question, made
from workbench.tracing.spans import Trace

LETTERS = "abcdefgh"


@dataclass(frozen=True, slots=True)
class Verdict:
    """On one answer."""

    right: bool
    text: str

    def __str__(self) -> str:
        return self.text

    __repr__ = __str__


class Quiz(Widget):
    """Show it as a cell's last line. `quiz.questions[0].evidence` and so on are its data."""

    _esm = "\n".join((STATIC / name).read_text("utf-8") for name in ("parts.js", "questions.js"))
    _css = (STATIC / "questions.css").read_text("utf-8")

    requests: Any = traitlets.List().tag(sync=True)
    """The requests that are asked about, a line each."""
    asked: Any = traitlets.List().tag(sync=True)
    """The questions, without what is right."""
    verdicts: Any = traitlets.Dict().tag(sync=True)
    """By the number of a question, as text: the last verdict on it."""
    status = traitlets.Unicode().tag(sync=True)

    def __init__(self, requests: Sequence[str], found: Sequence[Question]) -> None:
        super().__init__(
            requests=list(requests),
            asked=[{"text": each.text, "choices": list(each.choices)} for each in found],
        )
        self.questions = tuple(found)
        self._turn = 0
        self.on_msg(self._told)

    def answer(self, number: int, choice: str) -> Verdict:
        """The verdict on an answer, with the evidence: `quiz.answer(1, "b")`. It may be changed.

        ValueError: no such question, or no such choice."""
        if not 1 <= number <= len(self.questions):
            raise ValueError(
                f"there is no question {number}; they are numbered from 1 to {len(self.questions)}"
            )
        question = self.questions[number - 1]
        letters = LETTERS[: len(question.choices)]
        if len(choice) != 1 or choice.lower() not in letters:
            raise ValueError(f"choice = {choice!r}: one of {', '.join(letters)}")
        verdict = judged(question, letters.index(choice.lower()))
        self._turn += 1  # so that the same verdict, given again, is news to the page
        told = {"right": verdict.right, "text": verdict.text, "turn": self._turn}
        self.verdicts = {**self.verdicts, str(number): told}
        self.status = f"Question {number}: {'right' if verdict.right else 'not so'}. {self.score}"
        return verdict

    @property
    def score(self) -> str:
        """Such as "2 of 5 right so far"."""
        right = sum(verdict["right"] for verdict in self.verdicts.values())
        return f"{right} of {len(self.questions)} right so far"

    def _told(self, _: Any, message: Any, __: Any) -> None:
        """From the page: {"kind": "choose", "number": 1, "choice": "b"}."""
        if (
            isinstance(message, dict)
            and message.get("kind") == "choose"
            and isinstance(message.get("number"), int)
        ):
            try:
                self.answer(message["number"], str(message.get("choice")))
            except ValueError as error:
                self.status = str(error)

    def text(self) -> str:
        lines = ["Questions about these requests:", *(f"  {line}" for line in self.requests)]
        for number, question in enumerate(self.questions, 1):
            lines += ["", f"{number}. {question.text}"]
            lines += [
                f"   {letter}) {choice}" for letter, choice in zip(LETTERS, question.choices, strict=False)
            ]
            if (verdict := self.verdicts.get(str(number))) is not None:
                lines.append(f"   {verdict['text']}")
        return "\n".join([*lines, "", 'Answer by quiz.answer(1, "b"), if `quiz` is what you called them.'])

    __str__ = text

    def html(self) -> str:
        """For where there is no kernel behind the page."""
        return f"<pre>{escape(self.text())}</pre>"

    def otherwise(self) -> dict[str, str]:
        return {"text/plain": self.text()}


def judged(question: Question, choice: int) -> Verdict:
    """`choice`: its place among the choices."""
    if choice == question.right:
        return Verdict(True, f"Right. {question.evidence}")
    right = f"{LETTERS[question.right]}) {question.choices[question.right]}"
    return Verdict(False, f"Not so. It is {right}. {question.evidence}")


def questions(traces: Iterable[Trace], *, seed: int = 1, most: int = 6) -> Quiz:
    """Questions about these traces, each with three or four choices of which one is right.

        quiz = questions([miss, hit, made])
        quiz                                # radio buttons; the verdict quotes the trace
        quiz.answer(1, "b")                 # the same without widgets

    The requests are numbered in the order in which they are given, from 1. What can be asked hangs on what happened:
    which step made the difference is asked only where one clearly did. `most`: so many questions at most. The same
    traces and `seed` give the same questions. ValueError: no traces, or none that anything can be asked about.
    """
    given = list(traces)
    found = made(given, seed, most)
    if not found:
        raise ValueError(
            "these traces give no questions: trace a redirect or two, such as a miss and then a hit"
        )
    return Quiz([_request(number, trace) for number, trace in enumerate(given, 1)], found)


def _request(number: int, trace: Trace) -> str:
    """What the client knew of it."""
    return (
        f"Request {number}: {trace.method} {trace.path}, answered with {trace.status} after {trace.ms:.1f} ms"
    )
