"""Accounts: who has one, and the tokens that were given out for it. In the store that all servers share.

An account is an id that says nothing, a name, and a role. Links name their owner by the id alone, so when an account
is erased nothing is left that leads to a person.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from reference.platform.identity import KnownToken, NewToken, Principal, Role, new_token
from reference.platform.sql import Database, NotMatched, statement

TOKENS_LIMIT = 20
"""Tokens of one account."""

TABLES = (
    """CREATE TABLE IF NOT EXISTS principals (
        id TEXT PRIMARY KEY,
        name TEXT NOT NULL,
        role TEXT NOT NULL,
        created_at DOUBLE PRECISION NOT NULL
    )""",
    """CREATE TABLE IF NOT EXISTS api_tokens (
        id TEXT PRIMARY KEY,
        principal TEXT NOT NULL,
        label TEXT NOT NULL,
        hash TEXT NOT NULL,
        created_at DOUBLE PRECISION NOT NULL
    )""",
    "CREATE INDEX IF NOT EXISTS api_tokens_principal ON api_tokens (principal)",
)


@dataclass(frozen=True, slots=True)
class Account:
    id: str
    name: str
    role: Role
    created_at: float


@dataclass(frozen=True, slots=True)
class TokenRecord:
    """A token as its owner may see it: everything but the token."""

    id: str
    label: str
    created_at: float


class TooManyTokens(Exception):
    """The account has TOKENS_LIMIT tokens; one must go before another can come."""


class SqlAccounts:
    """Also the `Tokens` of an `Authenticator`. Errors: PortError.

    After an Indefinite error of `open` or `add_token` there may be an account or a token that nobody knows the
    secret of. Repeating the call makes another; the lost one opens nothing."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def open(self, name: str, role: Role, now: float) -> tuple[Account, NewToken]:
        """A new account with its first token."""
        account, token = Account(secrets.token_hex(8), name, role, now), new_token()
        await self._database.transaction(
            [
                statement(
                    "INSERT INTO principals (id, name, role, created_at) VALUES ($1, $2, $3, $4)",
                    *(account.id, name, role, now),
                ),
                statement(
                    "INSERT INTO api_tokens (id, principal, label, hash, created_at) VALUES ($1, $2, $3, $4, $5)",
                    *(token.id, account.id, "first", token.hash, now),
                ),
            ]
        )
        return account, token

    async def account(self, principal: str) -> Account | None:
        rows = await self._database.query(
            "SELECT id, name, role, created_at FROM principals WHERE id = $1", principal
        )
        return Account(**rows[0]) if rows else None

    async def token(self, token_id: str) -> KnownToken | None:
        rows = await self._database.query(
            "SELECT hash, principals.id AS principal, role FROM api_tokens "
            "JOIN principals ON principals.id = api_tokens.principal WHERE api_tokens.id = $1",
            token_id,
        )
        if not rows:
            return None
        return KnownToken(rows[0]["hash"], Principal(rows[0]["principal"], frozenset({rows[0]["role"]})))

    async def tokens(self, principal: str) -> list[TokenRecord]:
        rows = await self._database.query(
            "SELECT id, label, created_at FROM api_tokens WHERE principal = $1 ORDER BY created_at, id",
            principal,
        )
        return [TokenRecord(**row) for row in rows]

    async def add_token(self, principal: str, label: str, now: float) -> NewToken:
        """Raises TooManyTokens. Two calls at once may each add one beyond the limit: it is there for tidiness."""
        token = new_token()
        insert = statement(
            "INSERT INTO api_tokens (id, principal, label, hash, created_at) "
            "SELECT $1, $2, $3, $4, CAST($5 AS DOUBLE PRECISION) "
            "WHERE (SELECT COUNT(*) FROM api_tokens WHERE principal = $2) < $6 RETURNING id",
            *(token.id, principal, label, token.hash, now, TOKENS_LIMIT),
            must_match=True,
        )
        try:
            await self._database.transaction([insert])
        except NotMatched:
            raise TooManyTokens from None
        return token

    async def remove_token(self, principal: str, token_id: str) -> bool:
        """False: this principal has no such token."""
        [removed] = await self._database.transaction(
            [
                statement(
                    "DELETE FROM api_tokens WHERE id = $1 AND principal = $2 RETURNING id",
                    token_id,
                    principal,
                )
            ]
        )
        return bool(removed)

    async def erase(self, principal: str) -> None:
        """Account and tokens, at once. Idempotent."""
        await self._database.transaction(
            [
                statement("DELETE FROM api_tokens WHERE principal = $1", principal),
                statement("DELETE FROM principals WHERE id = $1", principal),
            ]
        )
