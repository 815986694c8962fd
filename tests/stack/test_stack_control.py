"""The control API refuses whoever is not the stack's own client; state files are private; displays are safe."""

import asyncio
import json
import os
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest
from workbench.stack import TopologyView, state
from workbench.stack.control import ControlServer
from workbench.stack.display import Status
from workbench.stack.metrics import Metrics
from workbench.stack.plan import Plan, at_port
from workbench.stack.request import Request

anyio = pytest.mark.anyio


@asynccontextmanager
async def server() -> AsyncIterator[ControlServer]:
    async def handle(command: str, arguments: dict[str, Any]) -> Any:
        if command == "fail":
            raise ValueError("no")
        return [command, arguments]

    control = ControlServer("secret", handle, lambda error: {"type": "ValueError", "message": str(error)})
    await control.start()
    try:
        yield control
    finally:
        await control.stop()


async def send(
    control: ControlServer, head: str = "POST /status HTTP/1.1", body: bytes = b"{}", **headers: str
) -> tuple[int, Any]:
    all_headers = {
        "Host": f"127.0.0.1:{control.port}",
        "Authorization": "Bearer secret",
        "Content-Length": str(len(body)),
    } | {name.replace("_", "-"): value for name, value in headers.items()}
    reader, writer = await asyncio.open_connection("127.0.0.1", control.port)
    lines = "".join(f"{name}: {value}\r\n" for name, value in all_headers.items())
    writer.write(f"{head}\r\n{lines}\r\n".encode() + body)
    answer = await reader.read()
    writer.close()
    return int(answer.split()[1]), json.loads(answer.partition(b"\r\n\r\n")[2])


@anyio
async def test_orders_and_their_errors() -> None:
    async with server() as control:
        assert await send(control, body=b'{"role": "app-1"}') == (200, {"ok": ["status", {"role": "app-1"}]})
        assert await send(control, "POST /fail HTTP/1.1") == (
            409,
            {"error": {"type": "ValueError", "message": "no"}},
        )


@anyio
@pytest.mark.parametrize(
    ("status", "change"),
    [
        (401, {"Authorization": "Bearer guess"}),
        (401, {"Authorization": "Bearer sécret"}),
        (403, {"Host": "evil.example:80"}),
        (403, {"Host": "127.0.0.1"}),
        (405, {"head": "GET /status HTTP/1.1"}),
        (400, {"body": b"[1]"}),
        (400, {"body": b"{"}),
        (411, {"Content_Length": "many"}),
        (413, {"Content_Length": str(1 << 30)}),
    ],
)
async def test_the_wrong_request_is_refused(status: int, change: dict[str, Any]) -> None:
    async with server() as control:
        assert (await send(control, **change))[0] == status


def test_state_is_private_and_a_dead_stack_makes_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path))
    folder = state.claim("one")
    me = psutil.Process()
    found = state.StackState(
        "one", "c", "p", me.pid, me.create_time(), 1, "token", "url", str(tmp_path / "data")
    )
    state.write(found)
    assert state.read("one") == found
    assert found.alive()
    if os.name == "posix":
        assert stat.S_IMODE((folder / "state.json").stat().st_mode) == 0o600
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    with pytest.raises(FileExistsError, match="is running already"):
        state.claim("one")
    (folder / "owner").write_text(f"{me.pid} 1.0")  # the same process id, another process
    assert state.claim("one") == folder
    assert state.read("one") is None
    with pytest.raises(ValueError, match="a stack's name"):
        state.folder_of("../x")


def test_a_plan_routes_every_call_to_a_service_through_its_edge(tmp_path: Path) -> None:
    plan = Plan.make(Request("x", "url-shortener", "embedded", 2, {"click_buffer": 7}, True), tmp_path)
    try:
        settings = plan.config("app-2")["settings"]
        assert settings["cache_url"].startswith(f"redis://127.0.0.1:{plan.edges['app-2->cache'].port}")
        assert settings["click_buffer"] == 7
        assert "secret" not in plan.config("network")
        assert settings["secret"] == plan.config("keeper-1")["settings"]["secret"]
        assert plan.admin_token not in repr(plan)
        assert plan.config("balancer")["settings"]["backends"] == plan.backends()
        assert settings["shard_urls"].keys() == {"shard-1", "shard-2", "shard-3"}
        assert plan.edges_of("store") == [
            *("app-1->store", "app-2->store", "consumer->store", "keeper-1->store")
        ]
        assert plan.edges_of("app-1->shards") == [f"app-1->shard-{n}" for n in (1, 2, 3)]
        assert len(plan.edges_of("shards")) == 9
        assert plan.edges_of("app-1->log") == ["app-1->log"]
        with pytest.raises(ValueError, match="no such service or edge"):
            plan.edges_of("moon")
        ports = [lease.port for lease in (*plan.ports.values(), *plan.edges.values())]
        assert len(ports) == len(set(ports))
    finally:
        plan.release()
    with pytest.raises(ValueError, match="1 to 16"):
        Request("x", "url-shortener", "embedded", 0, {}, True)


def test_urls_keep_all_but_the_port() -> None:
    assert at_port("postgresql://user@127.0.0.1:5432/db?x=1", 9) == "postgresql://user@127.0.0.1:9/db?x=1"


STATUS = {
    "name": "s",
    "case": "c",
    "profile": "p",
    "url": "http://127.0.0.1:1",
    "roles": {
        "balancer": {"kind": "balancer", "state": "up", "pid": 1, "port": 1, "restarts": 0, "megabytes": 1},
        "app-1": {
            "kind": "app",
            "state": "paused",
            "pid": 2,
            "port": 2,
            "restarts": 0,
            "megabytes": 1,
            "components": {"x/redirect-cache": '<b>mine"];'},
        },
    },
    "topology": {
        "roles": [["balancer", "balancer"], ["app-1", "app"], ["cache", "cache"]],
        "edges": [["balancer", "app-1", "HTTP"], ["app-1", "cache", "redirects"]],
    },
    "services": {"cache": "down"},
    "faults": {"app-1->cache": {"slow": 0.1, "cut": True}},
    "incidents": 0,
}


def test_the_picture_says_what_runs_and_escapes_what_a_learner_names() -> None:
    view = TopologyView(STATUS)
    assert 'app_1["app-1: paused<br/>redirect-cache: #lt;b#gt;mine#quot;];"]' in view.mermaid
    assert 'app_1 -.->|"redirects: slow by 0.1 s, cut"| cache' in view.mermaid
    assert 'app-1 (paused; redirect-cache: <b>mine"];) -> cache [slow by 0.1 s, cut]' in view.text()
    assert "cache (down)" in view.text()
    assert set(view._repr_mimebundle_()) == {"text/plain", "text/vnd.mermaid"}


def test_the_table_escapes_too() -> None:
    status = Status(STATUS)
    assert "<b>" not in status.html()
    assert "fault on app-1->cache: slow by 0.1 s, cut" in status.text()


def test_metrics_add_up_what_matches() -> None:
    text = """# TYPE store_operations counter
store_operations_total{operation="find",outcome="ok"} 3.0
store_operations_total{operation="find",outcome="timeout"} 1.0
store_operations_total{operation="insert",outcome="ok"} 5.0
"""
    metrics = Metrics.parse(text, text)
    assert metrics.value("store_operations_total", operation="find") == 8
    assert metrics.value("store_operations_total", operation="find", outcome="ok") == 6
    assert metrics.value("nothing_total") == 0
