"""What the judge saw in one run: its own record, from which alone verdicts are made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from grading.judge.report import Moment


@dataclass(slots=True)
class Call:
    """One invocation of the component. Times in virtual seconds; `ended` None: it never came back."""

    name: str
    server: int
    method: str
    args: tuple[Any, ...]
    began: float
    ended: float | None = None
    outcome: str = "pending"
    """returned | raised | cancelled | crashed (its server died) | pending"""
    value: Any = None
    error: dict[str, Any] = field(default_factory=dict)
    cancelled_at: float | None = None

    def raised(self, *bases: str) -> bool:
        """Whether it raised one of these exceptions, by full name."""
        return self.outcome == "raised" and any(base in self.error["bases"] for base in bases)


@dataclass(slots=True)
class Trip:
    """One write to the cache and its answer: a round trip, however many commands it carries."""

    server: int
    connection: int
    commands: list[list[bytes]]
    sent: float
    line: int | None
    executed: float | None = None
    answered: float | None = None
    fault: str = ""


@dataclass(slots=True)
class Ask:
    """One call of a port."""

    server: int
    method: str
    args: list[Any]
    sent: float
    line: int | None
    port: str = "links"
    call: str = ""
    """Whose port it was, if it came as an argument of a call: that call's name."""
    seen: float | None = None
    """When it was done: the state behind the port read, or changed."""
    answered: float | None = None
    value: Any = None
    error: str = ""
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that no component may do, in any run."""

    kind: str
    t: float
    text: str
    line: int | None


Note = tuple[float, str, str | Callable[[], str], int | None]
"""When, who, what, and the component's line. A text is made when somebody reads it: most runs pass, and nobody does."""


@dataclass(slots=True)
class History:
    calls: dict[str, Call] = field(default_factory=dict)
    trips: list[Trip] = field(default_factory=list)
    asks: list[Ask] = field(default_factory=list)
    troubles: list[Trouble] = field(default_factory=list)
    unawaited: list[int] = field(default_factory=list)
    """Lines of the component that made a coroutine which nobody awaits, in their order."""
    inspections: dict[str, dict[str, int | None]] = field(default_factory=dict)
    readings: dict[str, Any] = field(default_factory=dict)
    """What the Redis answered to the judge's own commands, by the operation's name; sets as sorted lists of text."""
    weights: dict[str, int] = field(default_factory=dict)
    op_times: dict[str, float] = field(default_factory=dict)
    """When each operation that is no call was carried out."""
    crashes: list[tuple[float, int]] = field(default_factory=list)
    """When, and which server."""
    moments: list[Moment] = field(default_factory=list)
    """The timeline, once somebody has asked for it (`tell`)."""
    notes: list[Note] = field(default_factory=list)
    elsewhere: History | None = None
    """The same once more in another process, if the scenario asks for that."""

    def tell(self) -> None:
        """Write the timeline of a run that is over."""
        if self.moments:
            return
        for t, who, what, line in self.notes:
            told = what if isinstance(what, str) else what()
            self.moments.append(Moment(round(t, 6), who, told, line))
        if self.elsewhere is not None:
            self.elsewhere.tell()
            self.moments += [Moment(0.0, "…", "and in another process:"), *self.elsewhere.moments]

    def asks_between(self, start: float, end: float, server: int | None = None) -> list[Ask]:
        return [a for a in self.asks if start <= a.sent < end and server in (None, a.server)]

    def trips_between(self, start: float, end: float, server: int | None = None) -> list[Trip]:
        return [t for t in self.trips if start <= t.sent < end and server in (None, t.server)]
