"""A re-shard under clients, with all that can go wrong: nothing granted is lost, nothing deleted returns."""

import asyncio
import random
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import pytest

from reference.platform.errors import Definite, PortError
from reference.shortener import moves
from reference.shortener.links import NewLink
from reference.shortener.live_routing import LiveRouting
from reference.shortener.purge import Purge
from reference.shortener.repository import SqlLinkRepository
from reference.shortener.resharding import Reshard
from reference.shortener.routers import RouterFactory
from reference.shortener.routing import Placement, RoutingTable
from reference.shortener.sharded_links import ShardedLinks
from reference.shortener.stored_links import COLUMNS, StaleRouting, StoredLink
from tests.unit.reference.interleaving import ChancyDatabase, Turns

pytestmark = pytest.mark.anyio

CODES = [f"code{n}" for n in range(10)]
FIRST = Placement({"filling": "reference"}, ("shard-1", "shard-2", "shard-3"))
PLANS: list[dict[str, Any]] = [
    {"shards": 4},
    {"shards": 2},
    {"router": {"filling": "plain"}},
    {"shards": ["shard-4", "shard-1"], "router": {"filling": "reference"}},
]


@dataclass
class Code:
    """What the clients know of one code. Times in turns."""

    tried: dict[str, NewLink] = field(default_factory=dict)
    """By URL: every link that may have got the code."""
    granted: dict[str, int] = field(default_factory=dict)
    """URL to the time of the acknowledgement."""
    deleting: int | None = None
    """When the first deletion began."""
    deletions: int = 0
    deleted: int | None = None
    """When the first one was acknowledged."""


class World:
    def __init__(self, seed: int) -> None:
        trouble = 0.1 if seed % 2 else 0.03  # of each call
        self.turns = Turns(seed)
        self.random = random.Random(seed + 1)
        self.databases = {f"shard-{n}": ChancyDatabase(self.turns, trouble) for n in range(1, 5)}
        self.store = ChancyDatabase(self.turns, trouble)
        self.codes = {code: Code() for code in CODES}
        self.wrong: list[str] = []
        self.kills = 0

    def server(self) -> ShardedLinks:
        return ShardedLinks(self.databases, LiveRouting(RoutingTable(self.store), FIRST, RouterFactory()))

    def keeper(self) -> Reshard:
        return Reshard(self.databases, RoutingTable(self.store), FIRST, RouterFactory(), self.turns)

    # --- clients

    async def client(self, number: int, calls: int) -> None:
        links = self.server()
        await persist(links.prepare)
        for call in range(calls):
            code = self.random.choice(CODES)
            what = self.random.choice(
                [self.insert, self.insert, self.find, self.find, self.page, self.delete]
            )
            with suppress(PortError):
                await what(links, code, f"https://example.org/{number}/{call}")

    async def insert(self, links: ShardedLinks, code: str, url: str) -> None:
        link = NewLink(code, url, 1.0, 1e9, f"token of {url}", "ann")
        known = self.codes[code]
        known.tried[url] = link
        granted = None
        for _ in range(4):
            try:
                granted = await links.insert(link)
                break
            except Definite:
                if granted is None and self.turns.random.random() < 0.5:
                    continue
                raise
            except PortError:
                continue  # nobody knows: the very same link again
        if granted:
            known.granted[url] = self.turns.time
            if len(known.granted) > 1:
                self.wrong.append(f"{code} was given twice: {sorted(known.granted)}")
        elif granted is False and len(known.tried) == 1:
            self.wrong.append(f"{code} was refused to the only one who ever asked for it")

    async def find(self, links: ShardedLinks, code: str, url: str) -> None:
        began = self.turns.time
        link = await links.find(code)
        self.saw(code, began, link.long_url if link else None, "find")
        if self.codes[code].granted and not await links.taken(code):
            self.wrong.append(f"{code} was given, and is free")

    async def page(self, links: ShardedLinks, code: str, url: str) -> None:
        began = self.turns.time
        found = {record.code: record.long_url for record in await links.owned_by("ann", "", 3)}
        for each in sorted(found) if len(found) == 3 else CODES:
            self.saw(each, began, found.get(each), "owned_by")

    def saw(self, code: str, began: int, url: str | None, how: str) -> None:
        known = self.codes[code]
        if url is None:
            must = [each for each, since in known.granted.items() if since < began]
            if must and known.deleting is None:
                self.wrong.append(f"{how}: {code} is lost, which was given at {known.granted} (now {began})")
        elif url not in known.tried:
            self.wrong.append(f"{how}: {code} leads to {url!r}, which nobody asked for")
        elif known.deleted is not None and known.deleted < began:
            self.wrong.append(f"{how}: {code} is back after its deletion")
        elif known.granted and url not in known.granted:
            self.wrong.append(f"{how}: {code} leads to {url}, but was given to {sorted(known.granted)}")

    async def delete(self, links: ShardedLinks, code: str, url: str) -> None:
        known = self.codes[code]
        if not known.granted or self.random.random() < 0.5:
            return
        began = self.turns.time
        known.deleting = known.deleting or began
        known.deletions += 1
        token = f"token of {next(iter(known.granted))}"
        outcome = await links.delete(code, token_hash=token, owner=None, now=self.turns.now())
        if outcome == "unknown" and known.deletions > 1:
            return  # somebody else was quicker, and it has been purged since
        if outcome != "deleted":
            self.wrong.append(f"{code}: its own token got {outcome!r}")
        elif known.deleted is None:
            known.deleted = self.turns.time

    # --- keepers

    async def mover(self) -> None:
        keeper = self.keeper()
        while True:
            with suppress(PortError):
                await keeper.run()
            await self.turns.turn()

    async def purger(self) -> None:
        purge = Purge(self.databases, self.turns, purge_after=60.0)
        while True:
            with suppress(PortError):
                await purge.once()
            for _ in range(20):
                await self.turns.turn()

    async def operator(self) -> None:
        """Orders one re-shard after the other."""
        keeper = self.keeper()
        await persist(lambda: keeper._table.prepare(FIRST))
        for plan in self.random.sample(PLANS, 3):
            while (await persist(lambda: keeper.progress({})))["phase"] != "stable":
                await self.turns.turn()
            with suppress(PortError, ValueError):  # the latter: an order that came late has begun meanwhile
                await keeper.begin(plan)
        while (await persist(lambda: keeper.progress({})))["phase"] != "stable":
            await self.turns.turn()

    # --- a run

    async def run(self, clients: int = 4, calls: int = 25) -> list[str]:
        work = [asyncio.create_task(self.client(number, calls)) for number in range(clients)]
        work.append(asyncio.create_task(self.operator()))
        movers = [asyncio.create_task(self.mover()) for _ in range(2)]
        purger = asyncio.create_task(self.purger())
        while not all(task.done() for task in work):
            await self.turns.give()
            if self.turns.random.random() < 0.01:  # kill -9, and another one begins
                number = self.turns.random.randrange(2)
                movers[number].cancel()
                movers[number] = asyncio.create_task(self.mover())
                self.kills += 1
            assert self.turns.time < 100_000, "it does not come to an end"
        for task in work:
            task.result()
        for database in (*self.databases.values(), self.store):
            database.trouble = 0.0
        # An order that was thought to have failed may still be carried out, and then the keepers go on.
        while not self.is_quiet():
            await self.turns.give()
        await self.end([*movers, purger])
        await self.afterwards()
        return self.wrong

    def is_quiet(self) -> bool:
        late = [task for database in (*self.databases.values(), self.store) for task in database.late]
        [row] = self.store.rows("SELECT phase FROM routing")
        return all(task.done() for task in late) and row["phase"] == "stable"

    async def end(self, tasks: list[asyncio.Task[None]]) -> None:
        for task in tasks:
            task.cancel()
        while not all(task.done() for task in tasks):
            await self.turns.give()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def afterwards(self) -> None:
        """Everything is quiet: what is there now?"""
        links = self.server()
        route = await self.alone(links._routing.current())
        for code, known in self.codes.items():
            self.saw(code, self.turns.time, url_of(await self.alone(links.find(code))), "at the end, find")
            places = [
                name
                for name, db in self.databases.items()
                if db.rows(f"SELECT 1 FROM links WHERE code = '{code}'")
            ]
            if known.granted and places != [route.after.shard_of(code)]:
                self.wrong.append(f"{code} lies on {places}")
        stubs = {
            name: db.rows("SELECT code FROM links WHERE moved = 1") for name, db in self.databases.items()
        }
        if any(stubs.values()):
            self.wrong.append(f"stubs are left: {stubs}")

    async def alone(self, call: Any) -> Any:
        task = asyncio.ensure_future(call)
        while not task.done():
            await self.turns.give()
        return task.result()


def url_of(link: Any) -> str | None:
    return link.long_url if link else None


async def persist(call: Callable[[], Any]) -> Any:
    while True:
        try:
            return await call()
        except PortError:
            continue


@pytest.mark.parametrize("seed", range(30))
async def test_nothing_is_lost_whatever_comes_between(seed: int) -> None:
    assert await World(seed).run() == []


async def test_the_runs_are_as_troubled_as_they_should_be() -> None:
    """The test above would be worth nothing if the troubles missed the work."""
    world = World(2)
    await world.run()
    assert world.kills > 3
    assert sum(bool(code.granted) for code in world.codes.values()) > 5
    assert sum(code.deleted is not None for code in world.codes.values()) > 2


async def test_the_same_seed_is_the_same_run() -> None:
    one, two = World(7), World(7)
    await one.run()
    await two.run()
    assert one.turns.time == two.turns.time
    assert one.codes == two.codes


def once_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows that changed under the mover's hands are left behind."""
    leave_stubs = moves.ShardMoves.leave_stubs

    async def careless(self: Any, *args: Any) -> set[str]:
        await leave_stubs(self, *args)
        return set()

    monkeypatch.setattr(moves.ShardMoves, "leave_stubs", careless)


def unfenced_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who is behind reads all the same."""

    async def query(self: Any, join: str, *values: Any, epoch: int) -> list[StoredLink]:
        rows = await self.database.query(f"SELECT {COLUMNS} FROM shard_epoch {join}", *values)
        return [StoredLink(**row) for row in rows if row["code"] is not None]

    monkeypatch.setattr(SqlLinkRepository, "_query", query)


def unfenced_writes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who is behind writes all the same."""
    begin = SqlLinkRepository.__init__

    def init(self: Any, database: Any) -> None:
        begin(self, database)
        self._epoch = "1 = 1 OR 0"

    monkeypatch.setattr(SqlLinkRepository, "__init__", init)


def stubs_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    async def none(*args: Any) -> int:
        return 0

    monkeypatch.setattr(moves.ShardMoves, "remove_stubs", none)


SABOTAGES = [
    once_only,
    unfenced_reads,
    unfenced_writes,
    stubs_stay,
]


@pytest.mark.parametrize("sabotage", SABOTAGES)
async def test_a_protocol_without_one_of_its_rules_is_found_out(
    sabotage: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    sabotage(monkeypatch)
    for seed in range(50):
        try:
            if await World(seed).run():
                return
        except (StaleRouting, AssertionError, PortError):
            return
    pytest.fail("no run has noticed")
