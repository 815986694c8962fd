"""An experiment: a claim, a prediction committed beforehand, a measured run, and what it says of the claim.

    hit_rate = predict("url-scale-skew-80-20", claim="…", question="…", guess=0.5, unit="share")
    await experiment(hit_rate, measure)          # measure: async, returns an Outcome

Without a prediction nothing is measured: whoever has not guessed learns little from the number.
"""

from __future__ import annotations

import math
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any, Literal

from grading.judge.report_html import marked
from workbench.loadgen.result import StoppedEarly
from workbench.notebook.journal import Entry, Journal, now, number, verdict

Says = Literal["upheld", "refuted", "depends"]


@dataclass(frozen=True, slots=True)
class Prediction:
    """`guess` is None until the learner commits one. `problem`: what is wrong with what was put in its place."""

    id: str
    claim: str
    question: str
    unit: str
    guess: float | None
    first: float | None
    problem: str = ""
    measuring: bool = False
    """It is shown below the cell that measures, not below the one that holds the guess."""

    def _what_to_do(self) -> str:
        if self.guess is None:
            what = self.problem or "Put your number in place of None"
            then = "run that cell, then this one" if self.measuring else "run this cell again"
            where = "In the cell above with `guess`: " if self.measuring else ""
            return f"Predict first. {where}{what}, and {then}."
        committed = f"Committed: {number(self.guess, self.unit)}"
        if self.guess != self.first:
            committed += (
                f", but your first guess was {number(self.first, self.unit)}, and the first one counts"
            )
        return f"{committed}. Now measure."

    def text(self) -> str:
        question = f"{self.question}\n" if self.guess is None else ""
        return question + self._what_to_do()

    __str__ = text

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        rows = [("Claim", self.claim), ("Question", self.question), ("You", self._what_to_do())]
        return {"text/plain": self.text(), "text/html": card(rows, open=self.guess is None)}


@dataclass(frozen=True, slots=True)
class Unfinished:
    """A measurement that was stopped: nothing is recorded."""

    why: str

    def __str__(self) -> str:
        return f"{self.why} Nothing was recorded."

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        return {"text/plain": str(self), "text/html": card([("Not measured", str(self))], open=True)}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run found. `says`: of the claim; `because`: in a sentence or two; `figures`: further rows to show;
    `how`: what the number is, where it was not measured."""

    measured: float
    says: Says
    because: str
    figures: dict[str, str] | None = None
    how: str = "Measured"


@dataclass(frozen=True, slots=True)
class Finding:
    """An outcome beside its prediction. Both are in the journal by now."""

    entry: Entry
    figures: dict[str, str]
    how: str = "Measured"

    @property
    def rows(self) -> list[tuple[str, str]]:
        e = self.entry
        off = _off(e.prediction, e.measured, e.unit)
        return [
            ("Claim", e.claim),
            ("You predicted", number(e.prediction, e.unit)),
            (self.how, number(e.measured, e.unit) + off),
            *self.figures.items(),
            ("Verdict", f"{verdict(e.says)}. {e.because}"),
        ]

    def __str__(self) -> str:
        return "\n".join(f"{what}: {value}" for what, value in self.rows)

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        return {"text/plain": str(self), "text/html": card(self.rows)}


def predict(
    id: str,
    *,
    claim: str,
    question: str,
    guess: float | None,
    unit: str = "",
    journal: Journal | None = None,
) -> Prediction:
    """Commits `guess` for the claim `id`. `unit`: "share" for a fraction of 1, else words.

    The first guess stays in the journal, whatever follows; after a restart None stands for it. What is no number, or no
    share between 0 and 1, is not committed: the prediction says so.
    """
    book = journal or Journal()
    known = book.get(id)
    if guess is None:
        earlier = (known.revised if known.revised is not None else known.prediction) if known else None
        return Prediction(id, claim, question, unit, earlier, known.prediction if known else None)
    if problem := _problem(guess, unit):
        return Prediction(id, claim, question, unit, None, known.prediction if known else None, problem)
    if known is None:
        known = Entry(id, claim, question, unit, float(guess), now())
        book.put(known)
    elif guess != (known.prediction if known.revised is None else known.revised):
        known = replace(known, revised=float(guess))
        book.put(known)
    return Prediction(id, claim, question, unit, float(guess), known.prediction)


async def experiment(
    prediction: Prediction,
    run: Callable[[], Awaitable[Outcome]],
    journal: Journal | None = None,
) -> Finding | Prediction | Unfinished:
    """Awaits `run` and puts its outcome beside the prediction. Without one it only gives the request for it back.

    A run that raises StoppedEarly, as `load(..., whole=True)` does, leaves the journal as it was.
    """
    if prediction.guess is None:
        return replace(prediction, measuring=True)
    try:
        outcome = await run()
    except StoppedEarly as stopped:
        return Unfinished(str(stopped))
    book = journal or Journal()
    entry = book.get(prediction.id)
    if entry is None:  # the file was removed meanwhile
        entry = Entry(
            prediction.id, prediction.claim, prediction.question, prediction.unit, prediction.guess, now()
        )
    entry = replace(
        entry,
        measured=round(float(outcome.measured), 4),
        says=outcome.says,
        because=outcome.because,
        measured_at=now(),
    )
    book.put(entry)
    return Finding(entry, outcome.figures or {}, outcome.how)


def _problem(guess: object, unit: str) -> str:
    """What a learner has to change about the guess, as the beginning of a sentence; "" if it is fine."""
    if isinstance(guess, bool) or not isinstance(guess, int | float) or not math.isfinite(guess):
        return f"A prediction is a number, such as 0.5, and {guess!r} is none: change it"
    if unit == "share" and not 0 <= guess <= 1:
        hint = f"; for {guess:g} % write {guess / 100:g}" if 1 < guess <= 100 else ""
        return f"{guess:g} is no share: a share lies between 0 and 1{hint}. Change it"
    return ""


def _off(prediction: float, measured: float | None, unit: str) -> str:
    if measured is None:
        return ""
    if unit == "share":
        points = round(abs(measured - prediction) * 100)
        off = "1 point" if points == 1 else f"{points} points"
        return f" (you were off by {off})" if points else " (you had it)"
    if prediction > 0 and measured > 0:
        factor = max(prediction / measured, measured / prediction)
        return " (you had it)" if factor < 1.05 else f" (you were off by a factor of {factor:.1f})"
    return ""


def _html(text: str) -> str:
    """No line ends between a number and its %; what stands between backticks is code."""
    return re.sub(r"(\d) ?%", "\\1\N{NO-BREAK SPACE}%", marked(text))


def card(rows: list[tuple[str, str]], *, open: bool = False) -> str:
    """A small table with a bar at its left; `open`: something is still asked of the reader."""
    body = "".join(
        f'<tr style="background:none"><th scope="row" style="text-align:left;vertical-align:top">{_html(what)}</th>'
        f'<td style="text-align:left">{_html(value)}</td></tr>'
        for what, value in rows
    )
    bar = "4px dashed #D55E00" if open else "4px solid #0072B2"
    return f'<div style="border-left:{bar};max-width:56em"><table><tbody>{body}</tbody></table></div>'
