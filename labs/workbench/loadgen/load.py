"""`await load(stack, ...)`: runs the generator, shows what it measures while it runs, and returns the result."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import AsyncExitStack, suppress
from typing import Any, Literal, Protocol

from workbench.loadgen.plan import LoadPlan
from workbench.loadgen.recorder import Tick
from workbench.loadgen.result import LoadResult, StoppedEarly
from workbench.loadgen.watch import Reading, Watch
from workbench.stack import Incident, Stack
from workbench.subprocesses import LineProcess

Event = tuple[str, Callable[[], object]]
"""What to do at some moment of the run: the text that marks it, and the call."""


LONG = 0.2
"""Seconds from which on the end of what is done gets a mark of its own: what it does to a load begins with it."""


class LoadError(Exception):
    """The generator ended without a result."""


class View(Protocol):
    """Shows a load as it runs."""

    def begin(self, stop: Callable[[], None]) -> None: ...
    def tick(self, tick: Tick) -> None: ...
    def reading(self, before: Reading | None, reading: Reading) -> None: ...
    def mark(self, t: float, text: str) -> None: ...
    def end(self, result: LoadResult | None) -> None: ...


async def load(
    target: Stack | str,
    codes: Iterable[str],
    rate: float = 200.0,
    seconds: float = 5.0,
    skew: float = 1.0,
    *,
    seed: int = 1,
    arrivals: Literal["poisson", "even"] = "poisson",
    timeout: float = 3.0,
    at: Mapping[float, Event] | None = None,
    title: str = "",
    whole: bool = False,
    view: View | None = None,
) -> LoadResult:
    """Asks for `codes` (the most popular first, Zipf exponent `skew`) at `rate` requests/s for `seconds`.

    `target`: a stack, or the URL of one server. `at`: seconds to what to do then, such as
    `{3: ("the cache is flushed", stack.flush)}`. Stopping by the button gives the result so far; interrupting the cell
    ends the generator and gives none. `whole`: half of it is no use, so StoppedEarly is raised instead (in an
    experiment: nothing is recorded). ValueError: a plan that makes no sense.
    """
    url = target.url if isinstance(target, Stack) else target
    plan = LoadPlan(url, tuple(codes), rate, seconds, skew, seed, arrivals, timeout)
    if view is None:
        view = _default_view(plan, title)
    run = Run(plan, view, Watch(target) if isinstance(target, Stack) else None, at or {})
    result = await run.run()
    if whole and result.stopped:
        raise StoppedEarly(
            f"Stopped after {result.seconds:.1f} of {seconds:g} s: too early to tell. Run the cell again."
        )
    return result


def _default_view(plan: LoadPlan, title: str) -> View:
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    if shell is not None and hasattr(shell, "kernel"):
        from workbench.loadgen.live import LiveView

        return LiveView(plan, title)
    from workbench.loadgen.silent import SilentView

    return SilentView()


class Run:
    """One run of the generator, with what happens beside it."""

    def __init__(self, plan: LoadPlan, view: View, watch: Watch | None, at: Mapping[float, Event]) -> None:
        self.plan = plan
        self.view = view
        self.watch = watch
        self.at = at
        self.stopped = False
        self.ticks: list[Tick] = []
        self.done: dict[str, float] = {}

    async def run(self) -> LoadResult:
        result = None
        began = time.time()
        argv = [sys.executable, "-P", "-m", "workbench.loadgen.generator"]
        try:
            async with LineProcess(argv, self.plan.to_json() + "\n", keep_open=True) as generator:
                self._began = time.perf_counter()

                def stop() -> None:
                    self.stopped = True
                    generator.tell("stop")

                self.view.begin(stop)
                async with AsyncExitStack() as beside:
                    if self.watch is not None:
                        await self.watch.read(self._began, self._seen)
                        beside.push_async_callback(
                            cancel, asyncio.create_task(self.watch.run(self._began, self._seen))
                        )
                    events = [asyncio.create_task(self._do(t, event)) for t, event in self.at.items()]
                    for task in events:
                        beside.push_async_callback(cancel, task)
                    summary = await self._listen(generator)
                    for task in events:
                        if task.done():
                            task.result()  # what went wrong in an event is the caller's to see
                if summary is None:
                    raise LoadError(f"the load generator ended without a result\n{generator.errors}".rstrip())
            if self.watch is not None:
                await self.watch.read(self._began, self._seen)
            result = self._result(summary, await self._incidents(began))
        finally:
            self.view.end(result)
        return result

    async def _listen(self, generator: LineProcess) -> dict[str, Any] | None:
        async for line in generator:
            message = json.loads(line)
            if "tick" in message:
                self.ticks.append(Tick(**message["tick"]))
                self.view.tick(self.ticks[-1])
            else:
                found: dict[str, Any] = message["result"]
                return found
        return None

    async def _do(self, t: float, event: Event) -> None:
        text, call = event
        await asyncio.sleep(t)
        begun = time.perf_counter() - self._began
        self.view.mark(begun, text)
        await asyncio.to_thread(call)
        self.done[text] = time.perf_counter() - self._began
        if self.done[text] > begun + LONG:
            self.view.mark(self.done[text], f"{text}: done")
        if self.watch is not None:
            await self.watch.read(self._began, self._seen)  # so that before and after are told apart sharply

    def _seen(self, reading: Reading) -> None:
        assert self.watch is not None
        before = self.watch.readings[-2] if len(self.watch.readings) > 1 else None
        self.view.reading(before, reading)

    async def _incidents(self, began: float) -> tuple[Incident, ...]:
        """What went wrong in the stack since `began` (POSIX seconds)."""
        if self.watch is None:
            return ()
        found = await asyncio.to_thread(self.watch.stack.incidents)
        return tuple(incident for incident in found if incident.time >= began)

    def _result(self, summary: dict[str, Any], incidents: tuple[Incident, ...]) -> LoadResult:
        statuses = {int(status): n for status, n in summary.pop("statuses").items()}
        readings = tuple(self.watch.readings) if self.watch is not None else ()
        return LoadResult(
            plan=self.plan,
            statuses=statuses,
            stopped=self.stopped,
            series=tuple(self.ticks),
            readings=readings,
            events=self.done,
            servers=dict(self.watch.servers) if self.watch is not None else {},
            incidents=incidents,
            **summary,
        )


async def cancel(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError, Exception):
        await task
