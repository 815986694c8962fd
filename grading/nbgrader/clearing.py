"""Takes solutions out of what learners get; the remark that stays behind fits the cell."""

from __future__ import annotations

from nbformat.notebooknode import NotebookNode
from nbgrader.preprocessors import ClearSolutions

STUB = "# YOUR TURN: change what stands above, or write it anew below; the last one counts."
ANSWER_STUB = "# YOUR TURN: change what stands above."
GUESS_STUB = "# YOUR TURN: put your number in place of None."
GUESS = "guess = None"
"""How a cell begins that asks for a prediction."""


class ClearAllSolutions(ClearSolutions):  # type: ignore[misc]
    """nbgrader's own step, which knows one remark for all cells of a language."""

    def _replace_solution_region(self, cell: NotebookNode, language: str) -> bool:
        usual: dict[str, str] = self.code_stub  # type: ignore[has-type]
        if cell.source.startswith("%%answer"):
            self.code_stub = {**usual, language: ANSWER_STUB}
        elif cell.source.startswith(GUESS):
            self.code_stub = {**usual, language: GUESS_STUB}
        try:
            return bool(super()._replace_solution_region(cell, language))
        finally:
            self.code_stub = usual
