"""One run: a fresh loop, fresh instances, and the judge's actions turned into calls, answers and passing time."""

from __future__ import annotations

import asyncio
import functools
import gc
import importlib
import itertools
import random
import sys
from typing import Any

from grading.host import cache, guard, where
from grading.host.channel import Channel
from grading.host.component import Component, constructor_arguments, describe_error, plain, port
from grading.host.determinism import Virtual
from grading.host.loop import BusyForEver, LockstepLoop

EVENTS = 20_000
"""Things that one step may ask for or tell."""


class RunOver(BaseException):
    """The judge has seen enough."""


class Clock:
    """The port `clock`."""

    def __init__(self, virtual: Virtual) -> None:
        self._virtual = virtual

    def now(self) -> float:
        return self._virtual.wall()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class Run:
    """Serves the judge from `start` to the action "end". Events are lists: kind first, the component's line last."""

    def __init__(self, channel: Channel, component: Component, virtual: Virtual) -> None:
        self.channel = channel
        self.component = component
        self.virtual = virtual
        self.events: list[list[Any]] = []
        self.instances: list[Any] = []
        self.links: list[cache.Links] = []
        self.calls: dict[int, asyncio.Task[None]] = {}
        self.requests: dict[int, tuple[asyncio.Future[Any], str]] = {}
        self.numbers = itertools.count(1)
        self.loop = LockstepLoop(self.idle)
        # Looked up once: getattr with ever new strings fills CPython's method cache, which would weigh.
        self.actions = {name[3:]: getattr(self, name) for name in dir(self) if name.startswith("do_")}

    # --- from here to the judge

    def tell(self, *event: Any) -> None:
        if len(self.events) >= EVENTS:
            raise BusyForEver
        self.events.append([*event, where.running(sys._getframe(1))])

    def tell_of_wire(self, instance: int, kind: str, connection: int, data: str) -> None:
        self.tell(kind, instance, connection, data)
        if self.events[-1][-1] is None:
            self.events[-1][-1] = self.links[instance].line

    def idle(self, timer: float | None) -> None:
        guard.rest()
        self.channel.send({"idle": timer, "events": self.events})
        self.events = []
        self.obey()

    def obey(self) -> None:
        """Wait for the judge's next decision and carry it out."""
        actions = self.channel.receive()["do"]
        guard.arm()
        for action in actions:
            self.actions[action[0]](*action[1:])

    # --- the judge's actions

    def do_time(self, now: float) -> None:
        self.loop.now = now

    def do_call(self, call: int, instance: int, method: str, args: list[Any]) -> None:
        self.calls[call] = self.loop.create_task(self.invoke(call, self.instances[instance], method, args))

    def do_cancel(self, call: int) -> None:
        if call in self.calls:
            self.calls[call].cancel()

    def do_answer(self, request: int, value: Any) -> None:
        future, kind = self.requests.pop(request)
        if not future.done():
            future.set_result(self.component.from_json(value, kind))

    def do_refuse(self, request: int, error: str, message: str) -> None:
        future, _ = self.requests.pop(request)
        errors = importlib.import_module(self.component.schema["errors"])
        if not future.done():
            future.set_exception(getattr(errors, error)(message))

    def do_feed(self, instance: int, connection: int, data: str) -> None:
        wire = self.links[instance].wires.get(connection)
        if wire is not None:
            wire.feed(data)

    def do_reset(self, instance: int, connection: int) -> None:
        wire = self.links[instance].wires.get(connection)
        if wire is not None:
            wire.break_off()

    def do_weigh(self) -> None:
        """How much memory is in use, counted in blocks (not bytes of the system: those are noisy)."""
        gc.collect()
        self.tell("weight", sys.getallocatedblocks())

    def do_end(self) -> None:
        raise RunOver

    # --- the component

    def start(self, seed: int, epoch: float, count: int, values: dict[str, Any]) -> None:
        """Serve until the judge ends the run."""
        self.virtual.restart(seed, epoch, lambda: self.loop.now)
        asyncio.set_event_loop(self.loop)
        self.loop.call_soon(self.construct, seed, count, values)
        guard.arm()
        try:
            self.loop.run_forever()
        except RunOver:
            pass
        except BusyForEver:
            self.over("busy", where.waiting(self.loop))
        except (SystemExit, KeyboardInterrupt, GeneratorExit) as error:
            self.over("exit", where.raised(error))
        finally:
            self.clean_up()
        self.channel.send({"ended": True})

    def over(self, kind: str, line: int | None) -> None:
        """The run cannot go on; the judge hears why and ends it."""
        guard.rest()
        self.channel.send({"idle": None, "events": [*self.events[:EVENTS], [kind, line]]})
        self.channel.receive()

    def construct(self, seed: int, count: int, values: dict[str, Any]) -> None:
        for index in range(count):
            links = cache.Links(functools.partial(self.tell_of_wire, index), lambda: next(self.numbers))
            ask = functools.partial(self.ask_port, index)
            self.links.append(links)
            resources = {
                **values,
                **{name: port(name, spec, ask) for name, spec in self.component.schema["ports"].items()},
                "redis": cache.client(links),
                "clock": Clock(self.virtual),
                "random": random.Random(f"{seed} {index}"),
            }
            try:
                made = self.component.fresh_class()(**constructor_arguments(self.component.schema, resources))
            except BaseException as error:
                self.tell("unmade", index, describe_error(error))
                return
            self.instances.append(made)
            lifecycle = [n for n in self.component.schema["lifecycle"] if callable(getattr(made, n, None))]
            self.tell("made", index, lifecycle)

    async def invoke(self, call: int, instance: Any, method: str, args: list[Any]) -> None:
        spec = self.component.schema["methods"].get(method, {"returns": "none"})
        try:
            value = await getattr(instance, sys.intern(method))(*args)
            self.tell("return", call, self.component.to_json(value, spec["returns"]))
        except asyncio.CancelledError:
            self.tell("cancelled", call)
        except (RunOver, BusyForEver):
            raise
        except BaseException as error:
            self.tell("raise", call, describe_error(error))
        finally:
            self.calls.pop(call, None)

    async def ask_port(self, instance: int, name: str, method: str, args: list[Any]) -> Any:
        request = next(self.numbers)
        spec = self.component.schema["ports"][name][method]
        future = self.loop.create_future()
        self.requests[request] = (future, spec["returns"])
        self.tell("ask", request, instance, name, method, [plain(a) for a in args])
        return await future

    def clean_up(self) -> None:
        """Cancel what still waits, so that it ends quietly; then forget the loop."""
        self.loop._idle = lambda timer: self.loop.stop()
        for task in asyncio.all_tasks(self.loop):
            task.cancel()
        self.loop.turns = 0
        self.loop.call_soon(lambda: None)
        try:
            self.loop.run_forever()
        except BaseException:
            pass
        asyncio.set_event_loop(None)
        self.loop.close()
