"""A running system is migrated: servers from before and after at once, under load, and no request fails."""

import asyncio
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
from workbench.chaos.run import Outcome, clicks, links
from workbench.chaos.visitors import DONE, Ledger, Visitors

from compose.project import Project, ProjectError
from reference.platform.migrations import newest
from reference.shortener.migrations import STORE
from tests.compose.project.conftest import Running

pytestmark = [pytest.mark.slow, pytest.mark.compose, pytest.mark.anyio]

RATES = {"redirect": 30.0, "shorten": 4.0, "stats": 2.0, "delete": 1.5}
PAUSE = 0.3
"""Seconds between two questions: each is a process in a container, on a machine that has the load to bear."""
BEFORE = (
    "DROP INDEX forgotten_codes_age; UPDATE alembic_version SET version_num = 'store_1';"
    "INSERT INTO forgotten_codes VALUES ('held', 9e9)"
)
"""The store as the release before left it. There is no way back but by hand."""
HOLD = "BEGIN; UPDATE forgotten_codes SET forgotten_at = 9e9 WHERE code = 'held';\n"
"""Begins a transaction that the index has to wait for."""
HALF_MADE = "SELECT count(*) FROM pg_index WHERE NOT indisvalid"
WRITE = (
    "SET lock_timeout = '500ms'; INSERT INTO forgotten_codes VALUES ('written', 9e9) "
    "ON CONFLICT (code) DO UPDATE SET forgotten_at = forgotten_codes.forgotten_at - 1"
)
"""What an index that is made in the ordinary way would keep waiting."""
CLEAR = "DELETE FROM forgotten_codes WHERE code IN ('held', 'written')"
OPEN = "SELECT count(*) FROM pg_stat_activity WHERE state = 'idle in transaction' AND query LIKE '%''held''%'"
VERSION = "SELECT version_num FROM alembic_version"


def psql(project: Project, sql: str) -> str:
    argv = ["docker", "exec", project.container("store"), "psql", "-qAtXU", "workbench", "-c", sql]
    return subprocess.run(argv, capture_output=True, text=True, check=True, timeout=60).stdout.strip()


def migrate(project: Project) -> str:
    """As the next release's first step. ProjectError: it ended with another status than 0."""
    return project.run("run", "--rm", "--no-deps", "--quiet-pull", "migrate")


@asynccontextmanager
async def held(project: Project) -> AsyncIterator[None]:
    """While somebody's transaction is open."""
    argv = ["exec", "-i", project.container("store"), "psql", "-qAtXU", "workbench"]
    holder = await asyncio.create_subprocess_exec("docker", *argv, stdin=asyncio.subprocess.PIPE)
    assert holder.stdin is not None
    holder.stdin.write(HOLD.encode())
    await holder.stdin.drain()
    async with asyncio.timeout(20):
        while await asyncio.to_thread(psql, project, OPEN) == "0":  # noqa: ASYNC110
            await asyncio.sleep(PAUSE)
    try:
        yield
    finally:
        await holder.communicate(b"COMMIT;\n")


@asynccontextmanager
async def visited(base: str, ledger: Ledger) -> AsyncIterator[None]:
    """Under load from beginning to end, whatever becomes of it."""
    stop = asyncio.Event()
    visiting = asyncio.create_task(Visitors(base, ledger, RATES).run(stop))
    try:
        await asyncio.sleep(2.0)
        yield
        await asyncio.sleep(1.0)
    finally:
        stop.set()
        await visiting


async def test_an_index_is_made_under_load_without_a_failed_request(running: Running) -> None:
    project, ledger = running.project, Ledger()
    psql(project, BEFORE)
    async with visited(running.http, ledger):
        await asyncio.to_thread(project.renew, "app-1")  # the new release, over the old schema
        async with held(project), asyncio.timeout(60):
            migrating = asyncio.create_task(asyncio.to_thread(migrate, project))
            while await asyncio.to_thread(psql, project, HALF_MADE) == "0":
                assert not migrating.done()
                await asyncio.sleep(PAUSE)
            for _ in range(10):
                await asyncio.to_thread(psql, project, WRITE)
            assert not migrating.done()
        await migrating
        await asyncio.to_thread(project.renew, "app-2")
    psql(project, CLEAR)
    print(f"{len(ledger.visits)} requests, {ledger.details}")
    assert [visit for visit in ledger.visits if visit.end != DONE] == []
    assert ledger.wrong == []
    assert psql(project, VERSION) == newest(STORE)
    assert psql(project, HALF_MADE) == "0"
    found = Outcome("migration", [], True, 0.0, 0.0)
    async with httpx.AsyncClient(base_url=running.http, timeout=5) as client:
        await links(client, ledger, found)
        await clicks(client, ledger, 0, found)
    assert found.broken == []


async def test_a_store_that_is_ahead_ends_the_migrator_with_one_error(running: Running) -> None:
    psql(running.project, "UPDATE alembic_version SET version_num = 'store_99'")
    try:
        with pytest.raises(ProjectError, match="is at version store_99, and this release knows") as refused:
            migrate(running.project)
    finally:
        psql(running.project, f"UPDATE alembic_version SET version_num = '{newest(STORE)}'")
    assert str(refused.value).count("store_99") == 1
    assert "Traceback" not in str(refused.value)
