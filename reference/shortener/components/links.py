"""Links as components see them, the port through which they read them, and time."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, Protocol

State = Literal["live", "expired", "unknown"]


@dataclass(frozen=True, slots=True)
class Link:
    """One row of the store. `expires_at`: POSIX seconds, UTC; the link is dead from that instant on."""

    code: str
    long_url: str
    expires_at: float


@dataclass(frozen=True, slots=True)
class Answer:
    """What a code means at one instant: `live` (302, with its `long_url`), `expired` (410), `unknown` (404).

    `expires_at`: POSIX seconds, of a live link, if it is known. Nobody may keep an answer without it: a redirect
    that a browser or a server keeps must end with its link."""

    state: State
    long_url: str | None = None
    expires_at: float | None = field(default=None, compare=False)

    @classmethod
    def of(cls, link: Link | None, now: float) -> Answer:
        """The answer for a row of the store (None: no such row, or deleted) at the instant `now`."""
        if link is None:
            return cls("unknown")
        if link.expires_at <= now:
            return cls("expired")
        return cls("live", link.long_url, link.expires_at)


class LinkReader(Protocol):
    """Port: the store, as the read path sees it.

    Promises: what `find` returns was true at some instant between call and return.
    Does not promise: that it is still true afterwards, or that it comes quickly.
    """

    async def find(self, code: str) -> Link | None:
        """The row, expired ones included; None if there is none (never created, or deleted).

        Raises `reference.platform.errors.Unavailable` (definite) or `TimedOut` (indefinite).
        """
        ...


class Clock(Protocol):
    """Port: time. Under the judge it is virtual; `time.time()` follows it there too."""

    def now(self) -> float:
        """POSIX seconds, UTC."""
        ...

    async def sleep(self, seconds: float) -> None: ...
