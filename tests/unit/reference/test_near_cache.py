"""The near cache holds nothing of which word may have come that it was deleted."""

import asyncio
import json
from typing import Any

import pytest
from redis.exceptions import RedisError

from reference.shortener.components import DELETION_BOUND, Link
from reference.shortener.near_cache import NearCache, link_of, live_entries, path_of, steady
from reference.shortener.redirect_cache import encode

pytestmark = pytest.mark.anyio


def link(code: str, expires_at: float = 2e9) -> Link:
    return Link(code, f"https://example.org/{code}", expires_at)


class World:
    """`reading`: codes that are being read; `go`: lets the read end."""

    def __init__(self, capacity: int = 100) -> None:
        self.near = NearCache(self.read, capacity)
        self.reading: list[list[str]] = []
        self.go = asyncio.Event()
        self.go.set()
        self.near.proven(steady())

    async def read(self, codes: list[str]) -> list[Link]:
        self.reading.append(codes)
        await self.go.wait()
        return [link(code) for code in codes]

    async def fill(self, *codes: str) -> None:
        for code in codes:
            self.near.want(path_of(code))
        await self.near.fill()

    @property
    def held(self) -> list[str]:
        return [hot.code for hot in self.near.entries.values()]


async def test_what_is_wanted_is_read_and_held() -> None:
    world = World()
    await world.fill("abc", "def", "abc")
    assert world.reading == [["abc", "def"]]
    assert world.held == ["abc", "def"]
    assert world.near.entries[b"/abc"].location == b"https://example.org/abc"


async def test_only_what_could_be_a_code_is_wanted() -> None:
    world = World()
    for path in (
        b"/",
        b"/a/b",
        b"/a?b",
        b"/a b",
        b"/\xc3\xa9",
        b"/" + b"a" * 33,
        b"http://x/abc",
        b"",
        b"/a\n",
    ):
        world.near.want(path)
    await world.fill()
    assert world.reading == [[]]


async def test_word_of_a_deletion_drops_the_entry() -> None:
    world = World()
    await world.fill("abc", "def")
    world.near.deleted("abc")
    world.near.deleted("not-held")
    assert world.held == ["def"]


async def test_word_that_comes_while_an_entry_is_read_keeps_it_out() -> None:
    world = World()
    world.go.clear()
    filling = asyncio.create_task(world.fill("abc", "def"))
    await asyncio.sleep(0)
    world.near.deleted("abc")
    world.go.set()
    await filling
    assert world.held == ["def"]
    await world.fill("abc")  # the next read began after the word: what it finds is of now
    assert world.held == ["def", "abc"]


@pytest.mark.parametrize("proven_again", [False, True])
async def test_lost_word_forgets_everything_also_what_is_being_read(proven_again: bool) -> None:
    world = World()
    await world.fill("abc")
    world.go.clear()
    filling = asyncio.create_task(world.fill("def"))
    await asyncio.sleep(0)
    world.near.lost()
    if proven_again:
        world.near.proven(steady())
    world.go.set()
    await filling
    assert world.held == []
    assert (world.near.fresh_until > 0) == proven_again


async def test_without_proof_nothing_is_wanted() -> None:
    world = World()
    world.near.lost()
    await world.fill("abc")
    assert world.reading == [[]]


async def test_a_proof_lasts_for_the_bound_from_when_it_was_asked_for() -> None:
    world = World()
    world.near.proven(100.0)
    assert world.near.fresh_until == 100.0 + DELETION_BOUND


async def test_what_is_not_used_goes_first() -> None:
    world = World(capacity=3)
    await world.fill("a", "b", "c")
    world.near.entries[b"/a"].used = True
    await world.fill("d")
    assert world.held == ["c", "a", "d"]
    for hot in world.near.entries.values():
        hot.used = True
    await world.fill("e")
    assert len(world.held) == 3
    assert "e" in world.held


async def test_reading_anew_takes_no_other_place() -> None:
    world = World(capacity=2)
    await world.fill("a", "b")
    await world.fill("a", "b")
    assert sorted(world.held) == ["a", "b"]


class FakeRedis:
    def __init__(self, values: dict[str, str | None] | Exception) -> None:
        self.values = values

    async def mget(self, keys: list[str]) -> list[str | None]:
        if isinstance(self.values, Exception):
            raise self.values
        return [self.values.get(key) for key in keys]


async def test_only_live_links_that_the_reference_wrote_are_taken() -> None:
    cache: Any = FakeRedis(
        {
            "redirect:live": json.dumps(["https://example.org/", 1000.5]),
            "redirect:ended": json.dumps(["https://example.org/", 1000.0]),
            "redirect:unknown": json.dumps(None),
            "redirect:ticket": "ticket:12ab",
            "redirect:other": "[1, 2]",
            "redirect:deep": "[" * 100_000,
            "redirect:split": json.dumps(["https://example.org/\r\nSet-Cookie: a", 2e9]),
            "redirect:surrogate": json.dumps(["https://example.org/\ud800", 2e9]),
            "redirect:nan": '["https://example.org/", NaN]',
        }
    )
    codes = ["live", "ended", "unknown", "ticket", "other", "deep", "split", "surrogate", "nan", "missing"]
    assert await live_entries(cache, codes, 1000.0) == [Link("live", "https://example.org/", 1000.5)]


async def test_a_cache_that_is_away_gives_none() -> None:
    for error in (RedisError("away"), UnicodeDecodeError("utf-8", b"\xff", 0, 1, "")):
        assert await live_entries(FakeRedis(error), ["abc"], 0.0) == []  # type: ignore[arg-type]


@pytest.mark.parametrize("link", [Link("abc", "https://example.org/ü", 1750000000.5), None])
def test_it_reads_what_the_redirect_cache_writes(link: Link | None) -> None:
    assert link_of("abc", encode(link)) == link
