"""The edge over HTTP: what it answers itself, what it passes on, and what it counts."""

import asyncio
import itertools
from collections.abc import AsyncIterator

import httpx
import pytest

from reference.platform.edge import Edge
from reference.platform.settings import LiveSettings

pytestmark = pytest.mark.anyio


class Origin:
    """What stands behind the edge. Answers with `status`, `headers` and a number that grows."""

    def __init__(self) -> None:
        self.heads: list[bytes] = []
        self.status = 302
        self.headers = "location: https://example.org/\r\ncache-control: max-age=60\r\n"
        self.numbers = itertools.count(1)
        self.gate = asyncio.Event()
        self.gate.set()
        self.tasks: set[asyncio.Task[None]] = set()
        self.writers: list[asyncio.StreamWriter] = []
        self.came = asyncio.Condition()

    async def start(self) -> int:
        self.server = await asyncio.start_server(self.serve, "127.0.0.1", 0)
        port: int = self.server.sockets[0].getsockname()[1]
        return port

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.tasks.add(task)
        self.writers.append(writer)
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                if head.startswith(b"GET /healthz"):
                    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
                    continue
                async with self.came:
                    self.heads.append(head)
                    self.came.notify_all()
                await self.gate.wait()
                if b"upgrade: echo" in head.lower():
                    writer.write(b"HTTP/1.1 101 X\r\nupgrade: echo\r\nconnection: upgrade\r\n\r\n")
                    while data := await reader.read(100):
                        writer.write(data.upper())
                    return
                text = f"answer {next(self.numbers)}"
                body = "" if head.startswith(b"HEAD") else text
                framing = f"content-length: {len(text)}\r\n"
                writer.write(f"HTTP/1.1 {self.status} X\r\n{self.headers}{framing}\r\n{body}".encode())
        except (OSError, EOFError):
            pass
        finally:
            writer.close()

    async def asked(self, times: int) -> None:
        """Returns once `times` requests have come."""
        async with asyncio.timeout(5), self.came:
            await self.came.wait_for(lambda: len(self.heads) >= times)

    async def stop(self) -> None:
        await asyncio.sleep(0.02)  # a health check that has just been accepted gets its handler
        self.gate.set()
        self.server.close()
        for writer in self.writers:
            writer.transport.abort()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        await self.server.wait_closed()


class World:
    now = 1000.0

    async def start(self) -> None:
        self.origin = Origin()
        url = f"http://127.0.0.1:{await self.origin.start()}"
        self.edge = Edge("127.0.0.1", 0, url, LiveSettings(), now=lambda: self.now, entries=100)
        self.port = (await self.edge.start())["port"]
        self.http = httpx.AsyncClient(base_url=f"http://127.0.0.1:{self.port}", timeout=5)

    async def stop(self) -> None:
        await self.http.aclose()
        await self.edge.stop()
        await self.origin.stop()

    async def cache_says(self, path: str = "/x", **headers: str) -> str:
        answer = await self.http.get(path, headers=headers)
        return answer.headers["x-cache"]


@pytest.fixture
async def world() -> AsyncIterator[World]:
    world = World()
    await world.start()
    yield world
    await world.stop()


async def test_the_second_answer_comes_from_memory_and_says_its_age(world: World) -> None:
    first = await world.http.get("/x")
    world.now += 7
    second = await world.http.get("/x", headers={"X-Request-Id": "mine"})
    assert (first.status_code, second.status_code) == (302, 302)
    assert (first.headers["x-cache"], second.headers["x-cache"]) == ("miss", "hit")
    assert first.text == second.text == "answer 1"
    assert second.headers["location"] == "https://example.org/"
    assert second.headers["age"] == "7"
    assert second.headers["x-request-id"] == "mine"
    assert second.headers["server-role"] == "edge"
    assert "age" not in first.headers
    assert len(world.origin.heads) == 1


async def test_what_is_stale_is_fetched_anew(world: World) -> None:
    await world.http.get("/x")
    world.now += 60
    answer = await world.http.get("/x")
    assert (answer.headers["x-cache"], answer.text) == ("miss", "answer 2")


async def test_other_urls_and_hosts_are_other_entries(world: World) -> None:
    await world.http.get("/x")
    assert await world.cache_says("/x?a=b") == "miss"
    assert await world.cache_says("/x", host="other") == "miss"
    assert await world.cache_says("/x", host="other") == "hit"


async def test_a_head_is_answered_from_a_get_and_leaves_none(world: World) -> None:
    assert (await world.http.head("/x")).headers["x-cache"] == "miss"
    assert (await world.http.get("/x")).text == "answer 2"
    found = await world.http.head("/x")
    assert (found.headers["x-cache"], found.headers["content-length"], found.text) == ("hit", "8", "")
    assert (await world.http.get("/x")).text == "answer 2", "the connection is still in step"


@pytest.mark.parametrize("status", [404, 500, 503])
async def test_what_is_no_success_is_not_kept(world: World, status: int) -> None:
    world.origin.status = status
    assert [await world.cache_says() for _ in range(3)] == ["miss"] * 3
    world.origin.status = 302
    assert await world.cache_says() == "miss"
    assert len(world.origin.heads) == 4


async def test_what_must_not_be_answered_from_memory_passes(world: World) -> None:
    await world.http.get("/x")
    assert await world.cache_says(authorization="Bearer x") == "bypass"
    assert await world.cache_says(**{"cache-control": "max-age=60"}) == "hit"
    assert await world.cache_says(**{"cache-control": "no-store"}) == "bypass"
    assert await world.cache_says() == "hit"
    assert await world.cache_says(**{"cache-control": "no-cache"}) == "miss"
    assert (await world.http.get("/x")).text == "answer 4", "the fresh one took the place of the old one"


async def test_a_change_of_a_url_drops_it(world: World) -> None:
    await world.http.get("/x")
    assert (await world.http.post("/x", content=b"abc")).headers["x-cache"] == "bypass"
    assert await world.cache_says() == "miss"


async def test_a_body_that_is_sent_passes_whole(world: World) -> None:
    await world.http.post("/x", content=b"a" * 10)
    assert b"content-length: 10" in world.origin.heads[0].lower()


async def test_many_that_miss_at_once_ask_once(world: World) -> None:
    world.origin.gate.clear()
    asking = [asyncio.create_task(world.http.get("/x")) for _ in range(20)]
    await world.origin.asked(1)
    await asyncio.sleep(0.05)
    world.origin.gate.set()
    answers = await asyncio.gather(*asking)
    assert {answer.text for answer in answers} == {"answer 1"}
    assert len(world.origin.heads) == 1
    assert world.edge.health()["redirects"] == {"miss": 1, "hit": 19}


async def test_many_that_ask_for_what_is_not_kept_are_not_held_up(world: World) -> None:
    world.origin.headers = "cache-control: no-store\r\n"
    await world.http.get("/x")
    world.origin.gate.clear()
    asking = [asyncio.create_task(world.http.get("/x")) for _ in range(5)]
    await world.origin.asked(6)  # all of them are there although none is answered
    world.origin.gate.set()
    assert {answer.status_code for answer in await asyncio.gather(*asking)} == {302}


async def test_edge_ttl_holds_for_redirects_whatever_they_say(world: World) -> None:
    world.origin.headers = "cache-control: no-store\r\n"
    assert [await world.cache_says() for _ in range(2)] == ["miss", "miss"]
    await world.edge.command("set", {"name": "edge_ttl", "value": 30})
    assert [await world.cache_says() for _ in range(2)] == ["miss", "hit"]
    world.now += 30
    assert await world.cache_says() == "miss"
    await world.edge.command("set", {"name": "edge_ttl", "value": 0})
    assert await world.cache_says() == "miss"
    with pytest.raises(ValueError, match=r"0\.0 to 3600"):
        await world.edge.command("set", {"name": "edge_ttl", "value": -1})


async def test_purge_empties_it_and_stops_what_is_on_its_way(world: World) -> None:
    await world.http.get("/x")
    world.origin.gate.clear()
    asking = asyncio.create_task(world.http.get("/y"))
    await world.origin.asked(2)
    assert await world.edge.command("purge", {}) == {"purged": 1}
    world.origin.gate.set()
    await asking
    assert [await world.cache_says(path) for path in ("/x", "/y")] == ["miss", "miss"]


async def test_an_upgrade_becomes_a_tunnel(world: World) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", world.port)
    writer.write(b"GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
    async with asyncio.timeout(5):
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101 ")
        writer.write(b"hello")
        assert await reader.readexactly(5) == b"HELLO"
    writer.close()
    await writer.wait_closed()


async def test_without_an_origin_memory_still_serves(world: World) -> None:
    await world.http.get("/x")
    await world.origin.stop()
    assert await world.cache_says("/x") == "hit"
    away = await world.http.get("/y")
    assert away.status_code == 503
    assert world.edge.health()["refused"] == {"503": 1}
    assert away.headers["server-role"] == "edge"


async def test_counts_add_up(world: World) -> None:
    for _ in range(3):
        await world.http.get("/x")
    world.origin.status = 404
    await world.http.get("/y")
    await world.http.get("/x", headers={"authorization": "a"})
    health = world.edge.health()
    assert health["answers"] == {"miss": 2, "hit": 2, "bypass": 1}
    assert health["redirects"] == {"miss": 1, "hit": 2}
    assert health["entries"] == 2
    with pytest.raises(ValueError, match="no command"):
        await world.edge.command("dance", {})
