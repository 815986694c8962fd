"""What clients asked, and what they were told: the only thing that the service is judged by."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from workbench.capstone.plan import PlannedLink

AWAY = frozenset({0, 502, 503, 504})
"""No answer, or one that says: the same request may be sent again."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One request and its answer. Times in seconds since the load began. `status` 0: none came, and `problem` says
    why. `step`: the same for a request and its repetitions."""

    step: int
    sent: float
    answered: float
    client: str
    op: str
    """shorten, follow, delete, stats, guess; `look`: a HEAD after the load, which counts no click"""
    link: int
    code: str
    status: int
    server: str = ""
    """Who answered: a server, or the balancer for them."""
    location: str = ""
    problem: str = ""
    component: str = ""
    """The slot that the answer itself blames."""

    @property
    def took(self) -> float:
        return self.answered - self.sent


@dataclass(slots=True)
class MadeLink:
    """A planned link as its creator knows it. `code` "": nobody was told of one."""

    planned: PlannedLink
    code: str = ""
    token: str = ""
    creator: str = ""
    asked: float = float("inf")
    made: float = float("inf")
    """When its creation was asked for, and acknowledged."""
    ends: float = float("inf")
    """Its end, as acknowledged, in seconds since the load began."""
    to_delete: float = float("inf")
    """When somebody first asked for its deletion."""
    deleted: float = float("inf")
    """When that was acknowledged."""

    @property
    def number(self) -> int:
        return self.planned.number


@dataclass(slots=True)
class Ledger:
    links: list[MadeLink]
    entries: list[Entry] = field(default_factory=list)

    @classmethod
    def of(cls, planned: Iterable[PlannedLink]) -> Ledger:
        return cls([MadeLink(each) for each in planned])

    def shift(self, seconds: float) -> None:
        """Moves all that has happened so far in time."""
        self.entries = [
            replace(each, sent=each.sent + seconds, answered=each.answered + seconds) for each in self.entries
        ]
        for link in self.links:
            for name in ("asked", "made", "ends", "to_delete", "deleted"):
                setattr(link, name, getattr(link, name) + seconds)

    def acknowledged(self) -> list[MadeLink]:
        return [link for link in self.links if link.code]

    def owners(self) -> dict[str, list[MadeLink]]:
        """By code: whose it is. More than one owner must never be."""
        found: dict[str, list[MadeLink]] = {}
        for link in self.acknowledged():
            found.setdefault(link.code, []).append(link)
        return found

    def of_code(self, code: str) -> list[Entry]:
        return [entry for entry in self.entries if entry.code == code]

    def steps(self) -> Iterator[list[Entry]]:
        """Each request with its repetitions, as they were sent."""
        found: dict[int, list[Entry]] = {}
        for entry in self.entries:
            found.setdefault(entry.step, []).append(entry)
        yield from found.values()
