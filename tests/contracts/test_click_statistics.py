"""What is shown of the clicks, and what age takes away: over each store, from the log's events to the numbers."""

import asyncio
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest

from reference.platform import sql
from reference.platform.metrics import Metrics
from reference.shortener import retention
from reference.shortener.click_aggregator import ClickAggregator
from reference.shortener.click_repository import SqlClickRepository
from reference.shortener.click_statistics import SHOWN, ClickStatistics
from reference.shortener.components import Click
from reference.shortener.retention import DAY, HOUR_DAYS, MINUTE_DAYS, RAW_DAYS, Retention

pytestmark = pytest.mark.anyio

NOON = 1_800_014_400.0  # 2027-01-15T12:00:00Z


@dataclass
class FakeClock:
    time: float = NOON + 1.5

    def now(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0)


@dataclass
class World:
    database: sql.Database
    clock: FakeClock
    repository: SqlClickRepository
    statistics: ClickStatistics
    retention: Retention
    offset: int = 0

    async def count(self, *clicks: Click) -> None:
        store = await self.repository.acquire(0, "consumer")
        assert store is not None
        self.offset += 1
        await ClickAggregator(store=store, clock=self.clock).count(clicks, f"{self.offset}-0")

    async def rows(self, sql_: str) -> list[Any]:
        return [next(iter(row.values())) for row in await self.database.query(sql_)]


@pytest.fixture
async def world(services: Any) -> AsyncIterator[World]:
    database, clock = sql.connect(services.store_url, timeout=5.0), FakeClock()
    repository = SqlClickRepository(database, clock)
    await repository.prepare()
    keeper = Retention(database, clock, Metrics())
    yield World(database, clock, repository, ClickStatistics(database, clock), keeper)
    await database.close()


async def test_a_link_without_clicks_has_zeros(world: World) -> None:
    found = await world.statistics.of("abc")
    assert found["total"] == 0
    assert (found["referrers"], found["agents"]) == ({}, {})
    assert found["minutes"][0] == ["2027-01-15T11:01:00Z", 0]
    assert found["minutes"][-1] == ["2027-01-15T12:00:00Z", 0]
    assert found["hours"][-1] == ["2027-01-15T12:00:00Z", 0]
    assert found["days"][0] == ["2026-12-16T00:00:00Z", 0]
    assert found["days"][-1] == ["2027-01-15T00:00:00Z", 0]
    assert {f"{width}s": count for width, count in SHOWN.items()} == {
        name: len(found[name]) for name in ("minutes", "hours", "days")
    }


async def test_a_late_click_is_shown_where_it_happened(world: World) -> None:
    await world.count(
        Click("1", "abc", NOON - 3600, "a.example", "Firefox"),
        Click("2", "abc", NOON - 3540 + 59.9, "a.example", "bot"),
        Click("3", "abc", NOON, "", "bot"),
        Click("4", "xyz", NOON, "b.example", "curl"),
    )
    found = await world.statistics.of("abc")
    assert found["total"] == 3
    assert [pair for pair in found["minutes"] if pair[1]] == [
        ["2027-01-15T11:01:00Z", 1],
        ["2027-01-15T12:00:00Z", 1],
    ]
    assert [pair for pair in found["hours"] if pair[1]] == [
        ["2027-01-15T11:00:00Z", 2],
        ["2027-01-15T12:00:00Z", 1],
    ]
    assert found["days"][-1][1] == 3
    assert found["referrers"] == {"a.example": 2, "": 1}
    assert found["agents"] == {"bot": 2, "Firefox": 1}


async def test_of_many_referrers_the_first_twenty_are_shown(world: World) -> None:
    clicks = [Click(f"{n}-{m}", "abc", NOON, f"{n:02}.example") for n in range(30) for m in range(n + 1)]
    await world.count(*clicks)
    found = await world.statistics.of("abc")
    assert list(found["referrers"].items()) == [(f"{n:02}.example", n + 1) for n in range(29, 9, -1)]


async def test_the_equation_of_clicks(world: World) -> None:
    """Of any clicks of the last hour: the minutes, the hours, the days, the referrers and the agents each sum up to the
    total, and that to the raw clicks."""
    chance = random.Random(5)
    for _ in range(4):
        ids = [chance.randrange(400) for _ in range(150)]
        await world.count(
            *(Click(f"id-{n}", "abc", NOON - n * 8, f"{n % 7}.example", ("bot", "curl")[n % 2]) for n in ids)
        )
    found = await world.statistics.of("abc")
    raw = (await world.rows("SELECT COUNT(*) FROM raw_clicks WHERE code = 'abc'"))[0]
    assert 100 < raw < 400
    sums = {name: sum(n for _, n in found[name]) for name in ("minutes", "hours", "days")}
    sums |= {name: sum(found[name].values()) for name in ("referrers", "agents")}
    assert sums == dict.fromkeys(sums, raw)
    assert found["total"] == raw


# --- retention


async def test_age_takes_raw_clicks_and_narrow_windows_and_no_total(world: World, monkeypatch: Any) -> None:
    monkeypatch.setattr(retention, "BATCH", 7)  # so that it takes several
    old = [Click(f"old-{n}", f"code-{n}", NOON, "a.example", "bot") for n in range(20)]
    await world.count(*old)

    async def widths() -> dict[str, int]:
        rows = await world.database.query("SELECT width, COUNT(*) AS n FROM click_counts GROUP BY width")
        return {row["width"]: row["n"] for row in rows}

    before = {"total": 60, "minute": 20, "hour": 20, "day": 60}
    await world.retention.turn()
    assert await widths() == before
    world.clock.time = NOON + MINUTE_DAYS * DAY + 1
    await world.retention.turn()
    assert await widths() == {"total": 60, "hour": 20, "day": 60}
    assert len(await world.rows("SELECT event_id FROM raw_clicks")) == 20
    world.clock.time = NOON + RAW_DAYS * DAY + 2
    await world.count(Click("new", "code-1", world.clock.time))
    await world.retention.turn()
    assert await world.rows("SELECT event_id FROM raw_clicks") == ["new"]
    world.clock.time = NOON + HOUR_DAYS * DAY + 1
    await world.retention.turn()
    assert await widths() == {"total": 60 + 2, "day": 60 + 3, "hour": 1}
    assert (await world.statistics.of("code-1"))["total"] == 2


async def test_a_window_goes_when_all_of_it_is_old_enough_and_not_before(world: World) -> None:
    await world.count(Click("1", "abc", NOON), Click("2", "abc", NOON + 60))
    world.clock.time = NOON + MINUTE_DAYS * DAY + 60
    await world.retention.turn()
    assert await world.rows("SELECT start FROM click_counts WHERE width = 'minute'") == [NOON + 60]


async def test_a_click_that_was_on_its_way_when_its_link_was_forgotten_goes_too(world: World) -> None:
    await world.repository.forget_codes(["abc"])
    await world.count(Click("1", "abc", NOON, "a.example"), Click("2", "xyz", NOON))
    assert (await world.statistics.of("abc"))["total"] == 1
    await world.retention.turn()
    assert (await world.statistics.of("abc"))["total"] == 0
    assert await world.rows("SELECT code FROM raw_clicks ORDER BY event_id") == ["", "xyz"]
    assert (await world.statistics.of("xyz"))["total"] == 1
    world.clock.time += 3 * DAY
    await world.retention.turn()
    assert await world.rows("SELECT code FROM forgotten_codes") == []


async def test_two_keepers_may_do_it_at_once(world: World, monkeypatch: Any) -> None:
    monkeypatch.setattr(retention, "BATCH", 10)
    await world.count(*(Click(f"{n}", "abc", NOON) for n in range(100)))
    world.clock.time += 100 * DAY
    await asyncio.gather(*(Retention(world.database, world.clock, Metrics()).turn() for _ in range(3)))
    assert await world.rows("SELECT event_id FROM raw_clicks") == []
