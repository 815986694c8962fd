"""The load generator: open loop, honest latencies, and an end that leaves nothing."""

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import psutil
import pytest
from workbench.loadgen.load import LONG, LoadError, Run, load
from workbench.loadgen.plan import LoadPlan
from workbench.loadgen.recorder import Recorder, Tick
from workbench.loadgen.result import LoadResult, StoppedEarly
from workbench.loadgen.silent import SilentView

from tests.listening import listening

pytestmark = pytest.mark.anyio
RESPONSE = b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: https://example.com/\r\n\r\n"


class Server:
    """Answers 302; may pause, answer 503, or hang up. Counts what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.paused_until = 0.0
        self.response = RESPONSE
        self.hang_up = False
        self.busy = asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := (await reader.readuntil(b"\r\n\r\n")).split(b"\r\n")[0]:
                self.asked.append(line.split()[1].decode())
                self.busy.set()
                await asyncio.sleep(max(0.0, self.paused_until - time.monotonic()))
                if self.hang_up:
                    break
                writer.write(self.response)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass


@asynccontextmanager
async def serving(server: Server) -> AsyncIterator[str]:
    async with listening(server.serve) as port:
        yield f"http://127.0.0.1:{port}"


async def run(url: str, **options: object) -> LoadResult:
    defaults = {"codes": ["a", "b", "c"], "rate": 200.0, "seconds": 0.5}
    return await load(url, **defaults | options)  # type: ignore[arg-type]


async def test_it_asks_what_the_plan_says_and_counts_every_answer() -> None:
    server = Server()
    async with serving(server) as url:
        result = await run(url, seed=3)
    planned = [f"/{code}" for _, code in LoadPlan(url, ("a", "b", "c"), 200, 0.5, seed=3).requests()]
    assert sorted(server.asked) == sorted(planned)
    assert result.sent == result.answered == len(planned)
    assert result.statuses == {302: len(planned)}
    assert result.failed == 0
    assert not result.stopped
    assert sum(tick.answered for tick in result.series) == result.answered
    assert result.p50 is not None
    assert result.max is not None
    assert 0 < result.p50 <= result.max


async def test_a_stall_is_felt_by_all_who_would_have_come_meanwhile() -> None:
    """No coordinated omission: a closed loop would record one slow request."""
    server = Server()
    async with serving(server) as url:
        server.paused_until = time.monotonic() + 1.3
        result = await run(url, rate=100, seconds=1.0, arrivals="even")
    assert result.answered == 99
    assert result.p50 is not None
    assert result.p50 > 300


async def test_failures_are_counted_by_kind() -> None:
    server = Server()
    async with serving(server) as url:
        server.response = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 2\r\n\r\nno"
        result = await run(url)
        assert list(result.statuses) == [503]
        assert result.failed == result.sent
        server.hang_up = True
        result = await run(url)
        assert result.errors == {"broken": result.sent}
        server.hang_up = False
        server.paused_until = time.monotonic() + 5
        result = await run(url, timeout=0.2)
        assert result.errors == {"timeout": result.sent}
        assert result.p50 is not None
        assert result.p50 >= 200
    result = await run(url)
    assert result.errors == {"refused": result.sent}
    assert result.p99 is None


async def test_stop_gives_the_result_so_far() -> None:
    class StopsAtTheFirstTick(SilentView):
        def begin(self, stop: Callable[[], None]) -> None:
            self.stop = stop

        def tick(self, tick: Tick) -> None:
            self.stop()

    server = Server()
    async with serving(server) as url:
        began = time.monotonic()
        result = await run(url, seconds=60.0, view=StopsAtTheFirstTick())
    assert time.monotonic() - began < 5
    assert result.stopped
    assert 0 < result.answered < 300
    assert "stopped after" in result.text()
    async with serving(server) as url:
        with pytest.raises(StoppedEarly, match="of 60 s: too early to tell"):
            await run(url, seconds=60.0, view=StopsAtTheFirstTick(), whole=True)


def generators() -> list[psutil.Process]:
    found = []
    for child in psutil.Process().children():
        try:
            if "workbench.loadgen.generator" in child.cmdline() and child.status() != psutil.STATUS_ZOMBIE:
                found.append(child)
        except psutil.NoSuchProcess:
            continue
    return found


async def test_cancelling_ends_the_generator() -> None:
    server = Server()
    async with serving(server) as url:
        task = asyncio.create_task(run(url, seconds=60.0))
        await server.busy.wait()
        assert len(generators()) == 1
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert generators() == []


async def test_what_is_to_happen_meanwhile_happens_and_its_error_reaches_the_caller() -> None:
    class Marks(SilentView):
        def __init__(self) -> None:
            self.marks: list[str] = []

        def mark(self, t: float, text: str) -> None:
            self.marks.append(text)

    view = Marks()
    server = Server()
    done: list[int] = []
    async with serving(server) as url:
        result = await run(url, view=view, at={0.1: ("now", lambda: done.append(1))})
        assert result.events["now"] == pytest.approx(0.1, abs=0.3)
        assert (done, view.marks) == ([1], ["now"])
        await run(url, view=view, at={0.1: ("long", lambda: time.sleep(1.5 * LONG))})
        assert view.marks[1:] == ["long", "long: done"]  # the first as it begins: its effects come after it
        with pytest.raises(ZeroDivisionError):
            await run(url, at={0.1: ("now", lambda: 1 / 0)})


async def test_a_generator_that_dies_says_why() -> None:
    plan = LoadPlan("http://127.0.0.1:9", ("a",), rate=100, seconds=60)

    class Kills(SilentView):
        def tick(self, tick: Tick) -> None:
            for child in generators():
                child.kill()

    with pytest.raises(LoadError, match="without a result"):
        await Run(plan, Kills(), None, {}).run()


def test_the_generator_ends_when_nobody_waits_any_more() -> None:
    plan = LoadPlan("http://127.0.0.1:9", ("a",), rate=10, seconds=60)
    argv = [sys.executable, "-m", "workbench.loadgen.generator"]
    ended = subprocess.run(argv, input=plan.to_json() + "\n", capture_output=True, text=True, timeout=20)
    last = json.loads(ended.stdout.splitlines()[-1])
    assert last["result"]["sent"] < 20


@pytest.mark.parametrize(
    "wrong",
    [
        {"url": "http://example.com"},
        {"url": "https://127.0.0.1"},
        {"codes": ()},
        {"codes": ("a b",)},
        {"rate": 0},
        {"rate": 1e9},
        {"seconds": -1},
        {"skew": -1},
        {"arrivals": "bursty"},
        {"timeout": 0},
    ],
)
def test_plans_that_make_no_sense_are_refused(wrong: dict[str, object]) -> None:
    right = {"url": "http://127.0.0.1:80", "codes": ("a",)}
    with pytest.raises(ValueError, match=r"\w"):
        LoadPlan(**right | wrong)  # type: ignore[arg-type]


def test_a_plan_survives_its_text_and_repeats_itself() -> None:
    plan = LoadPlan("http://127.0.0.1:80", ("a", "b"), rate=50, seconds=2, seed=9)
    assert LoadPlan.from_json(plan.to_json()) == plan
    assert list(plan.requests()) == list(plan.requests())
    assert len(list(plan.requests())) == pytest.approx(100, abs=35)


def test_percentiles_hold_what_was_recorded() -> None:
    recorder = Recorder()
    for ms in range(1, 101):
        recorder.send(0.0)
        recorder.answer(302, ms / 1000)
    summary = recorder.summary()
    assert summary["p50"] == pytest.approx(50, rel=0.01)
    assert summary["p99"] == pytest.approx(99, rel=0.01)
    assert recorder.tick(1.0, 0).p99 == 100
    assert recorder.tick(2.0, 0).p50 is None
