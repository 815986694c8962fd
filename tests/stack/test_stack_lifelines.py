"""Nothing outlives a stack: whoever is killed, and however, no process and no file of it is left."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest
from workbench import cli
from workbench.stack import Stack, StackError, guardian, state

SLOT = "url-shortener/redirect-cache"
POSIX = pytest.mark.skipif(os.name != "posix", reason="kill -9 and SIGSTOP are POSIX")

OWNER = """
import json, sys, time, threading, urllib.request
from workbench.stack import Stack
stack = Stack(name="owned", servers=2).start()
stack.swap("url-shortener/redirect-cache", '''
class RedirectCache:
    def __init__(self, **_): ...
    async def resolve(self, code):
        import subprocess, sys
        subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        import re
        re.match("(a+)+$", "a" * 60 + "b")
    async def invalidate(self, code): ...
''', on="app-2")
stack.pause("app-1")
def poke():
    try:
        urllib.request.urlopen(stack.server_url("app-2") + "/x", timeout=60)
    except OSError:
        pass
threading.Thread(target=poke, daemon=True).start()
time.sleep(0.7)
print(json.dumps(stack._state.pid), flush=True)
time.sleep(600)
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path))
    return tmp_path


def family(pid: int) -> list[psutil.Process]:
    process = psutil.Process(pid)
    return [process, *process.children(recursive=True)]


def assert_nothing_left(processes: list[psutil.Process], data: str, home: Path) -> None:
    deadline = time.monotonic() + 3
    _, alive = psutil.wait_procs(processes, timeout=3)
    assert [p for p in alive if p.is_running() and p.status() != psutil.STATUS_ZOMBIE] == []
    while time.monotonic() < deadline and (Path(data).exists() or list((home / "stacks").iterdir())):
        time.sleep(0.05)
    assert not Path(data).exists()
    assert list((home / "stacks").iterdir()) == []


@POSIX
@pytest.mark.parametrize("victim", ["owner", "supervisor"])
def test_kill_9_leaves_nothing_of_a_stack_with_a_paused_and_a_looping_server(home: Path, victim: str) -> None:
    with subprocess.Popen([sys.executable, "-c", OWNER], stdout=subprocess.PIPE, text=True) as owner:
        try:
            assert owner.stdout is not None
            supervisor = json.loads(owner.stdout.readline())
            found = state.read("owned")
            assert found is not None
            processes = family(supervisor)
            names = {" ".join(p.cmdline()) for p in processes}
            assert any("sleep(600)" in name for name in names), "what a component started is in the family"
            os.kill(owner.pid if victim == "owner" else supervisor, signal.SIGKILL)
            assert_nothing_left(processes, found.data, home)
        finally:
            owner.kill()


@POSIX
@pytest.mark.parametrize("farewell", [b"", b"done\n"], ids=["the supervisor was killed", "it stopped"])
def test_the_guardian_alone_clears_up_after_a_supervisor(tmp_path: Path, farewell: bytes) -> None:
    """As on a system whose kernel does not kill the children of a dead parent."""
    folder = tmp_path / "data"
    folder.mkdir()
    sleeper = [sys.executable, "-S", "-c", "import time; time.sleep(60)"]
    watch = [sys.executable, "-S", "-E", guardian.__file__, str(folder)]
    with (
        subprocess.Popen(sleeper, start_new_session=True) as child,
        subprocess.Popen(watch, stdin=subprocess.PIPE) as guard,
    ):
        try:
            os.kill(child.pid, signal.SIGSTOP)
            guard.communicate(f"+{child.pid}\n+999999\n-999999\n".encode() + farewell, timeout=5)
            assert bool(
                psutil.pid_exists(child.pid) and psutil.Process(child.pid).status() == "stopped"
            ) == bool(farewell)
            assert folder.exists() == bool(farewell)
        finally:
            child.kill()


def test_two_stacks_share_nothing_and_leave_nothing(home: Path) -> None:
    with Stack(name="one", servers=1) as one, Stack(name="two", servers=1) as two:
        states = [found for name in ("one", "two") if (found := state.read(name)) is not None]
        processes = [process for found in states for process in family(found.pid)]
        ports: list[Any] = [
            role["port"] for stack in (one, two) for role in stack.status().roles.values() if role["port"]
        ]
        assert len(ports) == len(set(ports)) == 8
        one.kill("app-1")
        two.pause("app-1")
        assert two.status().roles["app-1"]["state"] == "paused"
        with pytest.raises(StackError, match="running already"):
            Stack(name="one").start()
        assert one.status().roles["app-1"]["state"] == "down", "the first one is unharmed"
    for found in states:
        assert_nothing_left(processes, found.data, home)
    with pytest.raises(StackError, match="does not run"):
        one.status()
    one.stop()  # again: nothing to do


def test_a_failed_start_says_which_role_and_shows_its_log(home: Path) -> None:
    with pytest.raises(StackError) as caught:
        Stack(settings={"partitions": 0}).start()
    assert "partitions" in str(caught.value)
    assert list((home / "stacks").iterdir()) == []


def test_the_commands(home: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert cli.main(["status"]) == 1
    assert "workbench up" in capsys.readouterr().err
    assert cli.main(["up", "--servers", "1", "--set", "click_buffer=7"]) == 0
    try:
        assert "app-1" in capsys.readouterr().out
        found = state.read("default")
        assert found is not None
        processes = family(found.pid)
        for arguments, code in (
            (["fault", "slow", "cache", "0.1"], 0),
            (["fault", "slow", "cache"], 1),
            (["fault", "flush"], 0),
            (["fault", "kill", "app-9"], 1),
            (["swap", SLOT, "plain", "--on", "app-1"], 0),
            (["swap", SLOT, str(tmp_path / "missing.py")], 1),
            (["set", "code_strategy", "hash"], 0),
            (["set", "code_strategy", "guess"], 1),
            (["set", "code_strategy"], 1),
            (["set"], 0),
            (["reshard", "2"], 0),
            (["reshard", "9"], 1),
            (["fault", "restart", "consumer"], 0),
            (["status", "--topology", "text"], 0),
            (["status", "--json"], 0),
        ):
            assert cli.main(arguments) == code, arguments
        out = capsys.readouterr().out
        assert "cache [slow by 0.1 s]" in out
        assert "code_strategy = hash\n" in out
        assert "shards: ['shard-1', 'shard-2']" in out
        assert "redirect-cache: plain" in out
        assert cli.main(["doctor"]) == 0
        assert "running: default" in capsys.readouterr().out
    finally:
        assert cli.main(["down"]) == 0
    assert_nothing_left(processes, found.data, home)
    with pytest.raises(SystemExit) as caught:
        cli.main(["fault", "burn", "cache"])
    assert caught.value.code == 2
