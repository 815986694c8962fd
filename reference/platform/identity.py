"""Who asks: principals, their roles, and the tokens by which they show who they are.

A token is `wb_<id>_<secret>`. The id finds its row; of the secret, the store knows only a SHA-256: it is random and
long, and so needs neither salt nor stretching. The first administrator has no row: their token is derived
from the secret that all servers of one stack are told.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from collections import OrderedDict
from dataclasses import dataclass
from typing import Literal, Protocol

from reference.platform.clock import Clock

Role = Literal["user", "admin"]

ADMINISTRATOR = "administrator"
"""The id of the first administrator."""

KNOWN_FOR = 5.0
"""Seconds that a server may believe in a token without asking again: so long may a revoked one last there, and so
long are those who were here a moment ago served while the store is away."""
KNOWN_AT_ONCE = 10_000

_TOKEN = re.compile(r"wb_([0-9a-f]{16})_[0-9A-Za-z_-]{32}")


@dataclass(frozen=True, slots=True)
class Principal:
    """A person or a program that has an account. `id`: says nothing about them."""

    id: str
    roles: frozenset[Role]

    @property
    def is_administrator(self) -> bool:
        return "admin" in self.roles


class BadToken(Exception):
    """The token is nobody's: never given out, mistyped, or revoked."""


@dataclass(frozen=True, slots=True)
class NewToken:
    """A token that has just been made. `text` is shown once; `hash` is what is kept."""

    id: str
    text: str
    hash: str


@dataclass(frozen=True, slots=True)
class KnownToken:
    hash: str
    principal: Principal


class Tokens(Protocol):
    """Port: the tokens that were given out, by id. Errors: PortError."""

    async def token(self, token_id: str) -> KnownToken | None: ...


def new_token() -> NewToken:
    token_id = secrets.token_hex(8)
    text = f"wb_{token_id}_{secrets.token_urlsafe(24)}"
    return NewToken(token_id, text, hash_of(text))


def looks_like_token(text: str) -> bool:
    """Whether `text` has the form of a token of ours. Nothing else that this system gives out has it."""
    return _TOKEN.fullmatch(text) is not None


def hash_of(token: str) -> str:
    """What a store keeps instead of a random, long token."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def administrator_token(secret: str) -> str:
    """The token of the first administrator. `secret`: of the stack."""
    return derived(secret, "administrator")


def derived(secret: str, label: str) -> str:
    """32 characters that nobody can know without `secret`, others for each `label`."""
    digest = hmac.digest(secret.encode(), label.encode(), "sha256")
    return base64.urlsafe_b64encode(digest).decode()[:32]


class Authenticator:
    """Turns tokens into principals, and remembers them for KNOWN_FOR seconds."""

    def __init__(self, tokens: Tokens, secret: str, clock: Clock) -> None:
        self._tokens = tokens
        self._administrator = administrator_token(secret)
        self._clock = clock
        self._known: OrderedDict[str, tuple[float, KnownToken]] = OrderedDict()

    def is_administrator(self, token: str) -> bool:
        return hmac.compare_digest(token.encode("utf-8", "surrogatepass"), self._administrator.encode())

    async def principal(self, token: str) -> Principal:
        """Whose `token` is. Raises BadToken; PortError if that cannot be found out now."""
        if self.is_administrator(token):
            return Principal(ADMINISTRATOR, frozenset({"admin"}))
        form = _TOKEN.fullmatch(token)
        if form is None:
            raise BadToken
        known = await self._look_up(form[1])
        if known is None or not hmac.compare_digest(known.hash, hash_of(token)):
            raise BadToken
        return known.principal

    def forget(self, token_id: str) -> None:
        """The token was revoked, here; other servers notice within KNOWN_FOR."""
        self._known.pop(token_id, None)

    def forget_all_of(self, principal: str) -> None:
        """The account was closed, here."""
        for token_id in [each for each, (_, known) in self._known.items() if known.principal.id == principal]:
            del self._known[token_id]

    async def _look_up(self, token_id: str) -> KnownToken | None:
        now = self._clock.now()
        as_of, known = self._known.get(token_id, (0.0, None))
        if known is not None and 0 <= now - as_of < KNOWN_FOR:
            return known
        found = await self._tokens.token(token_id)
        self._known.pop(token_id, None)
        if found is not None:  # what nobody was given is not remembered: there is no end of it
            self._known[token_id] = (now, found)
            if len(self._known) > KNOWN_AT_ONCE:
                self._known.popitem(last=False)
        return found
