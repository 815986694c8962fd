"""Links as the service keeps them, and the port through which it does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

from reference.shortener.components import Link

Deletion = Literal["deleted", "forbidden", "unknown"]


@dataclass(frozen=True, slots=True)
class NewLink:
    """A link to insert. `token_hash`: of the secret that allows its deletion, never empty. `owner`: the principal
    who made it, "" for nobody. Times in POSIX seconds."""

    code: str
    long_url: str
    created_at: float
    expires_at: float
    token_hash: str
    owner: str = ""


@dataclass(frozen=True, slots=True)
class LinkRecord:
    """What is known of a link that was not deleted. `long_url` and `owner` are empty once it was purged."""

    code: str
    long_url: str
    created_at: float
    expires_at: float
    owner: str


class LinkRepository(Protocol):
    """Port: the store of links.

    Promises: what `insert` and `delete` acknowledged survives the end of any process and is seen by every later
    call on any server. Two inserts of one code: at most one gets True, unless the two are equal in everything. A code
    is never given again, not even after its deletion.
    Does not promise: speed; nor, after an Indefinite error, either outcome: repeat the call, all are idempotent.
    Errors: Unavailable (nothing happened), Indefinite, TimedOut.
    """

    async def prepare(self) -> None:
        """Makes the tables. Idempotent, also when several servers do so at once."""
        ...

    async def insert(self, link: NewLink) -> bool:
        """Whether the code is now this link's. False: somebody else has it, or had. A repetition of the very same
        link, as after an Indefinite error, finds its own row and is True."""
        ...

    async def find(self, code: str) -> Link | None:
        """The link, expired or not; None if it was never created, or deleted. One that was purged has no URL any
        more, and is long expired."""
        ...

    async def taken(self, code: str) -> bool:
        """Whether the code was ever given: to a link that lives, is expired, or was deleted."""
        ...

    async def record(self, code: str) -> LinkRecord | None:
        """None as for `find`."""
        ...

    async def delete(self, code: str, *, token_hash: str | None, owner: str | None, now: float) -> Deletion:
        """Deletes the link if the token or the owner is its own; with neither, always: an administrator asks.
        A repetition by who was allowed to is "deleted" again."""
        ...

    async def owned_by(self, owner: str, after: str, limit: int) -> list[LinkRecord]:
        """The links of `owner` that were not deleted, ordered by code: the first `limit` of those behind `after`.
        Links are spread by their codes, so this asks every shard."""
        ...

    async def ping(self) -> None:
        """Raises, naming what is away, unless every shard answers and has the tables."""
        ...
