"""The verdict that `check` returns: it knows the text that was judged, and in a notebook one can step through it."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from grading.judge.report import Verdict, written
from grading.judge.report_html import page


@dataclass(frozen=True, slots=True)
class CheckedVerdict(Verdict):
    """A verdict with the source that it is about, whose lines its reports quote."""

    source: str = ""

    @classmethod
    def of(cls, verdict: Verdict, source: str) -> CheckedVerdict:
        return cls(**{each.name: getattr(verdict, each.name) for each in fields(verdict)}, source=source)

    def to_json(self) -> str:
        """As the judge writes it, without the source."""
        judged = Verdict(**{each.name: getattr(self, each.name) for each in fields(Verdict)})
        return judged.to_json()

    def text(self, *, details: bool = True) -> str:
        return written(self, details=details, source=self.source)

    def html(self) -> str:
        return page(self, source=self.source)

    def _ipython_display_(self) -> None:
        """First the report, which stays in a saved notebook; below it the widget, which lives as long as the kernel."""
        from IPython.display import display

        from workbench.notebook.timeline import failures

        show: Any = display
        panel = failures(self, self.source)
        html = page(self, unfolded=panel is None, hints=panel is None, source=self.source)
        show({"text/plain": self.text(), "text/html": html}, raw=True)
        if panel is not None:
            show(panel)
