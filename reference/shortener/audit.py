"""The audit log: who took something away, and when. Not what it was: no URL, no address, no name.

No such action is acknowledged before its row is kept; if the store is away, the client is told to repeat it, and as
both the action and its row are idempotent, that is safe. A server killed between the two leaves the action done,
without a row, and unacknowledged.
"""

from __future__ import annotations

from typing import Literal, Protocol

from reference.platform.sql import Database, statement

Action = Literal["delete-link", "erase-account"]

TABLES = (
    """CREATE TABLE IF NOT EXISTS audit_log (
        action TEXT NOT NULL,
        subject TEXT NOT NULL,
        actor TEXT NOT NULL,
        at DOUBLE PRECISION NOT NULL,
        PRIMARY KEY (subject, action, actor)
    )""",
)


class AuditLog(Protocol):
    """Port. Promises: what `note` acknowledged stays. Errors: PortError; repeat the call."""

    async def note(self, action: Action, subject: str, actor: str, now: float) -> None:
        """`subject`: a code, or the id of a principal. `actor`: the id of a principal, or "delete-token"."""
        ...


class SqlAuditLog:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def note(self, action: Action, subject: str, actor: str, now: float) -> None:
        # The first time stands: a repetition is the same action, which was not heard of.
        row = statement(
            "INSERT INTO audit_log (action, subject, actor, at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
            *(action, subject, actor, now),
        )
        await self._database.transaction([row])
