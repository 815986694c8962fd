"""What the component asks of its ports: when it is done, whether it is, and when the answer comes back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from grading.judge import kinds
from grading.judge.history import Ask
from grading.judge.model import Refused
from grading.judge.protocol import HostLost
from grading.judge.wording import show

if TYPE_CHECKING:
    from grading.judge.world import Actions, World

DEADLINE = 1.0
"""Seconds after which the client of a port gives up."""


class PortTraffic:
    def __init__(self, world: World) -> None:
        self.world = world
        self.asked: dict[int, Ask] = {}

    def take_ask(
        self, request: int, server: int, port: str, method: str, args: list[Any], call: int, line: int | None
    ) -> None:
        world = self.world
        world.check_server(server)
        if request in self.asked or method not in world.schema.get("ports", {}).get(port, {}):
            raise HostLost("the component's process sent a request that cannot be")
        wanted, types = world.schema["ports"][port][method]["args"], world.schema.get("types", {})
        if len(args) != len(wanted) or not all(
            kinds.fits(*each, types) for each in zip(args, wanted, strict=True)
        ):
            raise HostLost("the component's process sent a request that cannot be")
        if call >= 0 and call not in world.calls:
            raise HostLost("the component's process asked on behalf of a call that nobody made")
        whose = world.calls[call].name if call >= 0 else ""
        ask = self.asked[request] = Ask(server, method, args, world.now, line, port, whose)
        world.history.asks.append(ask)
        target = world.names.get(port, port)
        by = f" for {whose}" if whose else ""
        world.note(world.plan.called(server), f"asks the {target}{by}: {self._question(method, args)}", line)
        there, back = world.conditions.latency(target, server)
        fault = world.conditions.fault(target, server, world.now)
        done = world.now + there
        if fault is None:
            world.schedule(done, lambda: self.do(ask))
            world.schedule(done + back, lambda: self.answer(request, ask))
        else:
            ask.fault = fault.mode
            if fault.mode == "unavailable":
                world.schedule(done + back, lambda: self.refuse(request, ask, "Unavailable"))
            elif fault.mode == "slow":
                world.schedule(done, lambda: self.do(ask))
                world.schedule(done + fault.delay, lambda: self.answer(request, ask))
            else:
                if fault.mode != "timeout":
                    late = fault.delay if fault.mode == "late" else there
                    world.schedule(world.now + late, lambda: self.do(ask, quietly=False))
                world.schedule(world.now + DEADLINE, lambda: self.refuse(request, ask, "TimedOut"))
        world.maybe_crash(server)

    def do(self, ask: Ask, quietly: bool = True) -> Actions:
        ask.seen = self.world.now
        try:
            ask.value = self.world.model.answer(self.world.now, ask)
        except Refused as refused:
            ask.error = refused.error
            ask.value = str(refused)
        except (
            ValueError,
            TypeError,
            LookupError,
            ArithmeticError,
        ) as error:  # of the kind, and yet nonsense
            ask.error, ask.value = "Unavailable", str(error)
        if not quietly:
            target = self.world.names.get(ask.port, ask.port)
            question = self._question(ask.method, ask.args)
            self.world.note(target, f"does {question}, sent at {ask.sent:.4f} s")
        return []

    def answer(self, request: int, ask: Ask) -> Actions:
        if ask.error:
            return self.refuse(request, ask, ask.error)
        ask.answered = self.world.now
        assert ask.seen is not None
        slow = f" (done at {ask.seen:.4f} s)" if self.world.now - ask.seen > 0.05 else ""
        self._tell(ask, f"{show(ask.value)}{slow}")
        return [["answer", request, ask.value]]

    def refuse(self, request: int, ask: Ask, error: str) -> Actions:
        ask.answered, ask.error = self.world.now, error
        self._tell(ask, error)
        target = self.world.names.get(ask.port, ask.port)
        return [["refuse", request, error, f"the {target}: {error}"]]

    def _question(self, method: str, args: list[Any]) -> str:
        """As a report tells it; a model whose questions are large has a `told` that says it in short."""
        told = getattr(self.world.model, "told", None)
        return str(told(method, args)) if told else f"{method}({', '.join(map(show, args))})"

    def _tell(self, ask: Ask, what: str) -> None:
        target = self.world.names.get(ask.port, ask.port)
        self.world.note(target, f"answers {self.world.plan.called(ask.server)}: {what}")
