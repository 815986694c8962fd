"""The URL shortener put together by `build`, in one event loop, over the services of each profile."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from redis.asyncio import Redis

from reference.build import SLOTS, build, runnable
from reference.platform.process import Runnable

pytestmark = pytest.mark.anyio

SLOT = "url-shortener/redirect-cache"


class System:
    """Two app servers, the consumer, and the balancer before them."""

    def __init__(self, services: Any) -> None:
        self.services = services
        self.processes: dict[str, Runnable] = {}
        self.ports: dict[str, int] = {}
        self.events: list[dict[str, Any]] = []

    async def start(self) -> None:
        topology = build("url-shortener", self.services.settings(servers=2))
        for name in ("app-1", "app-2", "consumer"):
            self.processes[name] = topology.runnable(name, events=self.events.append)
            self.ports[name] = (await self.processes[name].start())["port"]
        servers = {name: self.ports[name] for name in ("app-1", "app-2")}
        settings = self.services.settings(backends=servers)
        self.processes["balancer"] = topology.runnable("balancer", settings)
        self.ports["balancer"] = (await self.processes["balancer"].start())["port"]
        self.http = httpx.AsyncClient(base_url=f"http://127.0.0.1:{self.ports['balancer']}")
        async with asyncio.timeout(10):
            while not await self.prepared():  # noqa: ASYNC110
                await asyncio.sleep(0.02)

    async def prepared(self) -> bool:
        """Whether each server can use every service."""
        answers = [await self.at(name, "/readyz") for name in ("app-1", "app-2")]
        if {answer.status_code for answer in answers} != {200}:
            return False
        return {state for answer in answers for state in answer.json()["services"].values()} == {"ok"}

    async def stop(self) -> None:
        await self.http.aclose()
        for name in ("balancer", "app-1", "app-2", "consumer"):
            await self.processes[name].stop()
            await self.processes[name].stop()

    async def at(self, role: str, path: str) -> httpx.Response:
        return await self.http.get(f"http://127.0.0.1:{self.ports[role]}{path}")

    async def metric(self, role: str, start: str) -> float:
        """The sum of the samples whose line begins with `start`."""
        lines = (await self.at(role, "/metrics")).text.splitlines()
        return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(start))

    async def shorten(self, long_url: str = "https://example.org/") -> Any:
        answer = await self.http.post("/api/v1/shorten", json={"long_url": long_url})
        assert answer.status_code == 201, answer.text
        return answer.json()

    async def clicks(self, code: str, wanted: int) -> None:
        async with asyncio.timeout(10):
            while await self.counted(code) < wanted:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
            await asyncio.sleep(0.1)
            assert await self.counted(code) == wanted

    async def counted(self, code: str) -> int:
        """As the stats say; they say 503 while the machine stands still for longer than the store is waited for."""
        while (answer := await self.http.get(f"/api/v1/stats/{code}")).status_code == 503:  # noqa: ASYNC110
            await asyncio.sleep(0.1)
        return int(answer.json()["clicks"])


@pytest.fixture
async def system(services: Any) -> AsyncIterator[System]:
    system = System(services)
    await system.start()
    yield system
    await system.stop()


async def test_a_link_is_shortened_followed_counted_and_deleted(system: System) -> None:
    made = await system.shorten("https://example.org/ä?b=日")
    path = f"/{made['code']}"
    answers = [await system.http.get(path) for _ in range(10)]
    assert {dict(answer.headers.raw)[b"location"] for answer in answers} == {
        "https://example.org/ä?b=日".encode()
    }
    assert {answer.headers["server-role"] for answer in answers} == {"app-1", "app-2"}
    await system.clicks(made["code"], 10)
    assert await system.metric("consumer", "clicks_counted_total") == 10
    token = {"Authorization": f"Bearer {made['delete_token']}"}
    assert (await system.http.delete(f"/api/v1/links/{made['code']}", headers=token)).status_code == 204
    assert {(await system.http.get(path)).status_code for _ in range(4)} == {404}


async def test_the_reference_asks_the_store_once_and_the_plain_one_each_time(system: System) -> None:
    made = await system.shorten()
    finds = 'store_operations_total{operation="find"'

    async def followed(times: int) -> float:
        before = await system.metric("app-1", finds)
        for _ in range(times):
            assert (await system.at("app-1", f"/{made['code']}")).status_code == 302
        return await system.metric("app-1", finds) - before

    assert await followed(10) == 1
    app = system.processes["app-1"]
    assert set(app.health()["components"].values()) == {"reference"}
    await app.command("swap", {"slot": SLOT, "filling": "plain"})
    assert app.health()["components"][SLOT] == "plain"
    assert await followed(10) == 10
    await app.command("unswap", {"slot": SLOT})
    assert await followed(10) == 0


SOURCE = """
from reference.shortener.components import Answer

class RedirectCache:
    def __init__(self, *, cache, links, clock, random, ttl):
        self.ttl = ttl

    async def resolve(self, code):
        if code == "exit":
            raise SystemExit
        if code == "odd":
            return None
        return Answer("live", f"https://example.org/{self.ttl}")

    async def invalidate(self, code):
        pass
"""


async def test_a_learners_component_serves_under_its_label(system: System) -> None:
    app = system.processes["app-2"]
    await app.command("swap", {"slot": SLOT, "source": SOURCE, "label": "mine"})
    assert app.health()["components"][SLOT] == "mine"
    assert (await system.at("app-2", "/x")).headers["location"] == "https://example.org/3600.0"
    assert (await system.at("app-1", "/x")).status_code == 404
    assert (await app.command("set", {"name": "cache_ttl", "value": 7}))["cache_ttl"] == 7
    assert (await system.at("app-2", "/x")).headers["location"] == "https://example.org/7.0"
    assert (await app.command("settings", {}))["cache_ttl"] == 7


async def test_a_component_that_exits_or_answers_nonsense_is_named_and_the_server_lives(
    system: System,
) -> None:
    await system.processes["app-2"].command("swap", {"slot": SLOT, "source": SOURCE, "label": "mine"})
    assert (await system.at("app-2", "/exit")).json()["error"] == "SystemExit"
    assert system.events == [{"kind": "exited", "component": SLOT, "line": 10, "what": "raised SystemExit"}]
    assert (await system.at("app-2", "/odd")).json()["error"] == "WrongAnswer"
    assert (await system.at("app-2", "/x")).status_code == 302
    assert await system.metric("app-2", "component_errors_total") == 2


async def test_commands_that_cannot_be_done(system: System) -> None:
    app = system.processes["app-1"]
    for name, args, message in (
        ("dance", {}, "no command"),
        ("swap", {"slot": "chat/inbox", "filling": "plain"}, "no slot"),
        ("swap", {"slot": SLOT, "filling": "gold"}, "no filling"),
        ("swap", {"slot": SLOT, "source": "x = "}, r"line 1.*SyntaxError"),
        ("set", {"name": "cache_ttl", "value": 0}, r"1\.0 to 604800\.0"),
        ("set", {"name": "colour", "value": 0}, "no live setting"),
    ):
        with pytest.raises(ValueError, match=message):
            await app.command(name, args)
    assert set(app.health()["components"].values()) == {"reference"}


async def test_flushing_the_cache_costs_nothing_but_the_store(system: System) -> None:
    made = await system.shorten()
    await system.http.get(f"/{made['code']}")
    async with Redis.from_url(system.services.cache_url, protocol=2) as redis:
        await redis.flushall()
    assert (await system.http.get(f"/{made['code']}")).status_code == 302
    await system.clicks(made["code"], 2)


async def test_no_cache_no_log_and_then_no_shard(services: Any) -> None:
    """Without the cache a redirect is slower, without the log it is counted later, without the shards it is 503."""
    away = "redis://127.0.0.1:9/0"  # the discard port: nothing listens
    told = {"cache_url": away, "log_url": away}
    app = runnable("app", services.settings(**told))
    port = (await app.start())["port"]
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as http:
        async with asyncio.timeout(10):
            while (  # noqa: ASYNC110
                await http.post("/api/v1/shorten", json={"long_url": "https://example.org/"})
            ).status_code != 201:
                await asyncio.sleep(0.05)
        made = (await http.post("/api/v1/shorten", json={"long_url": "https://example.org/"})).json()
        assert (await http.get(f"/{made['code']}")).status_code == 302
        states = (await http.get("/readyz")).json()["services"]
        assert states["store"] == "ok"
        assert states["cache"].startswith("away: ")
        assert states["log"].startswith("away: ")
        token = {"Authorization": f"Bearer {made['delete_token']}"}
        assert (await http.delete(f"/api/v1/links/{made['code']}", headers=token)).status_code == 503
        assert app.health()["click_buffer_events"] == 1
    await app.stop()
    app = runnable(
        "app",
        services.settings(**told, shard_urls=dict.fromkeys(services.shard_urls, "sqlite+tcp://127.0.0.1:9")),
    )
    port = (await app.start())["port"]
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as http:
        for path in ("/abcdefg", "/readyz"):
            answer = await http.get(path)
            assert answer.status_code == 503
            assert answer.headers["content-type"] == "application/problem+json"
        assert (await http.get("/healthz")).status_code == 200
    await app.stop()


async def test_components_may_be_replaced_from_the_start(services: Any) -> None:
    namespace: dict[str, Any] = {}
    exec(SOURCE, namespace)
    topology = build("url-shortener", services.settings(), {SLOT: namespace["RedirectCache"]})
    app = topology.runnable("app-1")
    port = (await app.start())["port"]
    async with httpx.AsyncClient() as http:
        answer = await http.get(f"http://127.0.0.1:{port}/x")
    assert answer.headers["location"] == "https://example.org/3600.0"
    await app.stop()


def test_what_there_is_to_build() -> None:
    assert SLOT in SLOTS
    from reference.platform.settings import Settings

    with pytest.raises(ValueError, match="no slot"):
        build("url-shortener", Settings(), {"x/y": object})
    with pytest.raises(ValueError, match="no case"):
        build("chess", Settings())
    with pytest.raises(ValueError, match="no kind"):
        runnable("piano", Settings())
    topology = build("url-shortener", Settings(servers=2))
    with pytest.raises(ValueError, match="service"):
        topology.runnable("cache")
    with pytest.raises(KeyError, match="app-9"):
        topology.role("app-9")
