"""The port LinkRepository, over SQLite behind its server and over PostgreSQL, on one shard and on several."""

import asyncio
import socket
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from reference.platform import sql
from reference.platform.errors import Indefinite, PortError, TimedOut, Unavailable
from reference.shortener.components import Link
from reference.shortener.links import LinkRecord, LinkRepository, NewLink
from reference.shortener.live_routing import LiveRouting
from reference.shortener.repository import SqlLinkRepository
from reference.shortener.routers import RouterFactory
from reference.shortener.routing import Placement, RoutingTable
from reference.shortener.sharded_links import ShardedLinks

pytestmark = pytest.mark.anyio

PATIENCE = 5.0
"""Seconds. Where nothing should take long, a busy machine may."""
SHORT = 1.0
"""Where an answer is waited for in vain."""
NEW = NewLink("abc1234", "https://example.org/ä?q=1&r=日", 1000.0, 2000.5, "hash-a")


@pytest.fixture
async def database(services: Any) -> AsyncIterator[sql.Database]:
    database = sql.connect(services.store_url, timeout=5.0)
    yield database
    await database.close()


@pytest.fixture
async def shard(database: sql.Database) -> SqlLinkRepository:
    shard = SqlLinkRepository(database)
    await shard.prepare()
    return shard


@pytest.fixture(params=["one shard", "several shards"])
async def links(
    request: pytest.FixtureRequest, services: Any, shard: SqlLinkRepository
) -> AsyncIterator[LinkRepository]:
    if request.param == "one shard":
        yield shard
        return
    databases = {name: sql.connect(url, timeout=5.0) for name, url in services.shard_urls.items()}
    store = sql.connect(services.store_url, timeout=5.0)
    first = Placement({"filling": "reference"}, tuple(databases))
    sharded = ShardedLinks(databases, LiveRouting(RoutingTable(store), first, RouterFactory()))
    await sharded.prepare()
    yield sharded
    for database in (*databases.values(), store):
        await database.close()


async def test_what_was_inserted_is_found(links: LinkRepository) -> None:
    assert await links.insert(NEW)
    assert await links.find("abc1234") == Link("abc1234", NEW.long_url, 2000.5)
    assert await links.find("ABC1234") is None


async def test_a_code_is_given_once(links: LinkRepository) -> None:
    others = [replace(NEW, long_url=f"https://example.org/{n}", token_hash=f"hash-{n}") for n in range(20)]
    won = await asyncio.gather(*(links.insert(other) for other in others))
    assert won.count(True) == 1
    link = await links.find("abc1234")
    assert link is not None
    assert link.long_url == others[won.index(True)].long_url


async def test_a_repeated_insert_finds_its_own_row(links: LinkRepository) -> None:
    assert await links.insert(NEW)
    assert await links.insert(NEW)
    for other in (
        {"token_hash": "hash-b"},
        {"created_at": 1000.5},
        {"owner": "bob"},
        {"long_url": "https://b/"},
    ):
        assert not await links.insert(replace(NEW, **other))


async def test_only_the_right_token_or_owner_deletes_and_may_do_so_again(links: LinkRepository) -> None:
    async def delete(token_hash: str | None, owner: str | None, code: str = "abc1234") -> str:
        return await links.delete(code, token_hash=token_hash, owner=owner, now=1500.0)

    await links.insert(NEW)
    assert await delete("hash-b", None) == "forbidden"
    assert await delete(None, "bob") == "forbidden"
    assert await delete("", "") == "forbidden"
    assert await links.find("abc1234") is not None
    assert await delete("hash-a", None) == "deleted"
    assert await delete("hash-a", None) == "deleted"
    assert await links.find("abc1234") is None
    assert await links.record("abc1234") is None
    assert await delete("hash-b", None) == "unknown"
    assert await delete("hash-a", None, "nothing") == "unknown"
    await links.insert(replace(NEW, code="anns", owner="ann"))
    assert await delete(None, "", "anns") == "forbidden"
    assert await delete("hash-b", "ann", "anns") == "deleted"
    assert await delete(None, "ann", "anns") == "deleted"


async def test_an_administrator_deletes_without_a_token(links: LinkRepository) -> None:
    await links.insert(NEW)
    assert await links.delete("abc1234", token_hash=None, owner=None, now=1500.0) == "deleted"
    assert await links.delete("nothing", token_hash=None, owner=None, now=1500.0) == "unknown"
    assert await links.find("abc1234") is None


async def test_deletions_at_once_are_one(links: LinkRepository) -> None:
    await links.insert(NEW)
    deletions = [links.delete("abc1234", token_hash="hash-a", owner=None, now=1500.0 + n) for n in range(10)]
    assert set(await asyncio.gather(*deletions)) == {"deleted"}


async def test_a_deleted_code_is_not_given_again(links: LinkRepository) -> None:
    assert not await links.taken("abc1234")
    await links.insert(NEW)
    await links.delete("abc1234", token_hash="hash-a", owner=None, now=1500.0)
    assert not await links.insert(replace(NEW, token_hash="hash-b"))
    assert not await links.insert(NEW)
    assert await links.taken("abc1234")
    assert await links.find("abc1234") is None


async def test_a_record_tells_what_was_inserted(links: LinkRepository) -> None:
    await links.insert(replace(NEW, owner="ann"))
    assert await links.record("abc1234") == LinkRecord("abc1234", NEW.long_url, 1000.0, 2000.5, "ann")
    assert await links.record("nothing") is None


async def test_links_of_one_owner_come_in_pages_by_code(links: LinkRepository) -> None:
    codes = sorted(f"{letter}{n}" for letter in "aZ0" for n in range(10))  # as bytes: digits, capitals, small
    for code in codes:
        await links.insert(replace(NEW, code=code, owner="ann"))
    await links.insert(replace(NEW, code="bobs", owner="bob"))
    await links.insert(replace(NEW, code="nobodys"))
    await links.delete("Z3", token_hash=None, owner="ann", now=1500.0)
    pages, after = [], ""
    while page := await links.owned_by("ann", after, 7):
        pages.append([record.code for record in page])
        after = page[-1].code
    assert [code for page in pages for code in page] == [code for code in codes if code != "Z3"]
    assert [len(page) for page in pages] == [7, 7, 7, 7, 1]
    assert await links.owned_by("", "", 10) == []


async def test_several_servers_may_prepare_at_once(services: Any) -> None:
    databases = [sql.connect(services.store_url, timeout=5.0) for _ in range(5)]
    await asyncio.gather(*(SqlLinkRepository(database).prepare() for database in databases))
    assert await SqlLinkRepository(databases[0]).find("nothing") is None
    for database in databases:
        await database.close()


async def test_before_the_tables_are_made_it_is_unavailable(database: sql.Database) -> None:
    with pytest.raises(Unavailable):
        await SqlLinkRepository(database).find("abc1234")


async def test_a_transaction_is_whole_or_nothing(shard: SqlLinkRepository, database: sql.Database) -> None:
    await shard.insert(NEW)
    with pytest.raises(sql.NotMatched):
        await database.transaction(
            [
                sql.statement("UPDATE links SET long_url = 'changed' WHERE code = $1", "abc1234"),
                sql.statement("DELETE FROM links WHERE code = $1 RETURNING code", "other", must_match=True),
            ]
        )
    link = await shard.find("abc1234")
    assert link is not None
    assert link.long_url == NEW.long_url


async def test_what_is_wrong_with_us_is_no_port_error(
    shard: SqlLinkRepository, database: sql.Database
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
async def wire(services: Any, shard: SqlLinkRepository) -> AsyncIterator[Wire]:
    wire = Wire(services.store_url)
    wire.port = await wire.start()  # type: ignore[attr-defined]
    yield wire
    await wire.stop()


@pytest.mark.parametrize(("mode", "error"), [("mute", TimedOut), ("break", Indefinite)])
async def test_a_write_without_an_answer_is_indefinite_and_may_be_repeated(
    services: Any, shard: SqlLinkRepository, wire: Any, mode: str, error: type[Exception]
) -> None:
    database = sql.connect(
        url_with_port(services.store_url, wire.port), timeout=PATIENCE if mode == "break" else SHORT
    )
    far = SqlLinkRepository(database)
    assert await far.find("abc1234") is None  # connected, statements known
    await far.insert(replace(NEW, code="warm"))
    wire.mode = mode
    with pytest.raises(error):
        await far.insert(NEW)
    wire.mode = "pass"
    assert await far.insert(NEW)
    assert await shard.find("abc1234") is not None
    await database.close()


@pytest.mark.parametrize("profile", [pytest.param("local", marks=pytest.mark.local)], indirect=True)
@pytest.mark.parametrize("write", [False, True])
async def test_a_connection_whose_end_has_been_told_but_has_not_come_is_of_no_use(
    services: Any, shard: SqlLinkRepository, wire: Any, write: bool
) -> None:
    """A dying server says so first: asyncpg then holds a connection that is open and takes no question any more."""
    database = sql.connect(url_with_port(services.store_url, wire.port), timeout=PATIENCE)
    far = SqlLinkRepository(database)
    assert await far.find("abc1234") is None
    reason = b"SFATAL\0C57P01\0Mterminating connection due to administrator command\0\0"
    wire.writers[0].write(b"E" + (len(reason) + 4).to_bytes(4, "big") + reason)
    await asyncio.sleep(0.05)
    with pytest.raises(PortError):
        await (far.insert(NEW) if write else far.find("abc1234"))
    assert await far.find("abc1234") is None  # over a new connection
    await database.close()


async def test_a_transaction_that_broke_off_before_its_end_did_not_happen(
    services: Any, shard: SqlLinkRepository, wire: Any
) -> None:
    """Over PostgreSQL several statements are several messages; before the last one, COMMIT, nothing has happened.
    Over SQLite they are one, and nobody knows. Both are told as they are."""
    await shard.insert(NEW)
    database = sql.connect(url_with_port(services.store_url, wire.port), timeout=PATIENCE)
    change = sql.statement("UPDATE links SET long_url = 'changed' WHERE code = $1", "abc1234")
    await database.transaction([sql.statement("SELECT 1 AS one"), sql.statement("SELECT 2 AS two")])
    wire.mode = "break"
    with pytest.raises(PortError) as caught:
        await database.transaction([change, change])
    link = await shard.find("abc1234")
    assert link is not None
    if isinstance(caught.value, Unavailable):
        assert link.long_url == NEW.long_url
    else:
        assert services.store_url.startswith("sqlite")
        assert isinstance(caught.value, Indefinite)
    await database.close()


async def test_a_cancelled_caller_leaves_no_stray_answer(services: Any, shard: SqlLinkRepository) -> None:
    """The reply that nobody waits for any more must not be taken for that of the next question."""
    await shard.insert(NEW)
    await shard.insert(replace(NEW, code="other", long_url="https://example.org/other"))
    for _ in range(50):
        task = asyncio.create_task(shard.find("abc1234"))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        link = await shard.find("other")
        assert link is not None
        assert link.long_url == "https://example.org/other"
