"""A POST that is sent again is one link: the header `Idempotency-Key`.

A client that got no answer cannot know whether its link was made. With a key it may ask again, and gets the same link
with the same delete token, on whatever server, for a day.

The key's row and the link lie in different databases, so no transaction holds both. Instead the row says what is
*intended*, before it happens: first the order and a nonce, then each code before it is claimed. The claim of a code
is idempotent for one nonce. So whoever finds a row with a code, after a crash or because two requests came at once,
claims that very code for that very nonce, and whether that is the first time or the third makes no difference.
Once it is claimed, the row says so too, and a retry long after gets the same answer, whatever became of the link.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Protocol

from reference.platform.clock import Clock
from reference.platform.errors import PortError
from reference.platform.sql import Database, statement

KEPT = 86_400.0
"""Seconds that a key is remembered."""
FORGET_EVERY = 600.0

TABLES = (
    """CREATE TABLE IF NOT EXISTS idempotency_keys (
        scope TEXT NOT NULL,
        key TEXT NOT NULL,
        fingerprint TEXT NOT NULL,
        nonce TEXT NOT NULL,
        code TEXT NOT NULL,
        settled INTEGER NOT NULL,
        created_at DOUBLE PRECISION NOT NULL,
        expires_at DOUBLE PRECISION NOT NULL,
        PRIMARY KEY (scope, key)
    )""",
    "CREATE INDEX IF NOT EXISTS idempotency_keys_age ON idempotency_keys (created_at)",
)


@dataclass(frozen=True, slots=True)
class Key:
    """`scope`: who sends it: two people may use one key. `text`: what they sent. `fingerprint`: of the order."""

    scope: str
    text: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Intent:
    """What is to become of a key: a link, made at `created_at`, that ends at `expires_at` (POSIX seconds).

    `nonce`: random, the link's own. `code`: the one that was to be claimed last, "" if none yet; `settled`: 1 once
    it is known to be claimed."""

    fingerprint: str
    nonce: str
    created_at: float
    expires_at: float
    code: str = ""
    settled: int = 0


def fingerprint(order: dict[str, str | None]) -> str:
    """The same for bodies that mean the same."""
    return hashlib.sha256(json.dumps(order, sort_keys=True).encode("utf-8", "surrogatepass")).hexdigest()


class Intents(Protocol):
    """Port: what each key stands for.

    Promises: of all calls of `begin` for one key within KEPT seconds, the first decides. `propose` changes the
    code only if it is still `instead_of`. Errors: PortError; repeat the call, both are idempotent.
    """

    async def begin(self, key: Key, intent: Intent) -> Intent:
        """Keeps `intent` unless there is one for this key already; the one that holds."""
        ...

    async def propose(self, key: Key, code: str, instead_of: str) -> str:
        """The code that is to be claimed now: `code`, unless somebody else was faster."""
        ...

    async def settle(self, key: Key) -> None:
        """The code that was proposed last is claimed."""
        ...


COLUMNS = "fingerprint, nonce, created_at, expires_at, code, settled"
WHICH = "scope = $1 AND key = $2"


class SqlIntents:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def begin(self, key: Key, intent: Intent) -> Intent:
        begun, found = await self._database.transaction(
            [
                statement(
                    f"INSERT INTO idempotency_keys (scope, key, {COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, '', 0) "
                    "ON CONFLICT (scope, key) DO UPDATE SET "
                    "fingerprint = excluded.fingerprint, nonce = excluded.nonce, created_at = excluded.created_at, "
                    "expires_at = excluded.expires_at, code = '', settled = 0 "
                    f"WHERE idempotency_keys.created_at < $7 RETURNING {COLUMNS}",
                    *(key.scope, key.text, intent.fingerprint, intent.nonce),
                    *(intent.created_at, intent.expires_at, intent.created_at - KEPT),
                ),
                statement(f"SELECT {COLUMNS} FROM idempotency_keys WHERE {WHICH}", key.scope, key.text),
            ]
        )
        return Intent(**(begun or found)[0])

    async def propose(self, key: Key, code: str, instead_of: str) -> str:
        changed, found = await self._database.transaction(
            [
                statement(
                    f"UPDATE idempotency_keys SET code = $3 WHERE {WHICH} AND code = $4 RETURNING code",
                    *(key.scope, key.text, code, instead_of),
                ),
                statement(f"SELECT code FROM idempotency_keys WHERE {WHICH}", key.scope, key.text),
            ]
        )
        rows = changed or found
        return str(rows[0]["code"]) if rows else code  # none: the key's day has ended meanwhile

    async def settle(self, key: Key) -> None:
        settled = f"UPDATE idempotency_keys SET settled = 1 WHERE {WHICH}"
        await self._database.transaction([statement(settled, key.scope, key.text)])


class Forgetting:
    """A job: removes the keys whose day is over."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def once(self) -> None:
        """Raises PortError."""
        old = statement("DELETE FROM idempotency_keys WHERE created_at < $1", self._clock.now() - KEPT)
        await self._database.transaction([old])

    async def run(self) -> None:
        while True:
            try:
                await self.once()
            except PortError:
                pass  # they stay until next time
            await self._clock.sleep(FORGET_EVERY)
