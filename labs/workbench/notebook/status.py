"""A line of text in a cell's output that changes while something runs, and that a screen reader reads out."""

from __future__ import annotations

import sys
from html import escape
from typing import Any


class StatusLine:
    """Shows nothing outside IPython."""

    def __init__(self, text: str) -> None:
        self._handle: Any = None
        self._text = text
        if "IPython" in sys.modules and sys.modules["IPython"].get_ipython() is not None:
            from IPython.display import display

            show: Any = display
            self._handle = show(self._bundle(), raw=True, display_id=True)

    def update(self, text: str) -> None:
        if text != self._text:
            self._text = text
            if self._handle is not None:
                self._handle.update(self._bundle(), raw=True)

    def _bundle(self) -> dict[str, str]:
        html = f'<div role="status" aria-live="polite">{escape(self._text)}</div>'
        return {"text/plain": self._text, "text/html": html}
