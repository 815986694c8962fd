"""Where SQLite behind its server and PostgreSQL differ, and where one would think so: compose/differences.md, shown.

Each test runs on every service that it speaks of, and says what each of them does: it fails if one of them changes.
"""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from reference.platform import sql
from reference.platform.errors import Indefinite, Unavailable
from reference.platform.sql import NotMatched, Statement, statement
from tests.contracts.conftest import Services
from tests.contracts.gates import Gated, gated_postgres, gated_sqlite, line_to
from tests.contracts.profiles import EVERYWHERE

pytestmark = pytest.mark.anyio

MOMENT = 0.3
"""Seconds after which something that has to wait is believed to wait."""


TABLE = "CREATE TABLE IF NOT EXISTS numbers (name TEXT PRIMARY KEY, value BIGINT NOT NULL)"
SEE = statement("SELECT value FROM numbers WHERE name = 'a'")


def put(name: str, value: int) -> Statement:
    return Statement(
        "INSERT INTO numbers (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        ((name, value),),
    )


def change(value: int, if_it_is: int) -> Statement:
    return statement(
        "UPDATE numbers SET value = $1 WHERE name = 'a' AND value = $2 RETURNING value",
        *(value, if_it_is),
        must_match=True,
    )


@pytest.fixture
async def gated(profile: str, services: Services, tmp_path: Path) -> AsyncIterator[Gated]:
    file = tmp_path / "store.sqlite3"
    async with gated_sqlite(file) if profile == "embedded" else gated_postgres(services.store_url) as gated:
        yield gated


@pytest.fixture
async def store(gated: Gated) -> AsyncIterator[sql.Database]:
    store = sql.connect(gated.url, timeout=20.0)
    await store.define([TABLE])
    await store.transaction([put("a", 1), put("b", 1)])
    yield store
    await store.close()


async def value_of(store: sql.Database, name: str) -> Any:
    [row] = await store.query("SELECT value FROM numbers WHERE name = $1", name)
    return row["value"]


async def ended(task: "asyncio.Task[Any]", expected: bool) -> bool:
    """Whether it has; that it should, is waited for longer."""
    await asyncio.wait({task}, timeout=20 if expected else MOMENT)
    return task.done()


@EVERYWHERE
async def test_what_a_transaction_reads_twice_may_have_changed(
    profile: str, gated: Gated, store: sql.Database
) -> None:
    real = profile != "embedded"
    twice = asyncio.create_task(store.transaction([SEE, gated.gate.here, SEE]))
    await gated.gate.reached()
    other = asyncio.create_task(store.transaction([put("a", 2)]))
    went_on = await ended(other, real)
    await gated.gate.open()
    [[before], _, [after]] = await twice
    await other
    assert (went_on, before["value"], after["value"]) == ((True, 1, 2) if real else (False, 1, 1))


@EVERYWHERE
async def test_readers_wait_for_nobody_and_see_only_what_is_committed(
    gated: Gated, store: sql.Database
) -> None:
    writing = asyncio.create_task(store.transaction([put("a", 2), gated.gate.here]))
    await gated.gate.reached()
    assert await value_of(store, "a") == 1
    await gated.gate.open()
    await writing
    assert await value_of(store, "a") == 2


@EVERYWHERE
async def test_to_read_and_then_to_write_loses_an_update_everywhere(
    gated: Gated, store: sql.Database
) -> None:
    """SQLite's turns do not help between two calls. A comparison in the statement that writes helps, on both."""
    for seen in [await value_of(store, "a"), await value_of(store, "a")]:
        await store.transaction([put("a", seen + 1)])
    assert await value_of(store, "a") == 2
    first = asyncio.create_task(store.transaction([change(3, if_it_is=2), gated.gate.here]))
    await gated.gate.reached()
    second = asyncio.create_task(store.transaction([change(3, if_it_is=2)]))
    assert not await ended(second, False)
    await gated.gate.open()
    await first
    with pytest.raises(NotMatched):
        await second


@EVERYWHERE
@pytest.mark.parametrize("locked", [True, False])
async def test_what_a_write_rests_on_may_change_before_its_commit_unless_it_is_locked(
    profile: str, locked: bool, gated: Gated, store: sql.Database
) -> None:
    """As a link that is written by an epoch, and the epoch that is raised meanwhile."""
    lock = store.share_lock if locked else ""
    rests_on = f"(SELECT value FROM numbers WHERE name = 'a'{lock}) = 1"
    write = statement(f"INSERT INTO numbers (name, value) SELECT 'link', 1 WHERE {rests_on}")
    writing = asyncio.create_task(store.transaction([write, gated.gate.here]))
    await gated.gate.reached()
    raising = asyncio.create_task(store.transaction([put("a", 2)]))
    raised_under_it = await ended(raising, profile != "embedded" and not locked)
    await gated.gate.open()
    await asyncio.gather(writing, raising)
    assert raised_under_it == (profile != "embedded" and not locked)
    assert await value_of(store, "link") == 1


@EVERYWHERE
async def test_two_writers_in_opposite_order_end_each_other(
    profile: str, gated: Gated, store: sql.Database
) -> None:
    one = asyncio.create_task(store.transaction([put("a", 2), gated.gate.here, put("b", 2)]))
    await gated.gate.reached()
    other = asyncio.create_task(store.transaction([put("b", 3), put("a", 3)]))
    if profile != "embedded":
        await gated.gate.reached(waiting=2)
    await gated.gate.open()
    refused = [
        error
        for error in await asyncio.gather(one, other, return_exceptions=True)
        if error and not isinstance(error, list)
    ]
    assert [type(error) for error in refused] == ([] if profile == "embedded" else [Unavailable])
    assert await value_of(store, "a") == await value_of(store, "b")


@EVERYWHERE
async def test_a_transaction_is_one_question_or_one_for_each_statement(
    profile: str, gated: Gated, store: sql.Database
) -> None:
    three = [put("a", 2), put("b", 2), Statement(put("c", 2).sql, tuple((f"c{n}", n) for n in range(500)))]
    asked = []
    async with line_to(gated.url) as line:
        through = sql.connect(line.url, timeout=20.0)
        for statements in (three, three, [put("a", 3)]):
            before = line.asked
            await through.transaction(statements)
            asked.append(line.asked - before)
        await through.close()
    begin_and_commit = 2
    assert asked[1:] == ([1, 1] if profile == "embedded" else [3 + begin_and_commit, 1])


@EVERYWHERE
async def test_a_statement_costs_twice_as_much_the_first_time(
    profile: str, gated: Gated, store: sql.Database
) -> None:
    asked = []
    async with line_to(gated.url) as line:
        through = sql.connect(line.url, timeout=20.0)
        await through.query("SELECT 1")  # it is connected
        for _ in range(3):
            before = line.asked
            await through.query("SELECT value FROM numbers WHERE name = $1", "a")
            asked.append(line.asked - before)
        await through.close()
    assert asked == ([1, 1, 1] if profile == "embedded" else [2, 1, 1])


@EVERYWHERE
async def test_a_line_that_breaks_within_a_transaction(
    profile: str, gated: Gated, store: sql.Database
) -> None:
    async with line_to(gated.url) as line:
        through = sql.connect(line.url, timeout=20.0)
        writing = asyncio.create_task(through.transaction([put("a", 2), gated.gate.here, put("b", 2)]))
        await gated.gate.reached()
        line.cut()
        with pytest.raises(Indefinite if profile == "embedded" else Unavailable):
            await writing
        await gated.gate.open()
        await through.close()
    await store.transaction([statement("UPDATE numbers SET value = value WHERE name = 'a'")])  # behind it
    seen = (await value_of(store, "a"), await value_of(store, "b"))
    assert seen == ((2, 2) if profile == "embedded" else (1, 1))


@EVERYWHERE
@pytest.mark.parametrize(
    ("name", "value", "refused_by_postgres"),
    [("zero \0", 1, asyncpg.CharacterNotInRepertoireError), ("number", "no number", asyncpg.DataError)],
)
async def test_sqlite_keeps_what_postgresql_refuses(
    profile: str, name: str, value: Any, refused_by_postgres: type[Exception], store: sql.Database
) -> None:
    if profile == "embedded":
        await store.transaction([put(name, value)])
        assert await value_of(store, name) == value
    else:
        with pytest.raises(refused_by_postgres):
            await store.transaction([put(name, value)])


@EVERYWHERE
async def test_text_is_in_the_order_of_its_code_points(profile: str, store: sql.Database) -> None:
    names = ["b", "B", "_", "a", "A", "-", "0"]
    await store.transaction([Statement(put("", 0).sql, tuple((name, 0) for name in names))])
    ordered = [row["name"] for row in await store.query("SELECT name FROM numbers ORDER BY name")]
    assert ordered == sorted(names)
    if profile == "compose":  # and by a language's rules it would not be
        by_language = await store.query('SELECT name FROM numbers ORDER BY name COLLATE "en-x-icu"')
        assert [row["name"] for row in by_language] == ["_", "-", "0", "a", "A", "b", "B"]
