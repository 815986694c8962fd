"""Epochs, re-sharding and the purge over SQLite behind its servers and over PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest

from reference.platform import sql
from reference.platform.clock import SystemClock
from reference.platform.errors import Unavailable
from reference.platform.modules import ComponentRejected
from reference.shortener.components import Answer
from reference.shortener.links import NewLink
from reference.shortener.live_routing import LiveRouting
from reference.shortener.moves import ShardMoves
from reference.shortener.purge import DUE, Purge
from reference.shortener.repository import SqlLinkRepository
from reference.shortener.resharding import Reshard
from reference.shortener.routers import RouterFactory
from reference.shortener.routing import Placement, RoutingTable
from reference.shortener.sharded_links import ShardedLinks
from reference.shortener.stored_links import Moved, StaleRouting

pytestmark = pytest.mark.anyio

FIRST = Placement({"filling": "reference"}, ("shard-1", "shard-2"))
NEW = NewLink("abc1234", "https://example.org/", 1000.0, 2000.5, "hash-a", "ann")
DAY = 86_400.0


@dataclass
class Shards:
    databases: dict[str, sql.Database]
    store: sql.Database

    def server(self) -> ShardedLinks:
        return ShardedLinks(self.databases, LiveRouting(RoutingTable(self.store), FIRST, RouterFactory()))

    def keeper(self) -> Reshard:
        return Reshard(self.databases, RoutingTable(self.store), FIRST, RouterFactory(), SystemClock())

    async def count(self, where: str = "moved = 0") -> list[int]:
        """Rows on each shard."""
        query = f"SELECT COUNT(*) AS number FROM links WHERE {where}"
        return [(await database.query(query))[0]["number"] for database in self.databases.values()]


@pytest.fixture
async def shards(services: Any) -> AsyncIterator[Shards]:
    databases = {name: sql.connect(url, timeout=5.0) for name, url in services.shard_urls.items()}
    shards = Shards(databases, sql.connect(services.store_url, timeout=5.0))
    yield shards
    for database in (*databases.values(), shards.store):
        await database.close()


@pytest.fixture
async def shard(shards: Shards) -> SqlLinkRepository:
    shard = SqlLinkRepository(shards.databases["shard-1"])
    await shard.prepare()
    return shard


# --- epochs


async def test_who_is_behind_a_shard_is_refused(shard: SqlLinkRepository) -> None:
    await shard.insert(NEW)
    await shard.raise_epoch(3)
    with pytest.raises(StaleRouting):
        await shard.find("abc1234", epoch=2)
    with pytest.raises(StaleRouting):
        await shard.insert(replace(NEW, code="other"), epoch=2)
    with pytest.raises(StaleRouting):
        await shard.delete("abc1234", token_hash=None, owner=None, now=1500.0, epoch=2)
    with pytest.raises(StaleRouting):
        await shard.owned_by("ann", "", 5, epoch=2)
    assert await shard.find("abc1234", epoch=3) is not None
    assert await shard.find("other", epoch=3) is None


async def test_a_shard_that_is_behind_is_brought_up_and_stays_there(shard: SqlLinkRepository) -> None:
    assert await shard.insert(NEW, epoch=4)
    assert await shard.find("nothing", epoch=6) is None
    await shard.raise_epoch(5)
    with pytest.raises(StaleRouting):
        await shard.find("abc1234", epoch=5)


async def test_an_epoch_waits_for_the_writes_of_the_one_before(
    services: Any, shard: SqlLinkRepository
) -> None:
    """Over PostgreSQL a write may be under way in another connection; the epoch must not rise past it."""
    if services.shard_urls["shard-1"].startswith("sqlite"):
        return  # its writers take turns
    import asyncpg

    connection = await asyncpg.connect(services.shard_urls["shard-1"], ssl=False)
    writing = connection.transaction()
    await writing.start()
    await connection.execute(
        "INSERT INTO links SELECT 'x', '', 0, 0, '', '', NULL, 0 "
        "WHERE (SELECT epoch FROM shard_epoch FOR SHARE) = 0"
    )
    rising = asyncio.create_task(shard.raise_epoch(1))
    await asyncio.sleep(0.2)
    assert not rising.done()
    await writing.commit()
    await rising
    await connection.close()


# --- moving


async def filled(shards: Shards, number: int = 300) -> ShardedLinks:
    links = shards.server()
    await links.prepare()
    inserts = (links.insert(replace(NEW, code=f"code-{n}")) for n in range(number))
    assert all(await asyncio.gather(*inserts))
    return links


async def test_links_are_spread_and_found(shards: Shards) -> None:
    links = await filled(shards)
    one, two, three = await shards.count()
    assert one + two == 300
    assert three == 0
    assert 100 < one < 200
    assert await links.find("code-7") is not None


@pytest.mark.parametrize(("router", "least", "most"), [("reference", 0.25, 0.42), ("plain", 0.58, 0.75)])
async def test_a_new_shard_takes_its_share(shards: Shards, router: str, least: float, most: float) -> None:
    """From 2 to 3 a third of the links must move; by modulo two thirds do."""
    links = await filled(shards)
    keeper = shards.keeper()
    if router != "reference":
        await keeper.begin({"router": {"filling": router}})
        await keeper.work()
    await keeper.begin({"shards": 3})
    await keeper.work()
    told = await keeper.progress({})
    assert (told["phase"], told["of"], told["router"]) == ("stable", 300, router)
    assert least < told["moved"] / 300 < most
    assert sum(await shards.count()) == 300
    assert sum(await shards.count("moved = 1")) == 0
    for n in range(300):
        assert await links.find(f"code-{n}") is not None  # by a server that had not heard of it


async def test_a_re_shard_under_load_loses_nothing(shards: Shards) -> None:
    await filled(shards)
    keepers = [shards.keeper(), shards.keeper()]
    made, deleted = {f"code-{n}" for n in range(300)}, set()
    ended = asyncio.Event()

    async def client(number: int) -> None:
        links = shards.server()
        serial = 0
        while not ended.is_set():
            serial += 1
            code = f"new-{number}-{serial}"
            assert await links.insert(replace(NEW, code=code))
            made.add(code)
            old = f"code-{number * 100 + serial % 100}"
            assert (await links.find(old) is None) == (old in deleted)
            if serial % 3 == 0:
                assert await links.delete(old, token_hash="hash-a", owner=None, now=1500.0) == "deleted"
                deleted.add(old)

    clients = [asyncio.create_task(client(number)) for number in range(3)]
    for plan in ({"shards": 3}, {"router": {"filling": "plain"}}, {"shards": ["shard-3", "shard-2"]}):
        await keepers[0].begin(plan)
        while (await keepers[0].progress({}))["phase"] != "stable":
            await asyncio.gather(*(keeper.work() for keeper in keepers))
    ended.set()
    await asyncio.gather(*clients)
    links = shards.server()
    for code in made:
        assert (await links.find(code) is None) == (code in deleted)
    assert (await shards.count())[0] == 0
    assert sum(await shards.count()) == len(made)


async def begun(shards: Shards) -> tuple[ShardedLinks, Reshard, int]:
    """A re-shard that has been ordered, and its epoch."""
    links, keeper = await filled(shards, 40), shards.keeper()
    told = await keeper.begin({"shards": ["shard-3"]})
    assert told["phase"] == "moving"
    return links, keeper, told["epoch"]


async def test_while_links_move_what_counts_is_found(shards: Shards) -> None:
    links, _, epoch = await begun(shards)
    source, target = shards.databases["shard-1"], shards.databases["shard-3"]
    for database in shards.databases.values():
        await SqlLinkRepository(database).raise_epoch(epoch)
    rows = await ShardMoves(source).rows("", 3)
    copied, deleted, stub = (row.code for row in rows)
    await ShardMoves(target).copy_in(rows, epoch)
    assert await links.delete(deleted, token_hash="hash-a", owner=None, now=1500.0) == "deleted"
    assert await ShardMoves(source).leave_stubs(rows[1:], epoch) == {deleted}

    assert await links.find(copied) is not None
    assert await links.find(deleted) is None  # its copy lives, and does not count
    with pytest.raises(Moved):
        await SqlLinkRepository(source).find(stub, epoch)
    assert await links.find(stub) is not None
    listed = [record.code for record in await links.owned_by("ann", "", 50)]
    assert len(listed) == len(set(listed)) == 39
    assert deleted not in listed
    assert not await links.insert(replace(NEW, code=stub, created_at=7.0))
    assert await links.insert(replace(NEW, code="fresh"))
    assert await links.find("fresh") is not None
    await shards.keeper().work()
    assert await shards.count() == [0, 0, 41]
    assert await links.find(deleted) is None


async def test_a_copy_that_comes_late_brings_nothing_back(shards: Shards) -> None:
    """A mover that was paused holds rows as they were; another one has gone on."""
    links, keeper, epoch = await begun(shards)
    old = await ShardMoves(shards.databases["shard-1"]).rows("", 2)
    await keeper._raise(await RoutingTable(shards.store).read())
    router = await RouterFactory().make(Placement({"filling": "reference"}, ("shard-3",)))
    await keeper._empty("shard-1", router, epoch)
    gone, purged = (row.code for row in old)
    await links.delete(gone, token_hash="hash-a", owner=None, now=1500.0)
    await shards.databases["shard-3"].transaction(
        [sql.statement("UPDATE links SET long_url = '', token_hash = '', owner = '' WHERE code = $1", purged)]
    )
    await ShardMoves(shards.databases["shard-3"]).copy_in(old, epoch)
    await ShardMoves(shards.databases["shard-1"]).leave_stubs(old, epoch)
    assert await links.find(gone) is None
    found = await links.record(purged)
    assert found is not None
    assert (found.long_url, found.owner) == ("", "")

    await keeper.work()
    with pytest.raises(StaleRouting):
        await ShardMoves(shards.databases["shard-3"]).copy_in(old, epoch)
    with pytest.raises(StaleRouting):
        await ShardMoves(shards.databases["shard-1"]).remove_stubs(epoch, 10)


async def test_without_the_routing_links_go_on(shards: Shards) -> None:
    links = await filled(shards, 3)
    await shards.store.transaction([sql.statement("DROP TABLE routing")])
    assert await links.find("code-1") is not None
    assert await links.insert(replace(NEW, code="another"))
    with pytest.raises(Unavailable):
        await shards.server().find("code-1")


async def test_orders_that_cannot_be(shards: Shards) -> None:
    _, keeper, _ = await begun(shards)
    with pytest.raises(ValueError, match="already"):
        await keeper.begin({"shards": 3})
    await keeper.work()
    for wrong in (["shard-9"], [], ["shard-1", "shard-1"], 9, "shard-1"):
        with pytest.raises(ValueError, match="no such shards"):
            await keeper.begin({"shards": wrong})
    before = await keeper.progress({})
    assert (await keeper.begin({"shards": ["shard-3"]}))["epoch"] == before["epoch"]  # it is so already


def source(body: str) -> dict[str, Any]:
    head = "import random\nclass ShardRouter:\n    def __init__(self, *, shards):\n        self.shards = shards\n"
    text = head + body
    return {"router": {"source": text, "label": "mine"}}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("    def shard_of(self, code):\n        return 'shard-7'", "no shard in use"),
        ("    def shard_of(self, code):\n        return 1 / 0", "ZeroDivisionError"),
        ("    def shard_of(self, code):\n        return random.choice(self.shards)", "by another"),
        ("    async def shard_of(self, code):\n        return self.shards[0]", "plain function"),
        ("    def shard_of(self", "SyntaxError"),
        (
            "    def shard_of(self, code):\n        return '' if code == 'code-2' else self.shards[0]",
            "'', which is no",
        ),
    ],
)
async def test_an_unfit_router_is_refused_before_anything_moves(
    shards: Shards, body: str, message: str
) -> None:
    await filled(shards, 3)
    with pytest.raises(ComponentRejected, match=message):
        await shards.keeper().begin(source(body))
    assert (await shards.keeper().progress({}))["phase"] == "stable"


async def test_a_router_of_ones_own_serves(shards: Shards) -> None:
    links, keeper = await filled(shards), shards.keeper()
    await keeper.begin(source("    def shard_of(self, code):\n        return self.shards[len(code) % 2]"))
    await keeper.work()
    for n in range(300):
        assert await links.find(f"code-{n}") is not None
    assert await shards.count() == [210, 90, 0]
    assert links._routing.label == "mine"


async def test_a_shard_that_is_away_stops_nothing_but_itself(shards: Shards) -> None:
    databases = shards.databases | {"shard-2": sql.connect("sqlite+tcp://127.0.0.1:1", timeout=0.5)}
    broken = replace(shards, databases=databases)
    links = broken.server()
    with pytest.raises(Unavailable):
        await links.prepare()
    with pytest.raises(Unavailable, match="shard-2"):
        await links.ping()
    route = await links._routing.current()
    codes = [f"code-{n}" for n in range(20)]
    here = [code for code in codes if route.homes(code)[0] == "shard-1"]
    for code in here:
        assert await links.insert(replace(NEW, code=code))
    with pytest.raises(Unavailable):
        await links.find(next(code for code in codes if code not in here))
    await databases["shard-2"].close()


# --- the purge


class Clock(SystemClock):
    def __init__(self, now: float) -> None:
        self.time = now

    def now(self) -> float:
        return self.time


async def test_a_purged_link_is_expired_for_ever_and_its_code_is_not_given_again(shards: Shards) -> None:
    links = await filled(shards, 20)
    for n in range(10):
        await links.insert(replace(NEW, code=f"live-{n}", expires_at=2000.5 + 7 * DAY + n))
    await links.delete("live-9", token_hash="hash-a", owner=None, now=1500.0)
    purged: list[int] = []
    forgotten: list[str] = []

    async def forget(codes: Sequence[str]) -> None:
        if not forgotten:
            forgotten.append("")
            raise Unavailable("the store of the clicks is away")
        forgotten.extend(codes)

    purge = Purge(shards.databases, Clock(2000.5 + 7 * DAY + 5.0), count=purged.append, forget=forget)
    with pytest.raises(Unavailable):
        await purge.once()
    await purge.once()
    assert sum(purged) == 21
    assert {f"code-{n}" for n in range(20)} <= set(forgotten)
    found = await links.find("code-3")
    assert found is not None
    assert (found.long_url, Answer.of(found, 3000.0).state) == ("", "expired")
    assert await links.taken("code-3")
    assert not await links.insert(replace(NEW, code="code-3"))
    assert await links.delete("code-3", token_hash="hash-a", owner="ann", now=1.0) == "forbidden"
    assert len(await links.owned_by("ann", "", 50)) == 9
    live = await links.find("live-3")
    assert live is not None
    assert live.long_url == NEW.long_url
    await purge.once()
    assert sum(purged) == 21


async def test_clocks_may_differ(shards: Shards) -> None:
    links = await filled(shards, 1)
    with pytest.raises(ValueError, match="clocks"):
        Purge(shards.databases, Clock(0.0), purge_after=5.0)
    ahead = Purge(shards.databases, Clock(2000.5 + 5.0), purge_after=60.0)
    await ahead.once()  # the purger's clock says that it is over, by 5 s
    found = await links.find("code-0")
    assert found is not None
    assert found.long_url


async def test_the_purge_reads_its_index(services: Any, shards: Shards, shard: SqlLinkRepository) -> None:
    numbers = ", ".join(f"('e{n}', 'u', 1, {n}, 't', '', NULL, 0)" for n in range(3000))
    await shard.database.transaction([sql.statement(f"INSERT INTO links VALUES {numbers}")])
    inner = DUE.replace("$1", "10.0").replace("$2", "5")
    if services.shard_urls["shard-1"].startswith("sqlite"):
        plan = await shard.database.query(f"EXPLAIN QUERY PLAN {inner}")
    else:
        await shard.database.transaction([sql.statement("ANALYZE links")])
        plan = await shard.database.query(f"EXPLAIN {inner}")
    assert "links_ended" in str(plan)
    assert "links_owned" in str(await explained(services, shard))


async def explained(services: Any, shard: SqlLinkRepository) -> Any:
    query = "SELECT code FROM links WHERE owner = 'ann' AND owner <> '' AND code > 'a' ORDER BY code LIMIT 5"
    how = "EXPLAIN QUERY PLAN" if services.shard_urls["shard-1"].startswith("sqlite") else "EXPLAIN"
    return await shard.database.query(f"{how} {query}")
