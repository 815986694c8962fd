"""What is kept of a person, and how it goes: the export and the erasure of an account.

An erasure touches every shard, the clicks and the account, which no transaction holds together. So it is a list of
things to do that is itself kept: the codes of some links are written down, the links deleted, their clicks forgotten,
and the codes crossed off, some links at a time. The account and its tokens go last. Whatever breaks off in between,
the same request takes it up again; and until the end the person still has a token to send it with.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, Protocol

from reference.platform.clock import Clock
from reference.platform.identity import Principal
from reference.platform.sql import Database, statement
from reference.shortener.accounts import SqlAccounts
from reference.shortener.audit import AuditLog
from reference.shortener.service import Shortener

BATCH = 50
"""Links that are erased together."""
BATCHES = 4
"""Of one request: it must be answered within seconds."""
PAGE = 200

TABLES = (
    """CREATE TABLE IF NOT EXISTS erasures (
        principal TEXT NOT NULL,
        code TEXT NOT NULL,
        PRIMARY KEY (principal, code)
    )""",
)


class ClickEraser(Protocol):
    """What is needed of `click_repository.SqlClickRepository`."""

    async def forget_codes(self, codes: list[str]) -> None: ...


class ToErase:
    """The codes whose erasure has begun and not ended. Errors: PortError; all calls are idempotent."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def begun(self, principal: str) -> list[str]:
        rows = await self._database.query(
            "SELECT code FROM erasures WHERE principal = $1 ORDER BY code LIMIT $2", principal, BATCH
        )
        return [row["code"] for row in rows]

    async def begin(self, principal: str, codes: list[str]) -> None:
        await self._for_each(
            "INSERT INTO erasures (principal, code) VALUES ($1, $2) ON CONFLICT DO NOTHING", principal, codes
        )

    async def end(self, principal: str, codes: list[str]) -> None:
        await self._for_each("DELETE FROM erasures WHERE principal = $1 AND code = $2", principal, codes)

    async def _for_each(self, sql: str, principal: str, codes: list[str]) -> None:
        await self._database.transaction([statement(sql, principal, code) for code in codes])


class PersonalData:
    def __init__(
        self,
        *,
        accounts: SqlAccounts,
        shortener: Shortener,
        clicks: ClickEraser,
        to_erase: ToErase,
        audit: AuditLog,
        clock: Clock,
    ) -> None:
        self._accounts = accounts
        self._shortener = shortener
        self._clicks = clicks
        self._to_erase = to_erase
        self._audit = audit
        self._clock = clock

    async def export(self, principal: Principal) -> dict[str, Any]:
        """Everything that is kept under the principal's id; times in POSIX seconds. Raises PortError."""
        account = await self._accounts.account(principal.id)
        links: list[dict[str, Any]] = []
        after = ""
        while page := await self._shortener.links_of(principal.id, after, PAGE):
            for link in page:
                links.append(asdict(link) | {"clicks": await self._shortener.clicks_on(link.code)})
            after = page[-1].code
        return {
            "account": asdict(account) if account else None,
            "tokens": [asdict(token) for token in await self._accounts.tokens(principal.id)],
            "links": links,
        }

    async def erase(self, principal: Principal) -> bool:
        """Whether nothing is left; if not, more of the same is to be asked for.

        Raises PortError, NotInvalidated, ComponentError: what was done by then stays done; repeat it."""
        for _ in range(BATCHES):
            codes = await self._to_erase.begun(principal.id)
            if not codes:
                codes = [link.code for link in await self._shortener.links_of(principal.id, "", BATCH)]
            if not codes:
                await self._audit.note("erase-account", principal.id, principal.id, self._clock.now())
                await self._accounts.erase(principal.id)
                return True
            await self._to_erase.begin(principal.id, codes)
            for code in codes:
                await self._shortener.delete(code, by=principal)
            await self._clicks.forget_codes(codes)
            await self._to_erase.end(principal.id, codes)
        return False
