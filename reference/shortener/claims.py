"""A code becomes a link's: the `Namespace` that code strategies are given, for one order at a time.

A claim is the insert of the link's row, so the store decides, and a code that was granted is a link already. An
insert whose outcome is unknown is repeated: the same link finds its own row again.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import TypeVar

from reference.platform.errors import Indefinite
from reference.shortener.aliases import could_be_code, is_reserved
from reference.shortener.idempotency import Intents, Key
from reference.shortener.links import LinkRepository, NewLink

T = TypeVar("T")

REPEATS = 2
"""Times that a write of unknown outcome is repeated before the client is told."""


async def repeated(write: Callable[[], Awaitable[T]]) -> T:
    """The result of `write`, which is idempotent. Raises PortError."""
    for _ in range(REPEATS):
        try:
            return await write()
        except Indefinite:
            continue
    return await write()


@dataclass(slots=True)
class Claims:
    """`draft`: the link, but for its code. `granted`: the code that it got, "" while it has none."""

    links: LinkRepository
    draft: NewLink
    granted: str = ""

    async def claim(self, code: str) -> bool:
        if not could_be_code(code):
            raise ValueError(f"{code!r:.80} cannot be a short code")
        return not is_reserved(code) and await self._insert(code)

    async def taken(self, code: str) -> bool:
        return is_reserved(code) or await self.links.taken(code)

    async def _insert(self, code: str) -> bool:
        link = replace(self.draft, code=code)
        if await repeated(lambda: self.links.insert(link)):
            self.granted = code
            return True
        return False


@dataclass(slots=True)
class KeyedClaims(Claims):
    """The claims of an order with an idempotency key: each is written down before it is made. `proposed`: the
    last that was."""

    intents: Intents = field(kw_only=True)
    key: Key = field(kw_only=True)
    proposed: str = field(kw_only=True)

    async def _insert(self, code: str) -> bool:
        """If another server works on the same key and was faster, its proposal is claimed in place of `code`, which
        goes to waste: for the strategy, the search is over."""
        now_proposed = await repeated(lambda: self.intents.propose(self.key, code, self.proposed))
        self.proposed = now_proposed
        return await Claims._insert(self, now_proposed)
