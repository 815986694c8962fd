"""`python -m workbench.loadgen.generator`: a plan comes in on standard input as one line, ticks and a result go out.

Lines out: `{"tick": {...}}`, at last `{"result": {...}}`. The line `stop`, or the end of standard input (whoever asked
has gone), ends the run early.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import threading
import time
from contextlib import suppress
from typing import Any

from workbench.loadgen.http import Client
from workbench.loadgen.plan import LoadPlan
from workbench.loadgen.recorder import Recorder, tick_json


class Generator:
    def __init__(self, plan: LoadPlan) -> None:
        self.plan = plan
        self.client = Client(plan.url)
        self.recorder = Recorder()
        self.stopping = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        self.began = time.perf_counter()
        ticks = asyncio.create_task(self._ticks())
        try:
            await self._send()
            deadline = self.plan.timeout if not self.stopping.is_set() else 0.0
            if self._tasks:
                await asyncio.wait(self._tasks, timeout=deadline + 0.1)
        finally:
            ticks.cancel()
            for task in list(self._tasks):
                task.cancel()
            await asyncio.gather(ticks, *self._tasks, return_exceptions=True)
            self.client.close()
        self._say_tick()
        tell({"result": {**self.recorder.summary(), "seconds": round(self._now(), 3)}})

    def _now(self) -> float:
        return time.perf_counter() - self.began

    async def _send(self) -> None:
        for at, code in self.plan.requests():
            early = at - self._now()
            if early > 0:
                with suppress(TimeoutError):
                    async with asyncio.timeout(early):
                        await self.stopping.wait()
            if self.stopping.is_set():
                return
            if len(self._tasks) >= self.plan.max_in_flight:
                self.recorder.fail("not sent")
                await asyncio.sleep(0)
                continue
            self.recorder.send(self._now() - at)
            task = asyncio.create_task(self._ask(at, code))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _ask(self, intended: float, code: str) -> None:
        try:
            async with asyncio.timeout(self.plan.timeout):
                status = await self.client.get(code)
        except TimeoutError:
            self.recorder.fail("timeout", self._now() - intended)
        except ConnectionRefusedError:
            self.recorder.fail("refused")
        except OSError:
            self.recorder.fail("broken")
        else:
            self.recorder.answer(status, self._now() - intended)

    async def _ticks(self) -> None:
        number = 0
        while True:
            number += 1
            await asyncio.sleep(max(0.0, number * self.plan.tick - self._now()))
            self._say_tick()

    def _say_tick(self) -> None:
        tell({"tick": tick_json(self.recorder.tick(self._now(), len(self._tasks)))})


def tell(message: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


async def main() -> None:
    first, rest = _read_line()
    generator = Generator(LoadPlan.from_json(first))
    loop = asyncio.get_running_loop()

    def listen() -> None:
        seen = rest
        while b"stop" not in seen:
            data = os.read(0, 100)
            if not data:
                break
            seen = seen[-5:] + data
        try:
            loop.call_soon_threadsafe(generator.stopping.set)
        except RuntimeError:
            pass  # the run has ended already

    threading.Thread(target=listen, daemon=True).start()
    await generator.run()


def _read_line() -> tuple[str, bytes]:
    """The first line of standard input, and what came with it. Unbuffered: a thread reads on from there."""
    data = b""
    while b"\n" not in data:
        more = os.read(0, 65536)
        if not more:
            raise SystemExit("no plan came on standard input")
        data += more
    first, _, rest = data.partition(b"\n")
    return first.decode(), rest


if __name__ == "__main__":
    try:
        asyncio.run(main())
    except (BrokenPipeError, KeyboardInterrupt):
        os._exit(1)  # whoever asked has gone; nothing is left to tell
