"""One run: a fresh loop, fresh instances, and the judge's actions turned into calls, answers and passing time."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import gc
import importlib
import itertools
import sys
from typing import Any

from grading.host import guard, where
from grading.host.channel import Channel
from grading.host.component import Component, describe_error
from grading.host.determinism import Virtual
from grading.host.instance import Instance, current, note_task
from grading.host.loop import BusyForEver, LockstepLoop

EVENTS = 20_000
"""Things that one step may ask for or tell."""

FEW = 4
"""Questions to a pure method that are few enough to follow the component line by line."""


class RunOver(BaseException):
    """The judge has seen enough."""


class Run:
    """Serves the judge from `start` to the action "end". Events are lists: kind first, the component's line last."""

    def __init__(self, channel: Channel, component: Component, virtual: Virtual) -> None:
        self.channel = channel
        self.component = component
        self.virtual = virtual
        self.events: list[list[Any]] = []
        self.instances: list[Instance] = []
        self.skews: dict[int, float] = {}
        """By server: seconds that its clock is ahead."""
        self.unawaited: set[int] = set()
        """Lines that were told to have made a coroutine that nobody awaits."""
        self.calls: dict[int, asyncio.Task[None]] = {}
        self.requests: dict[int, tuple[asyncio.Future[Any], str]] = {}
        self.numbers = itertools.count(1)
        self.seed = 0
        self.values: dict[str, Any] = {}
        self.own: list[dict[str, Any]] = []
        self.loop = LockstepLoop(self.idle)
        self.loop.set_task_factory(note_task)
        # Looked up once: getattr with ever new strings fills CPython's method cache, which would weigh.
        self.actions = {name[3:]: getattr(self, name) for name in dir(self) if name.startswith("do_")}

    # --- from here to the judge

    def tell(self, *event: Any, line: int | None = None) -> None:
        """`line`: the component's, if it is not the one that is running."""
        if len(self.events) >= EVENTS:
            raise BusyForEver
        self.events.append([*event, where.running(sys._getframe(1)) if line is None else line])

    def tell_of_unawaited(self) -> None:
        """Called where a coroutine vanishes that never began. Told once a line, if the component made it vanish."""
        line, instance = where.running(sys._getframe(1)), current.get()
        if line is not None and instance is not None and line not in self.unawaited:
            self.unawaited.add(line)
            self.tell("unawaited", instance.number, line=line)

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

    def do_call(self, call: int, number: int, method: str, args: list[Any]) -> None:
        invoked = self.invoke(call, self.instances[number], method, args)
        self.calls[call] = self.loop.create_task(invoked)

    def do_each(self, call: int, number: int, method: str, many: list[list[Any]]) -> None:
        """A pure method, once for each list of arguments. If they are few, the line that answered the last is told."""
        instance, name = self.instances[number], sys.intern(method)
        returns = self.component.schema["methods"][method]["returns"]
        follower = where.Follower()
        with follower if len(many) <= FEW else contextlib.nullcontext():
            answers = [self.answer(call, instance, name, returns, args) for args in many]
        self.tell("each", call, answers, line=follower.line)

    def answer(
        self, call: int, instance: Instance, method: str, returns: str, args: list[Any]
    ) -> dict[str, Any]:
        try:
            value = getattr(instance.made, method)(*instance.arguments(call, method, args))
            return {"value": self.component.values.told(value, returns)}
        except (RunOver, BusyForEver):
            raise
        except BaseException as error:
            return {"error": describe_error(error)}

    def do_crash(self, number: int) -> None:
        """The server dies and is started again, knowing nothing."""
        self.instances[number].crash()
        self.make(number, self.instances[number].life + 1)

    def do_clock(self, number: int, skew: float) -> None:
        self.skews[number] = skew

    def do_cancel(self, call: int) -> None:
        if call in self.calls:
            self.calls[call].cancel()

    def do_answer(self, request: int, value: Any) -> None:
        future, kind = self.requests.pop(request)
        if not future.done():
            future.set_result(self.component.values.decode(value, kind))

    def do_refuse(self, request: int, error: str, message: str) -> None:
        future, _ = self.requests.pop(request)
        errors = importlib.import_module(self.component.schema["errors"])
        if not future.done():
            future.set_exception(getattr(errors, error)(message))

    def do_feed(self, instance: int, connection: int, data: str) -> None:
        wire = self.instances[instance].links.wires.get(connection)
        if wire is not None:
            wire.feed(data)

    def do_reset(self, instance: int, connection: int) -> None:
        wire = self.instances[instance].links.wires.get(connection)
        if wire is not None:
            wire.break_off()

    def do_weigh(self) -> None:
        """How much memory is in use, counted in blocks (not bytes of the system: those are noisy)."""
        gc.collect()
        self.tell("weight", sys.getallocatedblocks())

    def do_end(self) -> None:
        raise RunOver

    # --- the component

    def start(
        self, seed: int, epoch: float, servers: int, values: dict[str, Any], own: list[dict[str, Any]]
    ) -> None:
        """Serve until the judge ends the run."""
        self.virtual.restart(seed, epoch, lambda: self.loop.now, self.skew)
        self.seed, self.values, self.own = seed, values, own
        asyncio.set_event_loop(self.loop)
        self.loop.call_soon(self.construct, servers)
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

    def skew(self) -> float:
        instance = current.get()
        return instance.skew() if instance is not None else 0.0

    def construct(self, count: int) -> None:
        for number in range(count):
            if not self.make(number):
                return

    def make(self, number: int, life: int = 0) -> bool:
        """A new instance for a server; False if its constructor raised."""
        instance = Instance(self, number, life)
        self.instances[number:] = [instance, *self.instances[number + 1 :]]
        context = contextvars.copy_context()
        context.run(current.set, instance)
        own = self.own[number] if number < len(self.own) else {}
        try:
            context.run(instance.construct, self.seed, self.values | own)
        except BaseException as error:
            self.tell("unmade", number, describe_error(error))
            return False
        lifecycle = [
            name
            for name in self.component.schema["lifecycle"]
            if callable(getattr(instance.made, name, None))
        ]
        self.tell("made", number, lifecycle)
        return True

    async def invoke(self, call: int, instance: Instance, method: str, args: list[Any]) -> None:
        current.set(instance)
        me = asyncio.current_task()
        assert me is not None
        instance.tasks.add(me)
        spec = self.component.schema["methods"].get(method, {"returns": "none"})
        told: tuple[Any, ...]
        try:
            decoded = instance.arguments(call, method, args)
            value = await getattr(instance.made, sys.intern(method))(*decoded)
            told = ("return", call, self.component.values.told(value, spec["returns"]))
        except asyncio.CancelledError:
            told = ("cancelled", call)
        except (RunOver, BusyForEver):
            raise
        except BaseException as error:
            told = ("raise", call, describe_error(error))
        self.calls.pop(call, None)
        if instance.alive:
            self.tell(*told)

    async def ask(
        self, instance: Instance, name: str, method: str, args: list[Any], returns: str, call: int
    ) -> Any:
        request = next(self.numbers)
        future = self.loop.create_future()
        self.requests[request] = (future, returns)
        self.tell("ask", request, instance.number, name, method, args, call)
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
