"""Overload: who is let in, who waits, who is refused; and that more load does not mean less done. On virtual time."""

import asyncio
import json
import selectors
from collections.abc import Coroutine
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send

from reference.platform.admission import PATIENCE, Admission, Gate, Overloaded
from reference.platform.metrics import Metrics
from reference.platform.settings import LiveSettings


class VirtualTime(asyncio.SelectorEventLoop):
    """An event loop in which waiting takes no time: whenever all wait, the clock jumps to the next timer."""

    def __init__(self) -> None:
        self.now = 0.0
        loop = self

        class Jump(selectors.DefaultSelector):  # type: ignore[valid-type, misc]
            def select(self, timeout: float | None = None) -> Any:
                assert timeout is not None, "everything waits, and for nothing"
                loop.now += max(0.0, timeout)
                return super().select(0)

        super().__init__(Jump())

    def time(self) -> float:
        return self.now


def run(main: Coroutine[Any, Any, None]) -> None:
    loop = VirtualTime()
    try:
        loop.run_until_complete(main)
    finally:
        loop.close()


def gate(inside: int, queue: int) -> Gate:
    return Gate(lambda: (inside, queue))


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def test_so_many_are_inside_so_many_wait_and_the_rest_is_refused_at_once() -> None:
    async def main() -> None:
        one = gate(2, 3)
        entering = [asyncio.create_task(one.enter()) for _ in range(7)]
        await settle()
        assert [task.done() for task in entering] == [True, True, False, False, False, True, True]
        for refused in entering[5:]:
            with pytest.raises(Overloaded, match="queue-full"):
                await refused
        assert (one.inside, one.queued) == (2, 3)
        one.leave()
        await settle()
        assert [task.done() for task in entering[:5]] == [True, True, True, False, False], "the first to come"
        assert (one.inside, one.queued) == (2, 2)
        for _ in range(2):
            one.leave()
        await asyncio.gather(*entering[:5])
        assert (one.inside, one.queued) == (2, 0)

    run(main())


def test_nobody_waits_longer_than_patience() -> None:
    async def main() -> None:
        loop, one = asyncio.get_running_loop(), gate(1, 10)
        await one.enter()
        given_up: list[float] = []

        async def wait(after: float) -> None:
            await asyncio.sleep(after)
            with pytest.raises(Overloaded, match="waited-too-long"):
                await one.enter()
            given_up.append(round(loop.time() - after, 6))

        await asyncio.gather(*(wait(n / 10) for n in range(5)))
        assert given_up == [PATIENCE] * 5
        assert (one.inside, one.queued) == (1, 0)

    run(main())


def test_who_goes_away_leaves_no_gap() -> None:
    async def main() -> None:
        one = gate(1, 10)
        await one.enter()
        waiting = [asyncio.create_task(one.enter()) for _ in range(3)]
        await settle()
        waiting[0].cancel()
        await settle()
        assert one.queued == 2
        one.leave()
        waiting[1].cancel()  # it has been given its turn, and goes in the same moment
        await asyncio.gather(*waiting, return_exceptions=True)
        assert waiting[1].cancelled()
        assert not waiting[2].cancelled()
        assert (one.inside, one.queued) == (1, 0)
        one.leave()
        assert one.inside == 0

    run(main())


def test_a_limit_that_is_raised_lets_more_in() -> None:
    async def main() -> None:
        limit = 1
        one = Gate(lambda: (limit, 10))
        await one.enter()
        waiting = [asyncio.create_task(one.enter()) for _ in range(3)]
        await settle()
        limit = 3
        one.leave()
        await asyncio.gather(*waiting)
        assert one.inside == 3

    run(main())


# --- goodput

WORK = 0.01
"""Seconds of the one processor that a request takes: the capacity is 100 a second."""
LOAD = 300
SECONDS = 10
CLIENT_PATIENCE = 2.0


async def goodput(admit: Gate | None) -> list[int]:
    """Answers that came before their client had gone, by second. The processor is shared in slices, in turn."""
    loop = asyncio.get_running_loop()
    processor = asyncio.Lock()
    good = [0] * SECONDS

    async def request() -> None:
        began = loop.time()
        if admit is not None:
            try:
                await admit.enter()
            except Overloaded:
                return
        try:
            for _ in range(10):
                async with processor:
                    await asyncio.sleep(WORK / 10)
        finally:
            if admit is not None:
                admit.leave()
        if loop.time() - began < CLIENT_PATIENCE and loop.time() < SECONDS:
            good[int(loop.time())] += 1

    tasks = []
    for _ in range(LOAD * SECONDS):
        tasks.append(asyncio.create_task(request()))
        await asyncio.sleep(1 / LOAD)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return good


def test_under_threefold_load_the_goodput_stays_near_capacity() -> None:
    async def main() -> None:
        protected = await goodput(gate(8, 40))
        assert min(protected) >= 90, protected

    run(main())


def test_without_admission_it_collapses() -> None:
    """Else the test above would show nothing."""

    async def main() -> None:
        assert sum((await goodput(None))[5:]) == 0

    run(main())


# --- the middleware


class World:
    def __init__(self, **limits: int) -> None:
        self.live = LiveSettings(**limits)
        self.metrics = Metrics()
        self.open = asyncio.Event()
        self.admission = Admission(self.app, lambda: self.live, self.metrics)

    async def app(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == "/x":
            await self.open.wait()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"ok"})

    async def ask(self, path: str = "/x", method: str = "GET") -> list[Message]:
        sent: list[Message] = []

        async def send(message: Message) -> None:
            sent.append(message)

        async def receive() -> Message:
            raise AssertionError("nothing is read of who is refused")

        scope = {"type": "http", "path": path, "method": method, "state": {"request_id": "id-1"}}
        await self.admission(scope, receive, send)
        return sent

    def metric(self, name: str) -> float | None:
        return self.metrics.registry.get_sample_value(name)


def test_a_refusal_says_when_to_come_again() -> None:
    async def main() -> None:
        world = World(max_in_flight=1, max_queue=1)
        working = [asyncio.create_task(world.ask()) for _ in range(2)]
        await settle()
        start, end = await world.ask()
        headers = dict(start["headers"])
        assert (start["status"], headers[b"retry-after"]) == (503, b"1")
        assert headers[b"content-type"] == b"application/problem+json"
        assert int(headers[b"content-length"]) == len(end["body"])
        problem = json.loads(end["body"])
        assert (problem["status"], problem["instance"], problem["request_id"]) == (503, "/x", "id-1")
        assert problem["type"].endswith(":overloaded")
        assert (await world.ask(method="HEAD"))[1]["body"] == b""
        assert world.metric("requests_in_flight") == 1
        assert world.metric("requests_queued") == 1
        assert (
            world.metrics.registry.get_sample_value("requests_refused_total", {"reason": "queue-full"}) == 2
        )
        world.open.set()
        assert [sent[0]["status"] for sent in await asyncio.gather(*working)] == [200, 200]
        assert world.metric("requests_in_flight") == 0

    run(main())


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
def test_who_looks_after_the_server_is_let_through(path: str) -> None:
    async def main() -> None:
        world = World(max_in_flight=1, max_queue=0)
        working = asyncio.create_task(world.ask())
        await settle()
        assert (await world.ask())[0]["status"] == 503
        assert (await world.ask(path))[0]["status"] == 200
        world.open.set()
        await working

    run(main())


def test_an_application_that_fails_gives_its_place_back() -> None:
    async def main() -> None:
        async def fail(scope: Scope, receive: Receive, send: Send) -> None:
            raise RuntimeError

        world = World()
        world.admission.app = fail
        with pytest.raises(RuntimeError):
            await world.ask()
        assert world.metric("requests_in_flight") == 0

    run(main())
