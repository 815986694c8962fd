"""`recorded(run, expression)`: what a PromQL expression comes to over a recorded run, to find a rule that tells."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import Any

POINTS = 12
ROWS = 12
HEAD = "series"


@dataclass(frozen=True, slots=True)
class Recorded:
    """`rows`: (labels, a value for each second or None, the same as a picture). `about`: what happened in the run."""

    about: str
    rows: tuple[tuple[str, tuple[float | None, ...], str], ...]

    def _seconds(self) -> range:
        length = len(self.rows[0][1]) if self.rows else 0
        return range(0, length, max(1, length // POINTS))

    def _cells(self, values: tuple[float | None, ...]) -> list[str]:
        from grading.answers.alerts.timeline import number

        return [number(values[second]) for second in self._seconds()]

    def _more(self) -> str:
        hidden = len(self.rows) - ROWS
        if not self.rows:
            return "No series: nothing has such a name and such labels, at no second."
        return f"… and {hidden} more: sum them, or name labels." if hidden > 0 else ""

    def __str__(self) -> str:
        lines = [
            f"{labels}  {picture}\n    {'  '.join(self._cells(values))}"
            for labels, values, picture in self.rows[:ROWS]
        ]
        at = "at seconds " + "  ".join(map(str, self._seconds())) if self.rows else ""
        return "\n".join(line for line in (self.about, at, *lines, self._more()) if line)

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        left = 'style="text-align:left"'
        head = "".join(f'<th scope="col">{second} s</th>' for second in self._seconds())
        body = "".join(
            f'<tr><th scope="row" {left}>{escape(labels)}</th>'
            + "".join(f"<td>{cell}</td>" for cell in self._cells(values))
            + f"<td>{picture}</td></tr>"
            for labels, values, picture in self.rows[:ROWS]
        )
        head = f'<tr><th scope="col" {left}>{HEAD}</th>{head}<th scope="col">from 0 up</th></tr>'
        table = f"<table><caption>{escape(self.about)}</caption><thead>{head}</thead><tbody>{body}</tbody></table>"
        return {
            "text/plain": str(self),
            "text/html": table + (f"<p>{self._more()}</p>" if self._more() else ""),
        }


def recorded(run: str, expression: str = "up") -> Recorded:
    """`run`: such as "errors-1". ValueError: no such run, or why the expression cannot be evaluated."""
    from grading.answers.alerts.runs import runs
    from grading.answers.alerts.timeline import bars
    from grading.answers.promql.evaluate import Samples, evaluate
    from grading.answers.promql.lexer import BadExpression
    from grading.answers.promql.parser import parse
    from grading.answers.promql.values import Scalar, shown

    of_name = {each.truth.name: each for each in runs() if each.truth.shown}
    if run not in of_name:
        raise ValueError(f"no run {run!r}; there are: {', '.join(of_name)}")
    found = of_name[run]
    try:
        value = evaluate(parse(expression), Samples(found.series, found.truth.seconds))
    except BadExpression as error:
        raise ValueError(f"{error.told(expression)}, in {expression!r}") from None
    vector = {(): list(value.values)} if isinstance(value, Scalar) else value
    told = [(labels, column) for labels, column in vector.items() if any(each is not None for each in column)]
    return Recorded(
        found.truth.about, tuple((shown(labels), tuple(column), bars(column)) for labels, column in told)
    )
