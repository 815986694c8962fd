"""Testers: components that judge other components, by a recording of what these did.

A *recording* is what somebody saw who stood beside a component in all servers for a while: who called it and what
came back, what the store held, and what the component asked the store. It says nothing about how the component is
written. A *tester* is a pure function from a recording to the problems that it sees in it. A test that no bug can fail
is worth nothing, and one that fails right components is worth less: so testers are tested too.

All times are seconds since the recording began. Floats are not exact: what happens within `TOLERANCE` of a limit
may be on either side of it, in favour of the component. Server 0 is the one that reports call app-1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

from reference.shortener.components.links import Answer

TOLERANCE = 0.001
"""Seconds."""

Outcome = Literal["returned", "raised", "cancelled", "crashed", "pending"]
"""How a call ended: with a value, with an error, because its caller went away (or with a CancelledError that nobody
asked for), because its server died, or not at all."""


# --- url-shortener/redirect-cache


@dataclass(frozen=True, slots=True)
class RecordedLink:
    """A link that the store held from `created` on, until `deleted` (None: to the end). No code has two of them.

    `created` is 0 for what was there before the recording began. `expires` may be long past, or far in the future.
    The link is live before `expires`, and expired from then on."""

    code: str
    long_url: str
    created: float
    expires: float
    deleted: float | None


@dataclass(frozen=True, slots=True)
class RecordedResolve:
    """One call of `resolve` or `invalidate` on one server.

    `ended`: None while `outcome` is "pending". `answer`: of a resolve that returned; else None. `error`: the type of
    what was raised, else "". `cancelled_at`: when its caller went away; None: he stayed."""

    name: str
    server: int
    method: Literal["resolve", "invalidate"]
    code: str
    began: float
    ended: float | None
    outcome: Outcome
    answer: Answer | None
    error: str
    cancelled_at: float | None


@dataclass(frozen=True, slots=True)
class RecordedQuery:
    """One `find` that a server sent to the store. `answered`: when it was over; None: not while anybody looked.
    `error`: "" if the store answered."""

    server: int
    code: str
    sent: float
    answered: float | None
    error: str


@dataclass(frozen=True, slots=True)
class CacheLook:
    """Somebody looked into the cache: its keys, and in how many seconds each will be gone; None: never."""

    at: float
    lives: dict[str, float | None]


@dataclass(frozen=True, slots=True)
class Outage:
    """Requests sent to it from `began` to `ended` failed, were late or were lost; some of them, or all."""

    of: Literal["cache", "store"]
    began: float
    ended: float


@dataclass(frozen=True, slots=True)
class RedirectRecording:
    """What a RedirectCache did, with everything in the order in which it began. `ttl`: what it was constructed with."""

    ttl: float
    links: list[RecordedLink]
    calls: list[RecordedResolve]
    queries: list[RecordedQuery]
    looks: list[CacheLook]
    outages: list[Outage]


class RedirectCacheTester(Protocol):
    """Slot `url-shortener/redirect-cache-tester`: is there anything wrong with this RedirectCache? Pure.

    What is promised, and nothing else is a problem:

    1. *Answers.* What a resolve returns was true at some instant between the last acknowledged change and its own end:
       "live" with the long_url, "expired", or "unknown" (no such link). Overlapping events may be seen in either order.
    2. *Acknowledged changes.* A change (a creation or a deletion) is acknowledged by an invalidate of its code that
       began at or after the change, and returned. Resolves that begin `DELETION_BOUND` (2 s) after that return, or
       later, see the change. Before that, answers from before the change are right too, however old.
    3. *Expiry.* It needs no acknowledgement: no resolve that begins at or after `expires` gets "live".
    4. *Errors.* A resolve raises only if a query that its server sent for its code while it was under way failed, and
       then only "Unavailable" or "TimedOut"; never because of the cache. An invalidate raises only if the cache
       had an outage while it was under way. Every call ends, and "cancelled" is right only if its caller went away.
    5. *Queries.* Resolves of one code that begin at one moment on one server send one query, if none of their callers
       goes away. A resolve that begins 1.5 to 3 s after another one for the same code returned sends none, whatever the
       servers and whatever the answer; unless a link of that code was created, deleted or invalidated from the
       begin of the earlier one on, was invalidated up to 15 s before, expired in between, or expires within 3 s
       after. None of this (5) is promised during an outage, nor up to 3 s after one.
    6. *Lifetimes.* Every key in the cache has at most `ttl` seconds to live. An answer rests on a query (its own or
       anybody's) that was sent at most `ttl` seconds before the resolve began; an "unknown" at most
       `NEGATIVE_TTL_MAX` (60 s).
    """

    def __init__(self) -> None: ...

    def problems(self, recording: RedirectRecording) -> list[str]:
        """In words, for whoever has to mend the component. Empty: nothing is wrong."""
        ...


# --- url-shortener/hash-codes


@dataclass(frozen=True, slots=True)
class RecordedNewCode:
    """One call of `new_code`, as in RecordedResolve. `code`: what was returned, else None."""

    name: str
    server: int
    long_url: str
    began: float
    ended: float | None
    outcome: Outcome
    code: str | None
    error: str
    cancelled_at: float | None


@dataclass(frozen=True, slots=True)
class RecordedQuestion:
    """One question to the namespace on behalf of the call of that name.

    `answer`: what the component heard, None if it heard an error (`error`: its type) or nothing. `done`: what the
    namespace did all the same: of a claim, True if the code belongs to the call from then on, False if it is somebody
    else's; None: the question never arrived."""

    call: str
    method: Literal["claim", "taken"]
    code: str
    sent: float
    answered: float | None
    answer: bool | None
    done: bool | None
    error: str


@dataclass(frozen=True, slots=True)
class CodesRecording:
    """What a HashCodes did, with everything in the order in which it began.

    `keys[server]`: which secret key the server has; equal numbers are equal keys."""

    keys: list[int]
    calls: list[RecordedNewCode]
    questions: list[RecordedQuestion]


class HashCodesTester(Protocol):
    """Slot `url-shortener/hash-codes-tester`: is there anything wrong with this HashCodes? Pure.

    What is promised, and nothing else is a problem:

    1. *Form.* A code is CODE_LENGTH (7) symbols of ALPHABET.
    2. *Ownership.* The code that a call returns belongs to it: a claim of its own for that code was granted.
    3. *The whole space.* At each of the seven places, every symbol comes out about equally often.
    4. *Secrecy.* On servers with different keys, the first code that is tried for one URL differs.
    5. *Attempts.* A call claims at most 8 different codes. It raises only "Unavailable" after 8 that were refused,
       or "Unavailable" or "TimedOut" if one of its questions failed with an error. Every call ends, and "cancelled" is
       right only if its caller went away.
    6. *Nothing lost.* A call that returns owns one code, not two. (One that raised, was cancelled or crashed may.)
    7. *Costs.* A call whose first claim is granted asks nothing else, if no question of its own failed. Of 8 or more
       links to one URL, no two of which overlap, each tries 3 different codes on average at most, if no question fails.
    """

    def __init__(self) -> None: ...

    def problems(self, recording: CodesRecording) -> list[str]:
        """In words, for whoever has to mend the component. Empty: nothing is wrong."""
        ...
