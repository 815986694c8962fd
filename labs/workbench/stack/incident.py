"""What went wrong in a running stack without having been asked for."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Incident:
    """`time`: POSIX seconds. `kind`:
      blocked  no heartbeat for 2 s
      exited   the process ended, or a component tried to end it
      raised   a component raised, or returned, what its contract does not know: that call failed; told once a line
      leaked   its memory grew without end
      failed   it could not be started again
      unclean  a component did not drain when it was swapped out

    `component` is a slot, `line` a line of the module in it (1-based) and `source_line` that line's text; all three are
    None when no component is to blame.
    """

    time: float
    role: str
    kind: str
    message: str
    component: str | None = None
    line: int | None = None
    source_line: str | None = None

    def json(self) -> dict[str, Any]:
        return asdict(self)

    def __str__(self) -> str:
        clock = time.strftime("%H:%M:%S", time.localtime(self.time))
        where = (
            f"\n    line {self.line}: {self.source_line.strip()}" if self.line and self.source_line else ""
        )
        return f"{clock} {self.role} {self.kind}: {self.message}{where}"

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        """In a notebook a list of incidents reads like a log."""
        printer.text(str(self))
