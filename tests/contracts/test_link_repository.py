"""The port LinkRepository, over SQLite behind its server and over PostgreSQL."""

import asyncio
import socket
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from reference.platform import sql
from reference.platform.errors import Indefinite, PortError, TimedOut, Unavailable
from reference.shortener.components import Link
from reference.shortener.repository import NewLink, SqlLinkRepository

pytestmark = pytest.mark.anyio

NEW = NewLink("abc1234", "https://example.org/ä?q=1&r=日", 1000.0, 2000.5, "hash-a")


@pytest.fixture
async def database(services: Any) -> AsyncIterator[sql.Database]:
    database = sql.connect(services.store_url, timeout=5.0)
    yield database
    await database.close()


@pytest.fixture
async def links(database: sql.Database) -> SqlLinkRepository:
    links = SqlLinkRepository(database)
    await links.prepare()
    return links


async def test_what_was_inserted_is_found(links: SqlLinkRepository) -> None:
    assert await links.insert(NEW)
    assert await links.find("abc1234") == Link("abc1234", NEW.long_url, 2000.5)
    assert await links.find("ABC1234") is None


async def test_a_code_is_given_once(links: SqlLinkRepository) -> None:
    others = [replace(NEW, long_url=f"https://example.org/{n}", token_hash=f"hash-{n}") for n in range(20)]
    won = await asyncio.gather(*(links.insert(other) for other in others))
    assert won.count(True) == 1
    link = await links.find("abc1234")
    assert link is not None
    assert link.long_url == others[won.index(True)].long_url


async def test_a_repeated_insert_finds_its_own_row(links: SqlLinkRepository) -> None:
    assert await links.insert(NEW)
    assert await links.insert(NEW)
    assert not await links.insert(replace(NEW, token_hash="hash-b"))


async def test_only_the_right_token_deletes_and_may_do_so_again(links: SqlLinkRepository) -> None:
    await links.insert(NEW)
    assert await links.delete("abc1234", "hash-b", 1500.0) == "forbidden"
    assert await links.find("abc1234") is not None
    assert await links.delete("abc1234", "hash-a", 1500.0) == "deleted"
    assert await links.delete("abc1234", "hash-a", 1501.0) == "deleted"
    assert await links.find("abc1234") is None
    assert await links.stats("abc1234") is None
    assert await links.delete("abc1234", "hash-b", 1502.0) == "unknown"
    assert await links.delete("nothing", "hash-a", 1502.0) == "unknown"


async def test_a_deleted_code_is_not_given_again(links: SqlLinkRepository) -> None:
    await links.insert(NEW)
    await links.delete("abc1234", "hash-a", 1500.0)
    assert not await links.insert(replace(NEW, token_hash="hash-b"))
    assert await links.find("abc1234") is None


async def test_stats_begin_at_zero(links: SqlLinkRepository) -> None:
    await links.insert(NEW)
    stats = await links.stats("abc1234")
    assert stats is not None
    assert (stats.clicks, stats.created_at, stats.expires_at) == (0, 1000.0, 2000.5)
    assert await links.stats("nothing") is None


async def test_several_servers_may_prepare_at_once(services: Any) -> None:
    databases = [sql.connect(services.store_url, timeout=5.0) for _ in range(5)]
    await asyncio.gather(*(SqlLinkRepository(database).prepare() for database in databases))
    assert await SqlLinkRepository(databases[0]).find("nothing") is None
    for database in databases:
        await database.close()


async def test_before_the_tables_are_made_it_is_unavailable(database: sql.Database) -> None:
    with pytest.raises(Unavailable):
        await SqlLinkRepository(database).find("abc1234")


async def test_a_transaction_is_whole_or_nothing(links: SqlLinkRepository, database: sql.Database) -> None:
    await links.insert(NEW)
    with pytest.raises(sql.NotMatched):
        await database.transaction(
            [
                sql.statement("UPDATE links SET long_url = 'changed' WHERE code = $1", "abc1234"),
                sql.statement("DELETE FROM links WHERE code = $1 RETURNING code", "other", must_match=True),
            ]
        )
    link = await links.find("abc1234")
    assert link is not None
    assert link.long_url == NEW.long_url


async def test_what_is_wrong_with_us_is_no_port_error(
    links: SqlLinkRepository, database: sql.Database
) -> None:
    with pytest.raises(Exception, match=r"NOT NULL|null value") as caught:
        await database.transaction([sql.statement("INSERT INTO links (code) VALUES ($1)", "x")])
    assert not isinstance(caught.value, PortError)


def url_with_port(url: str, port: int) -> str:
    head, _, tail = url.rpartition(":")
    _, slash, path = tail.partition("/")
    return f"{head}:{port}{slash}{path}"


async def test_a_store_that_refuses_is_unavailable(services: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    database = sql.connect(url_with_port(services.store_url, port), timeout=1.0)
    with pytest.raises(Unavailable):
        await SqlLinkRepository(database).insert(NEW)
    await database.close()


class Wire:
    """A connection in between: passes bytes on until it is told otherwise."""

    def __init__(self, url: str) -> None:
        self.target = int(url.rpartition(":")[2].partition("/")[0])
        self.mode = "pass"
        self.writers: list[asyncio.StreamWriter] = []
        self.tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> int:
        self.server = await asyncio.start_server(self.serve, "127.0.0.1", 0)
        port: int = self.server.sockets[0].getsockname()[1]
        return port

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        upstream_reader, upstream = await asyncio.open_connection("127.0.0.1", self.target)
        self.writers += [writer, upstream]
        for source, sink, answers in ((reader, upstream, False), (upstream_reader, writer, True)):
            task = asyncio.create_task(self.copy(source, sink, answers))
            self.tasks.add(task)

    async def copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, answers: bool) -> None:
        try:
            while data := await reader.read(65536):
                if answers and self.mode == "mute":
                    continue
                if answers and self.mode == "break":
                    break
                writer.write(data)
        except OSError:
            pass
        writer.transport.abort()

    async def stop(self) -> None:
        self.server.close()
        for writer in self.writers:
            writer.transport.abort()
        await asyncio.gather(*self.tasks)
        await self.server.wait_closed()


@pytest.fixture
async def wire(services: Any, links: SqlLinkRepository) -> AsyncIterator[Wire]:
    wire = Wire(services.store_url)
    wire.port = await wire.start()  # type: ignore[attr-defined]
    yield wire
    await wire.stop()


@pytest.mark.parametrize(("mode", "error"), [("mute", TimedOut), ("break", Indefinite)])
async def test_a_write_without_an_answer_is_indefinite_and_may_be_repeated(
    services: Any, links: SqlLinkRepository, wire: Any, mode: str, error: type[Exception]
) -> None:
    database = sql.connect(url_with_port(services.store_url, wire.port), timeout=0.4)
    far = SqlLinkRepository(database)
    assert await far.find("abc1234") is None  # connected, statements known
    await far.insert(replace(NEW, code="warm"))
    wire.mode = mode
    with pytest.raises(error):
        await far.insert(NEW)
    wire.mode = "pass"
    assert await far.insert(NEW)
    assert await links.find("abc1234") is not None
    await database.close()


async def test_a_transaction_that_broke_off_before_its_end_did_not_happen(
    services: Any, links: SqlLinkRepository, wire: Any
) -> None:
    """Over PostgreSQL several statements are several messages; before the last one, COMMIT, nothing has happened.
    Over SQLite they are one, and nobody knows. Both are told as they are."""
    await links.insert(NEW)
    database = sql.connect(url_with_port(services.store_url, wire.port), timeout=0.4)
    change = sql.statement("UPDATE links SET long_url = 'changed' WHERE code = $1", "abc1234")
    await database.transaction([sql.statement("SELECT 1 AS one"), sql.statement("SELECT 2 AS two")])
    wire.mode = "break"
    with pytest.raises(PortError) as caught:
        await database.transaction([change, change])
    link = await links.find("abc1234")
    assert link is not None
    if isinstance(caught.value, Unavailable):
        assert link.long_url == NEW.long_url
    else:
        assert services.store_url.startswith("sqlite")
        assert isinstance(caught.value, Indefinite)
    await database.close()


async def test_a_cancelled_caller_leaves_no_stray_answer(services: Any, links: SqlLinkRepository) -> None:
    """The reply that nobody waits for any more must not be taken for that of the next question."""
    await links.insert(NEW)
    await links.insert(replace(NEW, code="other", long_url="https://example.org/other"))
    for _ in range(50):
        task = asyncio.create_task(links.find("abc1234"))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        link = await links.find("other")
        assert link is not None
        assert link.long_url == "https://example.org/other"
