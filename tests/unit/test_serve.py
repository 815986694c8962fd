"""A process in a container: heartbeat, commands, drain; and where its secrets come from."""

import asyncio
import json
import os
import signal
import stat
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from reference import relay, serve
from reference.platform.settings import Settings, with_password

pytestmark = pytest.mark.anyio


class Process:
    """A Runnable that keeps what was asked of it."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.stopped = False

    async def start(self) -> dict[str, Any]:
        return {"port": 8000}

    async def stop(self) -> None:
        self.stopped = True

    async def command(self, name: str, args: dict[str, Any]) -> Any:
        if name == "impossible":
            raise ValueError("no command 'impossible'")
        self.asked.append((name, args))
        return {"done": name}

    def health(self) -> dict[str, Any]:
        return {"hearts": 1}


@pytest.fixture
def process(monkeypatch: pytest.MonkeyPatch) -> Process:
    found = Process()
    monkeypatch.setattr(serve, "runnable", lambda kind, settings, events: found)
    return found


@pytest.fixture(autouse=True)
def same_umask() -> Any:
    before = os.umask(0o022)
    yield
    os.umask(before)


async def test_it_serves_until_it_is_told_to_end(
    process: Process, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    serving = asyncio.create_task(serve.serve("app", Settings(role="app-7"), tmp_path))
    async with asyncio.timeout(5):
        while not (tmp_path / "alive").exists():  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    assert json.loads((tmp_path / "alive").read_text("utf-8")) == {"hearts": 1}

    control = tmp_path / "control.sock"
    assert stat.S_IMODE(control.stat().st_mode) == 0o600
    answers = [
        await asyncio.to_thread(serve.send, name, args, tmp_path)
        for name, args in (("set", {"name": "x"}), ("impossible", {}), ("health", {}))
    ]
    assert answers == [
        {"ok": {"done": "set"}},
        {"error": {"type": "ValueError", "message": "no command 'impossible'"}},
        {"ok": {"hearts": 1}},
    ]
    assert process.asked == [("set", {"name": "x"})]

    os.kill(os.getpid(), signal.SIGTERM)
    async with asyncio.timeout(5):
        await serving
    assert process.stopped
    events = [json.loads(line)["event"] for line in capsys.readouterr().err.splitlines()]
    assert events == ["serving", "draining", "stopped"]


@pytest.fixture
async def control(process: Process, tmp_path: Path) -> AsyncIterator[serve.Control]:
    control = serve.Control()
    control.process = process
    server = await asyncio.start_unix_server(control.accept, tmp_path / "control.sock", limit=1000)
    yield control
    server.close()
    await server.wait_closed()


async def test_what_is_no_command_is_answered_all_the_same(control: serve.Control, tmp_path: Path) -> None:
    for sent in (b"{\n", b"[]\n", b'{"args": {}}\n', b'"' + b"x" * 2000 + b'"\n'):
        reader, writer = await asyncio.open_unix_connection(tmp_path / "control.sock")
        writer.write(sent)
        writer.write_eof()
        async with asyncio.timeout(5):
            assert "error" in json.loads(await reader.readline())
        writer.close()


async def test_commands_of_one_connection_are_answered_by_their_numbers(
    control: serve.Control, process: Process, tmp_path: Path
) -> None:
    reader, writer = await asyncio.open_unix_connection(tmp_path / "control.sock")
    for number, name in ((1, "set"), (2, "impossible"), (3, "swap")):
        writer.write(json.dumps({"id": number, "command": name}).encode() + b"\n")
    async with asyncio.timeout(5):
        answers = [json.loads(await reader.readline()) for _ in range(3)]
    writer.close()
    assert {answer["id"]: "ok" in answer for answer in answers} == {1: True, 2: False, 3: True}


async def test_a_relay_passes_on_commands_answers_and_heartbeats(
    control: serve.Control, tmp_path: Path
) -> None:
    argv = [sys.executable, "-S", "-E", "-P", relay.__file__, str(tmp_path), str(os.getpid())]
    pipe = asyncio.subprocess.PIPE
    child = await asyncio.create_subprocess_exec(*argv, stdin=pipe, stdout=pipe)
    assert child.stdin is not None
    assert child.stdout is not None
    async with asyncio.timeout(10):
        first = [json.loads(await child.stdout.readline()) for _ in range(2)]
        assert {"ready": {}} in first
        assert {"id": 0, "ok": None} in first  # it watches now
        control.tell({"heartbeat": {"hearts": 1}})
        beat = json.loads(await child.stdout.readline())["heartbeat"]
        assert beat["hearts"] == 1
        assert beat["resident"] > 1_000_000
        assert beat["cpu"] > 0
        child.stdin.write(b'{"id": 7, "command": "set", "args": {"name": "x"}}\n')
        assert json.loads(await child.stdout.readline()) == {"id": 7, "ok": {"done": "set"}}
        control.tell({"event": {"kind": "raised"}})
        assert json.loads(await child.stdout.readline()) == {"event": {"kind": "raised"}}
        child.stdin.close()
        assert await child.wait() == 0


def test_a_wrong_call_says_how(capsys: pytest.CaptureFixture[str]) -> None:
    assert serve.main(["nonsense"]) == 2
    assert "usage: python -m reference.serve app|consumer|keeper|migrate" in capsys.readouterr().err


def test_secrets_come_from_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "workbench_secret").write_text("of this stack", "utf-8")
    (tmp_path / "workbench_database_password").write_text("p@ss/word", "utf-8")
    monkeypatch.setenv("WORKBENCH_STORE_URL", "postgresql://workbench@store:5432/workbench")
    monkeypatch.setenv("WORKBENCH_SHARD_URLS", '{"shard-1": "postgresql://workbench@shard-1:5432/workbench"}')
    settings = Settings.in_container(tmp_path)
    assert settings.secret == "of this stack"
    assert settings.store_url == "postgresql://workbench:p%40ss%2Fword@store:5432/workbench"
    assert settings.shard_urls == {"shard-1": "postgresql://workbench:p%40ss%2Fword@shard-1:5432/workbench"}


def test_without_a_folder_of_secrets_there_are_none(tmp_path: Path) -> None:
    assert Settings.in_container(tmp_path / "missing").database_password == ""


@pytest.mark.parametrize(
    "url",
    [
        "sqlite+tcp://127.0.0.1:6381",
        "postgresql://user:own@host/database",
        "postgresql://user:@host/database",
        "postgresql://host/database",
    ],
)
def test_a_url_that_needs_no_password_stays_as_it_is(url: str) -> None:
    assert with_password(url, "secret") == url
