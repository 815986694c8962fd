"""From an order to a link: with a code that is made or chosen, once for each idempotency key."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Protocol

from reference.platform.clock import Clock
from reference.platform.errors import PortError
from reference.platform.identity import derived, hash_of
from reference.shortener.aliases import Spellings
from reference.shortener.claims import Claims, KeyedClaims, repeated
from reference.shortener.components import Namespace
from reference.shortener.idempotency import Intent, Intents, Key
from reference.shortener.links import LinkRepository, NewLink


@dataclass(frozen=True, slots=True)
class Order:
    """What somebody asks for, checked. `expires_at`: POSIX seconds. `owner`: a principal's id, "" for nobody."""

    long_url: str
    expires_at: float
    alias: str | None = None
    owner: str = ""
    key: Key | None = None


@dataclass(frozen=True, slots=True)
class Created:
    code: str
    long_url: str
    expires_at: float
    delete_token: str


class AliasTaken(Exception):
    """Somebody has the alias, or had it; or `spelling`, which looks like it."""

    def __init__(self, spelling: str) -> None:
        super().__init__(spelling)
        self.spelling = spelling


class KeyReused(Exception):
    """The idempotency key was sent before, with another order."""


class CodeSource(Protocol):
    """What makes new codes: see `strategies.Codes`."""

    async def new_code(self, long_url: str, namespace: Namespace) -> str: ...


class Orders:
    """`secret`: of the stack; delete tokens are derived from it."""

    def __init__(
        self,
        *,
        links: LinkRepository,
        codes: CodeSource,
        spellings: Spellings,
        intents: Intents,
        clock: Clock,
        secret: str,
    ) -> None:
        self._links = links
        self._codes = codes
        self._spellings = spellings
        self._intents = intents
        self._clock = clock
        self._secret = secret

    async def fulfil(self, order: Order) -> Created:
        """The link, which is in the store by then; for a key that was sent before, the one that was made then.

        Raises AliasTaken, KeyReused, PortError, ComponentError."""
        intent = await self._intent(order)
        # The nonce makes the token: two links that were meant to have one code must not have one token.
        token = derived(self._secret, f"delete-token:{intent.nonce}")
        code = intent.code
        if not intent.settled:
            draft = NewLink(
                "", order.long_url, intent.created_at, intent.expires_at, hash_of(token), order.owner
            )
            code = await self._claimed(order, draft, intent)
            await self._settle(order)
        return Created(code, order.long_url, intent.expires_at, token)

    async def _intent(self, order: Order) -> Intent:
        now, nonce, key = self._clock.now(), secrets.token_hex(16), order.key
        if key is None:
            return Intent("", nonce, now, order.expires_at)
        intent = Intent(key.fingerprint, nonce, now, order.expires_at)
        begun = await repeated(lambda: self._intents.begin(key, intent))
        if begun.fingerprint != key.fingerprint:
            raise KeyReused
        return begun

    async def _claimed(self, order: Order, draft: NewLink, intent: Intent) -> str:
        if order.key is None:
            claims = Claims(self._links, draft)
        else:
            claims = KeyedClaims(
                self._links, draft, intents=self._intents, key=order.key, proposed=intent.code
            )
        if order.alias is not None:
            spelling = await repeated(lambda: self._spellings.settle(order.alias or ""))
            if spelling != order.alias or not await claims.claim(order.alias):
                raise AliasTaken(spelling)
        elif not (
            intent.code and await claims.claim(intent.code)
        ):  # what an earlier attempt was about to claim
            await self._codes.new_code(order.long_url, claims)
        return claims.granted

    async def _settle(self, order: Order) -> None:
        if order.key is not None:
            try:
                await self._intents.settle(order.key)
            except PortError:
                pass  # a retry will claim the code again, and find that it is its own
