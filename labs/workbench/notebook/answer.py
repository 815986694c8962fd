"""A learner's answer: the text of one `%%answer ID` cell, as data. Parsed, never executed."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from workbench.notebook import kept
from workbench.notebook.experiment import card

FILE = "answers.json"


@dataclass(frozen=True, slots=True)
class Answer:
    """What `%%answer ID` leaves in the notebook, under the answer's name (`estimates`).

    `id`: such as `url-shortener/estimates`. `text`: the cell's. Its first line, `%%answer …`, is left empty: line 7
    of the text is line 7 of the cell.
    """

    id: str
    text: str

    @property
    def name(self) -> str:
        """As a variable: `estimates`."""
        return variable(self.id)

    def _read_back(self) -> list[tuple[str, str]]:
        from grading.answers import exercise

        return exercise(self.id).read_back(self.text)

    def __str__(self) -> str:
        rows = [f"    {what}: {understood}" for what, understood in self._read_back()]
        return "\n".join([f"{self.name} = your answer to {self.id}, read as", *rows])

    def _repr_mimebundle_(self, **options: Any) -> Any:
        from grading.answers import exercise

        if exercise(self.id).kind == "design":  # its output is where it can be drawn on
            from workbench.notebook.design import design

            return design(self)._repr_mimebundle_(**options)
        head = f"<p><code>{escape(self.name)}</code> is now your answer to <code>{escape(self.id)}</code>, read as</p>"
        return {"text/plain": str(self), "text/html": head + card(self._read_back())}


def variable(id: str) -> str:
    return id.rpartition("/")[2].replace("-", "_")


def keep(answer: Answer, folder: Path | None = None) -> None:
    """Into `answers.json` beside the notebook, so that a later notebook, or this one after a restart, finds it."""
    kept.keep(FILE, answer.id, answer.text, folder)


def answered(id: str, folder: Path | None = None) -> Answer | None:
    """What was answered in an earlier notebook; None: nothing yet."""
    text = kept.kept(FILE, id, folder)
    return None if text is None else Answer(id, text)
