"""One run: the judge plays the world around the component, in virtual time, one event after another.

A queue holds what is going to happen: operations begin, commands arrive at the cache, answers come back. The host
reports when the component rests; the world then lets the next thing happen, or the component's next timer fire,
whichever is due first. How long each request takes is drawn from the seed, so the seed chooses the interleaving.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable
from typing import Any

from grading.judge import kinds
from grading.judge.conditions import Conditions
from grading.judge.history import Call, History, Trouble
from grading.judge.hosting import Host
from grading.judge.model import Model
from grading.judge.plan import Op, Plan
from grading.judge.port_traffic import PortTraffic
from grading.judge.protocol import SHAPES, Event, HostLost, Step
from grading.judge.redis_traffic import RedisTraffic
from grading.judge.wording import describe_fault, show, show_answers, show_call

EPOCH = 1_750_000_000.0
"""POSIX seconds at which every run begins. The same for all seeds: a report of a mark must not tell the seed."""

HORIZON = 30.0
"""Virtual seconds after the last operation within which every call must have ended."""

STEPS = 4_000
"""Turns with the host in one run."""

MOMENTS = 4_000

Actions = list[list[Any]]
Happening = Callable[[], Actions]


def run(host: Host, plan: Plan, model: Model, schema: dict[str, Any]) -> History:
    """Carry out the plan. HostLost if the component takes its process away."""
    return World(host, plan, model, schema).run()


class World:
    def __init__(self, host: Host, plan: Plan, model: Model, schema: dict[str, Any]) -> None:
        self.host = host
        self.plan = plan
        self.model = model
        self.schema = schema
        self.names: dict[str, str] = {"redis": "cache", **schema.get("names", {})}
        """What the slot calls its Redis and its ports; faults aim at these."""
        self.now = 0.0
        self.epoch = EPOCH
        self.history = History()
        self.conditions = Conditions(plan, self.history)
        self.redis = RedisTraffic(self)
        self.ports = PortTraffic(self)
        self.queue: list[tuple[float, int, Happening]] = []
        self.order = itertools.count()
        self.calls: dict[int, Call] = {}
        self.call_numbers: dict[str, int] = {}
        self.waiting: dict[str, list[Op]] = {}
        self.last_at = max((op.at for op in plan.ops if not op.after), default=0.0)
        self.planned = {op.name for op in plan.ops}
        self.unfinished = len(plan.ops)
        self.last_end = 0.0
        self.lives = [0] * plan.servers
        self.skews = [0.0] * plan.servers
        self.weigh_label = ""
        owners = {"ask": self.ports, "write": self.redis, "close": self.redis}
        self.takers: dict[str, Callable[..., None]] = {
            kind: getattr(owners.get(kind, self), f"take_{kind}") for kind in SHAPES
        }

    # --- the turns

    def run(self) -> History:
        for op in self.plan.ops:
            if op.after:
                self.waiting.setdefault(op.after, []).append(op)
            else:
                self.schedule(op.at, lambda op=op: self.begin(op))  # type: ignore[misc]
        for fault in self.plan.faults:
            what = describe_fault(fault, self.names["redis"], self.plan.names)
            if fault.target != "server":  # that one is told of when it comes
                self.schedule(fault.start, lambda what=what: self.note("fault", f"begins: {what}"))  # type: ignore[misc]
                self.schedule(fault.end, lambda what=what: self.note("fault", f"is over: {what}"))  # type: ignore[misc]
        try:
            plan = self.plan
            self.drive(self.host.begin(plan.seed, self.epoch, plan.servers, plan.values, plan.own))
            self.host.end()
        except HostLost as lost:
            self.history.tell()
            lost.history = self.history
            raise
        return self.history

    def drive(self, step: Step) -> None:
        for _ in range(STEPS):
            for event in step.events:
                self.take(event)
            if self.history.troubles and self.history.troubles[-1].kind in ("busy", "unmade"):
                break
            actions = self.next(step)
            if actions is None:
                break
            step = self.host.step(actions)
        else:
            self.trouble("budget", f"did not come to an end within {STEPS} steps", None)

    def next(self, step: Step) -> Actions | None:
        """Let time pass until something reaches the component; None: nothing more will."""
        while True:
            due = self.queue[0][0] if self.queue else None
            if self.unfinished == 0:
                return None
            if step.timer is not None and (due is None or step.timer < due):
                if step.timer > self.last_planned() + HORIZON:
                    return None
                self.now = max(self.now, step.timer)
                return [["time", self.now]]
            if due is None:
                return None
            actions = self.happen()
            if actions:
                return [["time", self.now], *actions]

    def happen(self) -> Actions:
        t, _, happening = heapq.heappop(self.queue)
        self.now = max(self.now, t)
        actions = happening()
        if self.plan.batch:
            while self.queue and self.queue[0][0] <= t + 0.02:
                actions += heapq.heappop(self.queue)[2]()
        return actions

    def last_planned(self) -> float:
        return max(self.last_end, self.last_at)

    def schedule(self, t: float, happening: Happening) -> None:
        heapq.heappush(self.queue, (t, next(self.order), happening))

    # --- operations

    def begin(self, op: Op) -> Actions:
        if op.do in ("call", "each"):
            return self.begin_call(op)
        actions: Actions = []
        if op.do == "cancel":
            number = self.call_numbers.get(op.target)
            if number is not None and self.calls[number].outcome == "pending":
                self.calls[number].cancelled_at = self.now
                self.note("client", f"{op.target} goes away: the call is cancelled")
                actions = [["cancel", number]]
        elif op.do in ("put", "delete", "event"):
            self.note("store" if op.do != "event" else "world", self.model.happen(self.now, op))
        elif op.do == "crash":
            actions = self.crash(op.server)
        elif op.do == "clock":
            actions = self.set_clock(op.server, op.args[0])
        elif op.do == "flush":
            self.redis.model.flush()
            self.note("fault", f"the {self.names['redis']} loses everything")
        elif op.do == "redis":
            self.history.readings[op.name] = self.redis.model.do(*op.args)
            if op.text:
                self.note("world", op.text)
        elif op.do == "inspect":
            self.history.inspections[op.name] = self.redis.model.ttls()
        elif op.do == "weigh":
            self.weigh_label = op.name
            actions = [["weigh"]]
        self.history.op_times[op.name] = self.now
        self.finished(op.name)
        self.react(None)
        return actions

    def begin_call(self, op: Op) -> Actions:
        number = len(self.calls)
        call = Call(op.name, op.server, op.method, op.args, self.now)
        self.calls[number] = self.history.calls[op.name] = call
        self.call_numbers[op.name] = number
        told = show_call(op)
        self.note("client", f"{op.name}: {told} on {self.plan.called(op.server)}")
        return [[op.do, number, op.server, op.method, list(op.args)]]

    def finished(self, name: str) -> None:
        self.unfinished -= 1
        self.last_end = max(self.last_end, self.now)
        for op in self.waiting.pop(name, []):
            self.schedule(self.now + op.at, lambda op=op: self.begin(op))  # type: ignore[misc]

    def react(self, ended: Call | None) -> None:
        """Has the model say what is done next."""
        for op in self.model.react(self.now, ended):
            self.unfinished += 1
            self.planned.add(op.name)
            self.schedule(self.now + op.at, lambda op=op: self.begin(op))  # type: ignore[misc]

    def crash(self, server: int) -> Actions:
        """The server's memory and calls are gone; what it has sent arrives all the same."""
        self.history.crashes.append((self.now, server))
        self.lives[server] += 1
        self.note("fault", f"{self.plan.called(server)} is killed, and started again with nothing in memory")
        pending = [n for n, call in self.calls.items() if call.server == server and call.outcome == "pending"]
        for number in pending:
            self.settle(number, "crashed", "never hears back: its server died")
        self.redis.hang_up(server)
        return [["crash", server]]

    def set_clock(self, server: int, by: float) -> Actions:
        self.skews[server] += by
        way = "forward" if by >= 0 else "back"
        self.note("fault", f"the clock of {self.plan.called(server)} is set {way} by {abs(by):g} s")
        return [["clock", server, self.skews[server]]]

    # --- what the component asks and tells

    def take(self, event: Event) -> None:
        kind = event[0]
        self.takers[kind](*event[1:])

    def pending(self, number: int) -> Call:
        call = self.calls.get(number)
        if call is None or call.outcome != "pending":
            raise HostLost("the component's process answered a call that nobody made")
        return call

    def settle(self, number: int, outcome: str, what: str, line: int | None = None) -> Call:
        call = self.pending(number)
        call.ended, call.outcome = self.now, outcome
        self.note("client", f"{call.name} {what}", line)
        if call.name in self.planned:
            self.finished(call.name)
        self.react(call)
        return call

    def take_return(self, number: int, value: Any, line: int | None) -> None:
        call = self.pending(number)
        call.value = self.believed(call.method, value)
        self.settle(number, "returned", f"gets {show(call.value)}")

    def take_each(self, number: int, answers: list[Any], line: int | None) -> None:
        call = self.pending(number)
        if len(answers) != len(call.args):
            raise HostLost("the component's process gave more or fewer answers than there were questions")
        for answer in answers:
            if "error" in answer:
                self.never_leaves(answer["error"])
            else:
                answer["value"] = self.believed(call.method, answer["value"])
        call.value = answers
        self.settle(number, "returned", f"gets {show_answers(answers)}", line)

    def believed(self, method: str, value: Any) -> Any:
        spec = self.schema["methods"].get(method, {"returns": "none"})
        return kinds.believed(value, spec["returns"], self.schema.get("types", {}))

    def take_raise(self, number: int, error: dict[str, Any], line: int | None) -> None:
        self.never_leaves(error)
        call = self.pending(number)
        call.error = error
        self.settle(number, "raised", f"gets {error['type']}: {error['message'][:120]}", error["line"])

    def never_leaves(self, error: dict[str, Any]) -> None:
        """HostLost for what would have ended a server."""
        if "builtins.MemoryError" in error["bases"]:
            raise HostLost("the component asked for more memory than a server has", error["line"])
        if "builtins.SystemExit" in error["bases"] or "builtins.KeyboardInterrupt" in error["bases"]:
            raise HostLost(f"the component ended the process by {error['type']}", error["line"])

    def take_cancelled(self, number: int, line: int | None) -> None:
        self.settle(number, "cancelled", "is cancelled")

    def take_made(self, server: int, lifecycle: list[Any], line: int | None) -> None:
        if server not in range(self.plan.servers):
            raise HostLost("the component's process made an instance that nobody asked for")
        if "start" in lifecycle:
            again = f" again ({self.lives[server]})" if self.lives[server] else ""
            op = Op(f"start {self.plan.called(server)}{again}", "call", server=server, method="start")
            self.schedule(self.now, lambda: self.begin_call(op))

    def take_unmade(self, server: int, error: dict[str, Any], line: int | None) -> None:
        self.trouble(
            "unmade", f"raised in its constructor: {error['type']}: {error['message']}", error["line"]
        )

    def take_blocked(self, seconds: float, line: int | None) -> None:
        self.trouble("blocked", f"blocked the event loop for {seconds:g} s (time.sleep)", line)

    def take_refused(self, what: str, line: int | None) -> None:
        self.trouble("refused", f"tried {what[:100]}", line)

    def take_busy(self, line: int | None) -> None:
        self.trouble("busy", "kept the event loop turning without ever waiting for anything", line)

    def take_unawaited(self, server: int, line: int | None) -> None:
        self.check_server(server)
        if line is not None and line not in self.history.unawaited:
            self.history.unawaited.append(line)
            self.note(
                self.plan.called(server), "calls what is async without `await`: nothing comes of it", line
            )

    def take_exit(self, line: int | None) -> None:
        raise HostLost("the component ended the process", line)

    def take_weight(self, blocks: int, line: int | None) -> None:
        self.history.weights[self.weigh_label] = blocks

    # --- what a request meets

    def check_server(self, server: int) -> None:
        if server not in range(self.plan.servers):
            raise HostLost("the component's process sent a request that cannot be")

    def maybe_crash(self, server: int) -> None:
        """The server may die at the moment at which it sends a request: between this effect and the next."""
        if self.conditions.fault("server", server, self.now) is not None:
            self.schedule(self.now, lambda: self.crash(server))

    # --- the record

    def note(self, who: str, what: str | Callable[[], str], line: int | None = None) -> Actions:
        if len(self.history.notes) < MOMENTS:
            self.history.notes.append((self.now, who, what, line))
        return []

    def trouble(self, kind: str, text: str, line: int | None) -> None:
        self.history.troubles.append(Trouble(kind, round(self.now, 6), text, line))
        self.note("app", f"{kind}: {text}", line)
