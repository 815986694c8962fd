"""How a database of PostgreSQL gets from one version of its schema to the next, by Alembic.

A *history* is a folder of steps, each a file of frozen text with a version. The database itself records its version, in
the table `alembic_version`. There is only forward: what a step has done is undone by a further step, or by a backup.

Rules of a step, so that a system that runs may be migrated:
- Servers of the release before and of this one work on the schema before it, during it and after it. So a change that
  would break the old ones takes three releases: *expand* (a nullable column, a table, an index is added), *migrate*
  (servers write both, old rows are filled in), *contract* (what nobody reads any more is dropped).
- It waits for a lock for LOCK_PATIENCE at most, for all others queue up behind it; then it is begun anew.
- It is one transaction with its version, unless it says otherwise (`concurrently`), and may then be run again.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import asyncpg
from alembic import command, op
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError, PendingRollbackError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from reference.platform.errors import Unavailable
from reference.platform.postgres import DRIVER_ERRORS, REFUSALS

HERE = Path(__file__).parent
HEAD = "head"
"""The newest version of a history."""
ONE_MIGRATES = 7_316_922
"""Key of the advisory lock of whoever migrates. Held by a connection, not a transaction, so it goes with its holder."""
LOCK_PATIENCE = 2.0
"""Seconds."""
CONNECT_PATIENCE = 5.0
ASK_AGAIN = 0.2
"""Seconds until a migrator that is not the only one looks again."""


class Ahead(Exception):
    """The database is at a version that this history does not know: a newer release has migrated it."""


def newest(history: Path) -> str:
    return str(_script(history).get_current_head())


def versions(history: Path) -> list[str]:
    """From the oldest to the newest."""
    return [step.revision for step in reversed(list(_script(history).walk_revisions()))]


class Unfit(Exception):
    """The database sorts texts by the rules of a language. Several shards are merged by the order of bytes, and links
    would be left out."""


async def upgrade(url: str, history: Path, to: str = HEAD) -> str:
    """Brings the database at `url` forward to the version `to`; the version that it has then.

    Idempotent. Of several at once one works, and the others wait for it. Raises Unavailable: try again, nothing of the
    step that was begun has happened, or what has happened does no harm; Ahead; Unfit.
    """

    async def connect() -> asyncpg.Connection:
        limits = {"lock_timeout": str(int(LOCK_PATIENCE * 1000)), "application_name": "migrate"}
        return await asyncpg.connect(url, ssl=False, timeout=CONNECT_PATIENCE, server_settings=limits)

    engine = create_async_engine("postgresql+asyncpg://", async_creator=connect, poolclass=NullPool)
    try:
        async with engine.connect() as connection:
            # Asked for again and again, not waited for within the database: CREATE INDEX CONCURRENTLY waits for every
            # statement that is older, also for one that waits for the migrator, and so both would wait for ever.
            while not await connection.scalar(text(f"SELECT pg_try_advisory_lock({ONE_MIGRATES})")):
                await connection.commit()
                await asyncio.sleep(ASK_AGAIN)
            await connection.commit()
            return await connection.run_sync(_upgrade, history, to)
    except (
        PendingRollbackError
    ) as error:  # what Alembic meets when it tidies up after a connection that broke
        raise Unavailable("the connection to PostgreSQL broke") from error
    except DBAPIError as error:
        state = getattr(error.orig, "sqlstate", None)
        if error.connection_invalidated or state is None or state.startswith(REFUSALS):
            raise Unavailable(f"PostgreSQL: {error.orig}") from error
        raise
    except (TimeoutError, *DRIVER_ERRORS) as error:
        raise Unavailable(f"PostgreSQL: {str(error) or 'no connection in time'}") from error
    finally:
        await engine.dispose()


def _upgrade(connection: Connection, history: Path, to: str) -> str:
    if connection.scalar(text("SELECT 'a' < 'B'")):
        raise Unfit(
            "the database sorts texts by the rules of a language, not by their bytes: make it anew with the locale "
            "C.UTF-8 (initdb --locale=C.UTF-8, or CREATE DATABASE ... TEMPLATE template0 LOCALE 'C.UTF-8')"
        )
    unknown = set(MigrationContext.configure(connection).get_current_heads()) - set(versions(history))
    connection.commit()
    if unknown:
        raise Ahead(
            f"the database is at version {', '.join(sorted(unknown))}, and this release knows {newest(history)} at "
            "most: a newer one has migrated it. There is no way back: run that release, or restore a backup"
        )
    config = _config(history)
    config.attributes["connection"] = connection
    command.upgrade(config, to)
    reached = MigrationContext.configure(connection).get_current_revision()
    connection.commit()
    return str(reached)


def _config(history: Path) -> Config:
    config = Config()
    config.set_main_option("script_location", str(HERE).replace("%", "%%"))
    config.set_main_option("version_locations", str(history).replace("%", "%%"))
    config.set_main_option("path_separator", "newline")
    return config


def _script(history: Path) -> ScriptDirectory:
    return ScriptDirectory.from_config(_config(history))


# --- for steps


def concurrently(index: str, definition: str) -> None:
    """Makes an index while its table is read and written. `definition`: what follows its name.

    It cannot be in a transaction. Whoever is stopped half way leaves an index that is not valid: kept up, never used.
    So that goes first. It may wait for long, for every transaction that is older, and nobody waits behind it meanwhile.
    """
    with op.get_context().autocommit_block():
        op.execute("SET lock_timeout = 0")
        left = op.get_bind().scalar(
            text(
                "SELECT 1 FROM pg_index WHERE indexrelid = to_regclass(:name) AND NOT indisvalid"
            ).bindparams(name=index)
        )
        if left:
            op.execute(f"DROP INDEX CONCURRENTLY {index}")
        op.execute(f"CREATE INDEX CONCURRENTLY IF NOT EXISTS {index} {definition}")
        op.execute(f"SET lock_timeout = {int(LOCK_PATIENCE * 1000)}")
