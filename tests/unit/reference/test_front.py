"""Edge, balancer and the application in one process, over HTTP: what caching does to redirects and to counts."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx
import pytest

from reference.platform.balancer import Balancer
from reference.platform.edge import Edge
from reference.platform.http_server import HttpServer
from tests.unit.reference.conftest import World

pytestmark = pytest.mark.anyio


@dataclass
class Line:
    """clients -> edge -> balancer -> app"""

    world: World
    edge: Edge
    balancer: Balancer
    http: httpx.AsyncClient

    async def follow(self, code: str, times: int = 1) -> httpx.Response:
        for _ in range(times):
            answer = await self.http.get(f"/{code}")
        return answer


@pytest.fixture
async def line(world: World) -> AsyncIterator[Line]:
    server = HttpServer(world.app, "127.0.0.1", 0)
    balancer = Balancer("127.0.0.1", 0, {"app-7": await server.start()})
    behind = (await balancer.start())["port"]
    edge = Edge("127.0.0.1", 0, f"http://127.0.0.1:{behind}")
    port = (await edge.start())["port"]
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as http:
        yield Line(world, edge, balancer, http)
    await edge.stop()
    await balancer.stop()
    await server.stop()


async def test_as_it_is_set_every_click_reaches_the_server(line: Line) -> None:
    code = (await line.world.shorten())["code"]
    answer = await line.follow(code, times=3)
    assert (answer.status_code, answer.headers["cache-control"]) == (302, "no-store")
    assert (answer.headers["x-cache"], answer.headers["server-role"]) == ("miss", "app-7")
    assert len(line.world.clicks) == 3


@pytest.mark.parametrize("status", [301, 302])
async def test_what_the_edge_answers_no_server_counts(line: Line, status: int) -> None:
    line.world.live.set("redirect_status", status)
    line.world.live.set("redirect_max_age", 2)
    code = (await line.world.shorten())["code"]
    answer = await line.follow(code, times=3)
    assert (answer.status_code, answer.headers["x-cache"]) == (status, "hit")
    assert answer.headers["location"] == "https://example.org/"
    assert len(line.world.clicks) == 1
    assert line.edge.health()["redirects"] == {"miss": 1, "hit": 2}
    assert line.balancer.health()["backends"]["app-7"]["answered"] == 1


async def test_an_edge_ttl_keeps_a_deleted_link_until_it_is_purged(line: Line) -> None:
    await line.edge.command("set", {"name": "edge_ttl", "value": 60})
    made = await line.world.shorten()
    await line.follow(made["code"])
    token = {"Authorization": f"Bearer {made['delete_token']}"}
    gone = await line.http.delete(f"/api/v1/links/{made['code']}", headers=token)
    assert (gone.status_code, gone.headers["x-cache"]) == (204, "bypass")
    assert (await line.follow(made["code"])).status_code == 302
    await line.edge.command("purge", {})
    assert (await line.follow(made["code"])).status_code == 404


async def test_what_is_said_of_a_link_is_never_kept(line: Line) -> None:
    await line.edge.command("set", {"name": "edge_ttl", "value": 60})
    made = await line.http.post("/api/v1/shorten", json={"long_url": "https://example.org/"})
    assert (made.status_code, made.headers["x-cache"]) == (201, "bypass")
    for path in (f"/api/v1/stats/{made.json()['code']}", "/nothing", "/healthz", "/api/v1/links"):
        answers = [await line.http.get(path) for _ in range(2)]
        assert "hit" not in {answer.headers["x-cache"] for answer in answers}, path
