"""Migrations over a real PostgreSQL: they make what servers make, from any version, killed, twice, too late."""

import asyncio
import json
import re
import sys
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from reference.build.api import STORE_TABLES
from reference.build.migrate import migrate
from reference.platform import migrations, sql
from reference.platform.errors import Unavailable
from reference.platform.migrations import HEAD, Ahead, Unfit, newest, upgrade, versions
from reference.shortener import key_ranges, routing, stored_links, worker_ids
from reference.shortener.migrations import SHARD, STORE
from tests.contracts.conftest import COMPOSE_LANE, empty

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.parametrize(
        "profile",
        [
            pytest.param("local", marks=pytest.mark.local),
            pytest.param("compose", marks=COMPOSE_LANE),
        ],
    ),
]
ROOT = Path(__file__).parents[2]
TABLES = {
    STORE: (*STORE_TABLES, routing.TABLE, key_ranges.TABLE, worker_ids.TABLE),
    SHARD: stored_links.TABLES,
}
EITHER = pytest.mark.parametrize("history", [STORE, SHARD], ids=lambda history: history.name)
FROM_EACH = pytest.mark.parametrize(
    ("history", "start"),
    [
        (history, start)
        for history in (STORE, SHARD)
        for start in ("made by servers", *versions(history)[:-1])
    ],
    ids=lambda each: each if isinstance(each, str) else each.name,
)

COLUMNS = """
SELECT c.relname, a.attname, a.attnum, format_type(a.atttypid, a.atttypmod), a.attnotnull,
    pg_get_expr(d.adbin, d.adrelid), a.attcollation, a.attidentity
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped"""
KEYS = """
SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid), convalidated FROM pg_constraint
WHERE connamespace = 'public'::regnamespace"""
INDEXES = """
SELECT indrelid::regclass::text, pg_get_indexdef(indexrelid), indisvalid, indisunique FROM pg_index
JOIN pg_class c ON c.oid = indexrelid WHERE c.relnamespace = 'public'::regnamespace"""
RELATIONS = (
    "SELECT relname, relkind::text, reloptions FROM pg_class WHERE relnamespace = 'public'::regnamespace"
)
INVALID = "SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid"


async def described(url: str) -> dict[str, set[tuple[Any, ...]]]:
    """All that is in the schema, but for the record of its version."""
    async with connected(url) as connection:
        return {
            name: {
                tuple(tuple(value) if isinstance(value, list) else value for value in row)
                for row in await connection.fetch(question)
                if not row[0].startswith("alembic_version")
            }
            for name, question in {
                "columns": COLUMNS,
                "keys": KEYS,
                "indexes": INDEXES,
                "relations": RELATIONS,
            }.items()
        }


class connected:
    def __init__(self, url: str) -> None:
        self.url = url

    async def __aenter__(self) -> asyncpg.Connection:
        self.connection = await asyncpg.connect(self.url, ssl=False)
        return self.connection

    async def __aexit__(self, *_: object) -> None:
        await self.connection.close()


async def define(url: str, tables: tuple[str, ...]) -> None:
    database = sql.connect(url, timeout=5.0)
    await database.define(tables)
    await database.close()


async def version_of(url: str) -> list[str]:
    async with connected(url) as connection:
        return [
            row["version_num"] for row in await connection.fetch("SELECT version_num FROM alembic_version")
        ]


@pytest.fixture
async def url(services: Any) -> str:
    return str(services.store_url)


# --- the schema


@EITHER
async def test_migrations_make_what_servers_make(url: str, history: Path) -> None:
    await define(url, TABLES[history])
    by_servers = await described(url)
    await empty(url)
    assert await upgrade(url, history) == newest(history)
    assert await described(url) == by_servers
    assert await version_of(url) == [newest(history)]


@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE links ADD COLUMN note TEXT",
        "ALTER TABLE links ALTER COLUMN owner DROP NOT NULL",
        "ALTER TABLE links ALTER COLUMN owner SET DEFAULT ''",
        "ALTER TABLE links ALTER COLUMN moved TYPE BIGINT",
        "ALTER TABLE links DROP CONSTRAINT links_pkey",
        "ALTER TABLE links ADD CHECK (moved < 2)",
        "DROP INDEX links_moved",
        "DROP INDEX links_moved; CREATE INDEX links_moved ON links (code) WHERE moved = 2",
        "CREATE TABLE others (one INTEGER)",
        "CREATE SEQUENCE numbers",
    ],
)
async def test_the_comparison_bites(url: str, change: str) -> None:
    await upgrade(url, SHARD)
    before = await described(url)
    async with connected(url) as connection:
        await connection.execute(change)
    assert await described(url) != before


async def test_every_table_of_the_reference_is_in_a_history(url: str) -> None:
    made = {
        name
        for path in (ROOT / "reference").rglob("*.py")
        if "migrations" not in path.parts
        for name in re.findall(r"CREATE TABLE IF NOT EXISTS (\w+) ?\(", path.read_text("utf-8"))
    }
    found = set()
    for history in (STORE, SHARD):
        await empty(url)
        await upgrade(url, history)
        found |= {row[0] for row in (await described(url))["columns"]}
    assert made == found


async def test_servers_leave_a_migrated_schema_alone(url: str) -> None:
    await upgrade(url, STORE, "store_1")
    before = await described(url)
    await define(url, TABLES[STORE])
    assert await described(url) == before


# --- from version to version


@FROM_EACH
async def test_an_upgrade_keeps_every_row(url: str, history: Path, start: str) -> None:
    await upgrade(url, history)
    fresh = await described(url)
    await empty(url)
    if start in versions(history):
        await upgrade(url, history, start)
    else:
        await define(url, TABLES[history])
    await fill(url)
    before = await rows(url)
    assert all(len(found) >= 1 for found in before.values())
    assert await upgrade(url, history) == newest(history)
    assert await rows(url) == before
    assert await described(url) == fresh


async def fill(url: str) -> None:
    """A row and more in each table, with every column's own kind of value."""
    by_type = {"text": "'ä' || n", "double precision": "n + 0.1", "bigint": "n", "integer": "n"}
    tables: dict[str, dict[str, str]] = {}
    for table, column, _, kind, *_ in (await described(url))["columns"]:
        tables.setdefault(table, {})[column] = by_type[kind]
    async with connected(url) as connection:
        for table, columns in tables.items():
            last = 1 if "one_row" in columns else 50
            await connection.execute(
                f"INSERT INTO {table} ({', '.join(columns)}) "
                f"SELECT {', '.join(columns.values())} FROM generate_series(1, {last}) AS n ON CONFLICT DO NOTHING"
            )


async def rows(url: str) -> dict[str, list[str]]:
    async with connected(url) as connection:
        tables = sorted({row[0] for row in (await described(url))["columns"]})
        return {
            table: [
                row["row"]
                for row in await connection.fetch(f"SELECT t::text AS row FROM {table} t ORDER BY 1")
            ]
            for table in tables
        }


@pytest.mark.parametrize("start", [None, *versions(STORE)[:-1]])
async def test_of_several_at_once_one_migrates(url: str, start: str | None) -> None:
    """Also where the step is an index that waits for everybody else's statements, those of other migrators too."""
    if start is not None:
        await upgrade(url, STORE, start)
        await fill(url)
    async with asyncio.timeout(30):
        reached = await asyncio.gather(*(upgrade(url, STORE) for _ in range(4)))
    assert reached == [newest(STORE)] * 4
    assert await version_of(url) == [newest(STORE)]
    async with connected(url) as connection:
        assert await connection.fetch(INVALID) == []


async def test_a_database_that_is_ahead_is_refused(url: str, services: Any, capfd: Any) -> None:
    await upgrade(url, STORE)
    async with connected(url) as connection:
        await connection.execute("UPDATE alembic_version SET version_num = 'store_99'")
    before = await described(url)
    with pytest.raises(Ahead, match="at version store_99, and this release knows store_"):
        await upgrade(url, STORE)
    assert await migrate(services.settings(role="migrate")) == 1
    [said] = [json.loads(line) for line in capfd.readouterr().err.splitlines()]
    assert (said["level"], said["event"], said["step"]) == ("error", "refused", "schema of the store")
    assert (await described(url), await version_of(url)) == (before, ["store_99"])


async def test_the_migrator_does_it_all_and_does_it_again(services: Any, capfd: Any) -> None:
    for _ in range(2):
        assert await migrate(services.settings(role="migrate")) == 0
    said = [json.loads(line) for line in capfd.readouterr().err.splitlines()]
    assert {each["event"] for each in said} == {"made"}
    assert {each["version"] for each in said if "shard" in each["step"]} == {newest(SHARD)}
    assert await version_of(services.store_url) == [newest(STORE)]


# --- what may come in between


async def test_who_waits_for_a_lock_gives_up_before_others_have_to_wait_long(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrations, "LOCK_PATIENCE", 0.2)
    await define(url, TABLES[SHARD])
    before = await described(url)
    async with connected(url) as connection:
        async with connection.transaction():
            await connection.execute("LOCK TABLE links IN ROW EXCLUSIVE MODE")
            with pytest.raises(Unavailable, match="lock timeout"):
                await upgrade(url, SHARD)
        assert await described(url) == before
        assert await connection.fetchval("SELECT to_regclass('alembic_version')") is None
    assert await upgrade(url, SHARD) == newest(SHARD)


MIGRATOR = (
    "import asyncio, sys; from pathlib import Path; from reference.platform.migrations import upgrade; "
    "asyncio.run(upgrade(sys.argv[1], Path(sys.argv[2])))"
)


async def test_a_migrator_that_is_killed_leaves_work_that_the_next_one_ends(url: str) -> None:
    """The killed one's statement goes on in the database, and holds the lock: the next one waits for its end."""
    await upgrade(url, STORE, "store_1")
    async with connected(url) as writer:
        transaction = writer.transaction()
        await transaction.start()
        await writer.execute("INSERT INTO forgotten_codes VALUES ('abc', 1.0)")
        killed = await asyncio.create_subprocess_exec(
            sys.executable, "-c", MIGRATOR, url, str(STORE), cwd=ROOT
        )
        await until_half_made(url)
        killed.kill()
        await killed.wait()
        following = asyncio.create_task(upgrade(url, STORE, HEAD))
        await asyncio.sleep(0.5)
        assert not following.done()
        assert await version_of(url) == ["store_1"]
        await transaction.commit()
        async with asyncio.timeout(20):
            assert await following == newest(STORE)
    await assert_whole(url)


async def test_an_index_that_was_left_half_made_is_made_anew(url: str, services: Any) -> None:
    """PostgreSQL is killed while it makes it."""
    await upgrade(url, STORE, "store_1")
    writer = await asyncpg.connect(url, ssl=False)
    await writer.execute("BEGIN; INSERT INTO forgotten_codes VALUES ('abc', 1.0)")
    broken = asyncio.create_task(upgrade(url, STORE))
    await until_half_made(url)
    await asyncio.to_thread(services.servers["store"].kill)
    with pytest.raises(Unavailable):
        await broken
    await asyncio.to_thread(services.servers["store"].start)
    writer.terminate()
    async with connected(url) as connection:
        assert [row[0] for row in await connection.fetch(INVALID)] == ["forgotten_codes_age"]
    assert await version_of(url) == ["store_1"]
    assert await upgrade(url, STORE) == newest(STORE)
    await assert_whole(url)


async def until_half_made(url: str) -> None:
    async with asyncio.timeout(20), connected(url) as connection:
        while not await connection.fetch(INVALID):  # noqa: ASYNC110
            await asyncio.sleep(0.05)


async def assert_whole(url: str) -> None:
    async with connected(url) as connection:
        assert await connection.fetch(INVALID) == []
        assert await connection.fetchval("SELECT to_regclass('forgotten_codes_age')") is not None
    assert await version_of(url) == [newest(STORE)]


@EITHER
async def test_a_database_that_is_away_is_asked_again(profile: str, history: Path) -> None:
    with pytest.raises(Unavailable):
        await upgrade("postgresql://workbench@127.0.0.1:1/workbench", history)


@EITHER
async def test_a_database_that_sorts_as_a_language_does_is_refused(url: str, history: Path) -> None:
    """On three such shards a third of an owner's links were left out of the list of them."""
    name = f"by_language_{history.name}"
    like = "TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C' LOCALE_PROVIDER icu ICU_LOCALE 'en-US'"
    async with connected(url) as connection:
        await connection.execute(f"CREATE DATABASE {name} {like}")
        try:
            with pytest.raises(Unfit, match="sorts texts by the rules of a language"):
                await upgrade(f"{url.rpartition('/')[0]}/{name}", history)
        finally:
            await connection.execute(f"DROP DATABASE {name}")
