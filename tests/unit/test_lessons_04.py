"""What notebook 04 shows, and the modules that it shows it with."""

import asyncio
import json
import math
import time
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from fastapi import HTTPException, Request
from fastapi.responses import RedirectResponse
from workbench.lessons import link_table, names
from workbench.lessons.addresses import ALL_IPV4, Search, alone, crowd, digest_of, search
from workbench.lessons.audit_chain import AuditChain
from workbench.lessons.browser_cache import Bare, Browser, bare, lifetime
from workbench.lessons.handler_bench import clicks, storm
from workbench.lessons.handler_services import Broker, Cache, Links
from workbench.lessons.handler_trials import trials
from workbench.lessons.link_table import AS_PUBLISHED, PUBLISHED_INDEX, attempt, shard

URL = "https://example.com/"


class TestTable:
    def test_serial_ids_of_two_shards_are_the_same(self) -> None:
        with closing(shard(AS_PUBLISHED)) as one, closing(shard(AS_PUBLISHED)) as two:
            ids = []
            for database in (one, two):
                assert attempt(database, code="aB3xK9p", long_url=URL) == "taken"
                ids.append(database.execute("SELECT id FROM links").fetchone())
        assert ids == [(1,), (1,)]

    def test_what_it_refuses_and_what_it_takes(self) -> None:
        with closing(shard(AS_PUBLISHED, PUBLISHED_INDEX)) as database:
            assert attempt(database, code="aB3xK9p", long_url=URL) == "taken"
            assert attempt(database, code="aB3xK9p", long_url=URL).startswith("refused (UNIQUE")
            assert attempt(database, code="spring-sale", long_url=URL).startswith("refused (CHECK")
            assert attempt(database, code="large", long_url=URL + "x" * 1_000_000) == "taken"
            (end,) = database.execute("SELECT expires_at FROM links WHERE code = 'aB3xK9p'").fetchone()
        assert end is None

    def test_a_click_in_the_row_costs_a_row_version_and_a_page(self) -> None:
        in_row, by_minute = link_table.counted_in_the_row(60), link_table.counted_by_minute(60, minutes=2)
        assert (in_row.row_versions, by_minute.row_versions) == (60, 2)
        assert in_row.log_bytes == pytest.approx(60 * (4096 + 24) + 32, abs=200)
        assert in_row.log_bytes == pytest.approx(30 * by_minute.log_bytes, rel=0.05)

    def test_a_condition_that_always_holds_saves_nothing(self) -> None:
        with closing(link_table.links_over_the_years(2_000, purged=0.75)) as database:
            whole = link_table.index_kilobytes(database)
            published = link_table.index_kilobytes(database, "WHERE expires_at IS NOT NULL")
            work_left = link_table.index_kilobytes(database, "WHERE token_hash <> ''")
        assert published == whole
        assert 0 < work_left < whole / 2

    def test_the_purge_scans_without_an_index(self) -> None:
        with closing(link_table.links_over_the_years(100, purged=0.5)) as database:
            assert "SCAN" in link_table.plan(database, link_table.DUE, 1.0)
            database.execute(PUBLISHED_INDEX)
            assert "links_end" in link_table.plan(database, link_table.DUE, 1.0)

    def test_the_table_of_the_reference_is_one_that_sqlite_takes(self) -> None:
        with closing(shard(link_table.REFERENCE)) as database:
            assert "code" in [row[1] for row in database.execute("PRAGMA table_info(links)")]


class TestNames:
    @pytest.mark.parametrize(
        ("source", "missing"),
        [
            ("import json\njson.dumps(1)\n", []),
            ("def f(code):\n    return db.find(code)\n", ["db"]),
            ("class A:\n    def f(self):\n        return request.headers, len(self.x)\n", ["request"]),
            ("def f():\n    return g()\ndef g():\n    return [y for y in range(3)]\n", []),
            ("def f():\n    global kept\n    kept = 1\ndef g():\n    return kept\n", []),
            ("print(later)\nlater = 1\n", []),
            ("async def f(x: Missing) -> None:\n    await x\n", ["Missing"]),
            ("def outer():\n    inner = 1\n    def f():\n        return inner\n    return f\n", []),
        ],
    )
    def test_finds_what_nobody_defines(self, source: str, missing: list[str]) -> None:
        assert names.undefined_names(source) == missing

    def test_what_is_no_python_is_said_so(self) -> None:
        with pytest.raises(SyntaxError):
            names.undefined_names("def f(:\n")

    def test_finds_the_text_of_a_class(self) -> None:
        assert "class TestNames" in names.cell_of(TestNames)


def answering(status: int, cache_control: str | None = None, **more: str) -> tuple[list[str], Any]:
    """A server that redirects in this way, and the list of what it was asked for."""
    asked: list[str] = []
    headers = {"location": URL, **more} | ({"cache-control": cache_control} if cache_control else {})

    def fetch(url: str) -> Bare:
        asked.append(url)
        return Bare(status, headers)

    return asked, fetch


class TestBrowser:
    @pytest.mark.parametrize(
        ("status", "cache_control", "requests"),
        [
            (301, None, 1),
            (308, None, 1),
            (302, None, 5),
            (307, None, 5),
            (302, "max-age=3600", 1),
            (302, "max-age=15", 3),
            (302, "Public, Max-Age=15", 3),
            (301, "max-age=15", 3),
            (301, "no-store", 5),
            (301, "no-cache", 5),
            (301, "max-age=0", 5),
            (302, "private, max-age=3600", 1),
            (302, "s-maxage=3600", 5),
            (302, "max-age=nonsense", 5),
            (404, None, 5),
        ],
    )
    def test_five_clicks_ten_seconds_apart(
        self, status: int, cache_control: str | None, requests: int
    ) -> None:
        asked, fetch = answering(status, cache_control)
        browser = Browser(fetch)
        for _ in range(5):
            visit = browser.click("https://sho.rt/a")
            assert (visit.status, visit.location) == (status, URL)
            browser.wait(10)
        assert browser.asked == len(asked) == requests

    def test_the_age_that_an_answer_has_already_counts(self) -> None:
        assert lifetime(302, {"cache-control": "max-age=60", "age": "50"}) == 10
        assert lifetime(302, {"cache-control": "max-age=60", "age": "90"}) == 0
        assert lifetime(301, {}) == math.inf

    def test_each_link_is_known_by_itself_and_each_browser_alone(self) -> None:
        asked, fetch = answering(301)
        for browser in (Browser(fetch), Browser(fetch)):
            for code in "aab":
                browser.click(f"https://sho.rt/{code}")
        assert len(asked) == 4

    def test_the_header_is_taken_off_an_httpx_answer(self) -> None:
        answer = httpx.Response(302, headers={"Cache-Control": "no-store", "Location": URL})
        stripped = bare(lambda url: answer)("https://sho.rt/a")
        assert (stripped.status_code, dict(stripped.headers)) == (302, {"location": URL})


class TestAddresses:
    def test_a_hashed_address_is_found(self) -> None:
        found = search(digest_of("203.0.113.77"), 203, 0)
        assert (found.found, found.tried) == ("203.0.113.77", 65_536)

    def test_and_not_where_it_is_not(self) -> None:
        assert search(digest_of("198.51.100.7"), 203, 0).found == ""

    def test_the_time_for_all_of_them(self) -> None:
        assert Search("", 65_536, 0.06).minutes_for_all == pytest.approx(ALL_IPV4 / 65_536 * 0.06 / 60)

    def test_who_is_alone(self) -> None:
        assert alone(["a", "b", "b", "c"]) == 0.5
        assert alone([]) == 0

    def test_each_further_column_makes_more_people_alone(self) -> None:
        people = list(crowd(1_000, networks=100))
        assert people == list(crowd(1_000, networks=100))
        by_network = alone(each.network for each in people)
        by_two = alone((each.network, each.agent) for each in people)
        assert by_network < by_two < alone(people)


class TestAuditChain:
    def chain(self) -> AuditChain:
        chain = AuditChain()
        for number in range(4):
            chain.append(action="delete-link", subject=f"code-{number}", at=float(number))
        return chain

    def test_it_holds(self) -> None:
        assert self.chain().first_broken() is None
        assert AuditChain().first_broken() is None

    def test_a_changed_record_breaks_it_there(self) -> None:
        chain = self.chain()
        chain.entries[2].record["at"] = 7.0
        assert chain.first_broken() == 2

    def test_a_missing_record_breaks_it(self) -> None:
        chain = self.chain()
        del chain.entries[1]
        assert chain.first_broken() == 1

    def test_only_the_head_tells_a_chain_that_was_made_anew(self) -> None:
        chain = self.chain()
        head = chain.head
        chain.entries[0].record["subject"] = "another"
        again = chain.made_anew()
        assert again.first_broken() is None
        assert again.head != head


class Wrong:
    """All five mistakes."""

    def __init__(self, cache: Cache, links: Links, broker: Broker) -> None:
        self.cache, self.links, self.broker = cache, links, broker

    async def follow(self, code: str) -> RedirectResponse:
        link = await self.links.find(code)
        assert link is not None
        if link.expires_at is not None and link.expires_at < datetime(2020, 1, 1):
            raise HTTPException(410)
        await self.broker.send({"agent": request.headers})  # type: ignore[name-defined]  # noqa: F821
        return RedirectResponse(link.long_url, 302)


class Blocking:
    """Three of them: the blocking client, the broker on the way, and the bare URL in the cache."""

    def __init__(self, cache: Cache, links: Links, broker: Broker) -> None:
        self.cache, self.links, self.broker = cache, links, broker

    async def follow(self, code: str, request: Request) -> RedirectResponse:
        url = self.cache.get(code)
        if url is None:
            link = await self.links.find(code)
            if link is None:
                raise HTTPException(404)
            url = link.long_url
            self.cache.setex(code, 86_400, url)
        await self.broker.send({"agent": request.headers.get("user-agent")})
        return RedirectResponse(url, 302)


class Right:
    def __init__(self, cache: Cache, links: Links, broker: Broker) -> None:
        self.cache, self.links, self.broker = cache.aio, links, broker
        self.tasks: set[asyncio.Task[None]] = set()

    async def follow(self, code: str, request: Request) -> RedirectResponse:
        kept = await self.cache.get(code)
        if kept is None:
            link = await self.links.find(code)
            if link is None:
                raise HTTPException(404)
            end = link.expires_at.timestamp() if link.expires_at is not None else None
            kept = json.dumps([link.long_url, end])
            await self.cache.setex(code, 60, kept)
        url, end = json.loads(kept)
        if end is not None and end <= time.time():
            raise HTTPException(410)
        self.tasks.add(asyncio.create_task(self.tell({"agent": request.headers.get("user-agent")})))
        return RedirectResponse(url, 302)

    async def tell(self, event: dict[str, Any]) -> None:
        try:
            await self.broker.send(event)
        except ConnectionError:
            pass


class TestHandlerTrials:
    @pytest.mark.anyio
    async def test_each_mistake_is_found(self) -> None:
        found = await trials(Wrong)
        assert [trial.kept for trial in found.trials] == [False] * 5
        assert "TypeError: can't compare offset-naive and offset-aware datetimes" in str(found)
        assert "NameError: name 'request' is not defined" in str(found)

    @pytest.mark.anyio
    async def test_what_runs_is_not_yet_right(self) -> None:
        found = await trials(Blocking)
        assert [trial.kept for trial in found.trials] == [True, True, False, False, False]
        assert "it waits for 10 of them" in str(found)
        assert "no answer: it waits for the broker" in str(found)

    @pytest.mark.anyio
    async def test_a_right_one_keeps_all(self) -> None:
        found = await trials(Right)
        assert found.kept == 5, found

    @pytest.mark.anyio
    async def test_a_blocking_call_in_a_thread_stops_nobody(self) -> None:
        class Threaded(Blocking):
            async def follow(self, code: str, request: Request) -> RedirectResponse:
                await asyncio.to_thread(self.cache.get, code)
                return RedirectResponse(URL, 302)

        assert (await storm(Threaded, count=3)).behind == 0

    @pytest.mark.anyio
    async def test_an_unknown_code(self) -> None:
        [click] = await clicks(Right, "nobody")
        assert click.status == 404

    def test_a_table_knows_its_time_zone(self) -> None:
        row = asyncio.run(Links().find("page"))
        assert row is not None
        assert row.expires_at is not None
        assert row.expires_at > datetime.now(UTC)
