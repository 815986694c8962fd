"""One run: the judge plays the world around the component, in virtual time, one event after another.

A queue holds what is going to happen: operations begin, commands arrive at the cache, answers come back. The host
reports when the component rests; the world then lets the next thing happen, or the component's next timer fire,
whichever is due first. How long each request takes is drawn from the seed, so the seed chooses the interleaving.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable
from typing import Any, Protocol

from grading.judge import resp
from grading.judge.conditions import Conditions
from grading.judge.history import Ask, Call, History, Trip, Trouble
from grading.judge.hosting import Host
from grading.judge.plan import Op, Plan
from grading.judge.protocol import Event, HostLost, Step
from grading.judge.report import Moment
from grading.judge.wording import describe_fault, server_name, show, show_commands, show_reply

EPOCH = 1_750_000_000.0
"""POSIX seconds at which every run begins. The same for all seeds: a report of a mark must not tell the seed."""

HORIZON = 30.0
"""Virtual seconds after the last operation within which every call must have ended."""

STEPS = 4_000
"""Turns with the host in one run."""

MOMENTS = 4_000

Actions = list[list[Any]]
Happening = Callable[[], Actions]


class Store(Protocol):
    """The judge's own model of what is behind the port: the oracle."""

    def put(self, t: float, row: dict[str, Any]) -> str:
        """Create the row; says what was done, for the timeline."""
        ...

    def delete(self, t: float, key: str) -> str: ...

    def answer(self, t: float, method: str, args: list[Any]) -> Any:
        """What the port's method returns if the store is read at `t`. ValueError: no such call."""
        ...


def run(host: Host, plan: Plan, store: Store) -> History:
    """Carry out the plan. HostLost if the component takes its process away."""
    return World(host, plan, store).run()


class World:
    def __init__(self, host: Host, plan: Plan, store: Store) -> None:
        self.host = host
        self.plan = plan
        self.store = store
        self.now = 0.0
        self.epoch = EPOCH
        from grading.judge.redis_model import RedisModel  # late: fakeredis loads while the host starts

        self.cache = RedisModel(lambda: self.epoch + self.now)
        self.history = History()
        self.conditions = Conditions(plan, self.history)
        self.queue: list[tuple[float, int, Happening]] = []
        self.order = itertools.count()
        self.calls: dict[int, Call] = {}
        self.call_numbers: dict[str, int] = {}
        self.waiting: dict[str, list[Op]] = {}
        self.planned = {op.name for op in plan.ops}
        self.unfinished = len(plan.ops)
        self.last_end = 0.0
        self.asked: dict[int, Ask] = {}
        self.weigh_label = ""

    # --- the turns

    def run(self) -> History:
        for row in self.plan.rows:
            self.store.put(0.0, {**row, "expires_at": self.epoch + row["expires_at"]})
        for op in self.plan.ops:
            if op.after:
                self.waiting.setdefault(op.after, []).append(op)
            else:
                self.schedule(op.at, lambda op=op: self.begin(op))  # type: ignore[misc]
        for fault in self.plan.faults:
            what = describe_fault(fault)
            self.schedule(fault.start, lambda what=what: self.note("fault", f"begins: {what}"))  # type: ignore[misc]
            self.schedule(fault.end, lambda what=what: self.note("fault", f"is over: {what}"))  # type: ignore[misc]
        values = {"ttl": self.plan.ttl}
        try:
            self.drive(self.host.begin(self.plan.seed, self.epoch, self.plan.servers, values))
            self.host.end()
        except HostLost as lost:
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
        return max([self.last_end, *(op.at for op in self.plan.ops if not op.after)])

    def schedule(self, t: float, happening: Happening) -> None:
        heapq.heappush(self.queue, (t, next(self.order), happening))

    # --- operations

    def begin(self, op: Op) -> Actions:
        if op.do == "call":
            return self.begin_call(op)
        actions: Actions = []
        if op.do == "cancel":
            number = self.call_numbers.get(op.target)
            if number is not None and self.calls[number].outcome == "pending":
                self.calls[number].cancelled_at = self.now
                self.note("client", f"{op.target} goes away: the call is cancelled")
                actions = [["cancel", number]]
        elif op.do == "put":
            row = dict(op.args[0])
            row["expires_at"] += self.epoch
            self.note("store", self.store.put(self.now, row))
        elif op.do == "delete":
            self.note("store", self.store.delete(self.now, op.args[0]))
        elif op.do == "flush":
            self.cache.flush()
            self.note("fault", "the cache loses everything")
        elif op.do == "inspect":
            self.history.inspections[op.name] = self.cache.ttls()
        elif op.do == "weigh":
            self.weigh_label = op.name
            actions = [["weigh"]]
        self.history.op_times[op.name] = self.now
        self.finished(op.name)
        return actions

    def begin_call(self, op: Op) -> Actions:
        number = len(self.calls)
        call = Call(op.name, op.server, op.method, op.args, self.now)
        self.calls[number] = self.history.calls[op.name] = call
        self.call_numbers[op.name] = number
        self.note(
            "client", f"{op.name}: {op.method}({', '.join(map(repr, op.args))}) on {server_name(op.server)}"
        )
        return [["call", number, op.server, op.method, list(op.args)]]

    def finished(self, name: str) -> None:
        self.unfinished -= 1
        self.last_end = max(self.last_end, self.now)
        for op in self.waiting.pop(name, []):
            self.schedule(self.now + op.at, lambda op=op: self.begin(op))  # type: ignore[misc]

    # --- what the component asks and tells

    def take(self, event: Event) -> None:
        getattr(self, f"take_{event[0]}")(*event[1:])

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
        return call

    def take_return(self, number: int, value: Any, line: int | None) -> None:
        call = self.pending(number)
        call.value = value
        self.settle(number, "returned", f"gets {show(value)}")

    def take_raise(self, number: int, error: dict[str, Any], line: int | None) -> None:
        if "builtins.MemoryError" in error["bases"]:
            raise HostLost("the component asked for more memory than a server has", error["line"])
        if "builtins.SystemExit" in error["bases"] or "builtins.KeyboardInterrupt" in error["bases"]:
            raise HostLost(f"the component ended the process by {error['type']}", error["line"])
        call = self.pending(number)
        call.error = error
        self.settle(number, "raised", f"gets {error['type']}: {error['message'][:120]}", error["line"])

    def take_cancelled(self, number: int, line: int | None) -> None:
        self.settle(number, "cancelled", "is cancelled")

    def take_made(self, instance: int, lifecycle: list[Any], line: int | None) -> None:
        if instance not in range(self.plan.servers):
            raise HostLost("the component's process made an instance that nobody asked for")
        if "start" in lifecycle:
            name = f"start {server_name(instance)}"
            op = Op(name, "call", server=instance, method="start")
            self.schedule(0.0, lambda: self.begin_call(op))

    def take_unmade(self, instance: int, error: dict[str, Any], line: int | None) -> None:
        self.trouble(
            "unmade", f"raised in its constructor: {error['type']}: {error['message']}", error["line"]
        )

    def take_blocked(self, seconds: float, line: int | None) -> None:
        self.trouble("blocked", f"blocked the event loop for {seconds:g} s (time.sleep)", line)

    def take_refused(self, what: str, line: int | None) -> None:
        self.trouble("refused", f"tried {what[:100]}", line)

    def take_busy(self, line: int | None) -> None:
        self.trouble("busy", "kept the event loop turning without ever waiting for anything", line)

    def take_exit(self, line: int | None) -> None:
        raise HostLost("the component ended the process", line)

    def take_weight(self, blocks: int, line: int | None) -> None:
        self.history.weights[self.weigh_label] = blocks

    # --- the store

    def take_ask(
        self, request: int, server: int, port: str, method: str, args: list[Any], line: int | None
    ) -> None:
        if request in self.asked or server not in range(self.plan.servers):
            raise HostLost("the component's process sent a request that cannot be")
        ask = self.asked[request] = Ask(server, method, args, self.now, line)
        self.history.asks.append(ask)
        self.note(server_name(server), f"asks the store: {method}({', '.join(map(show, args))})", line)
        there, back = self.conditions.latency("store", server)
        fault = self.conditions.fault("store", server, self.now)
        if fault is not None and fault.mode in ("unavailable", "timeout"):
            error = {"unavailable": "Unavailable", "timeout": "TimedOut"}[fault.mode]
            wait = 1.0 if fault.mode == "timeout" else there + back
            self.schedule(self.now + wait, lambda: self.refuse(request, ask, error))
            return
        if fault is not None:
            back = fault.delay
        self.schedule(self.now + there, lambda: self.read(ask))
        self.schedule(self.now + there + back, lambda: self.answer(request, ask))

    def read(self, ask: Ask) -> Actions:
        ask.seen = self.now
        try:
            ask.value = self.store.answer(self.now, ask.method, ask.args)
        except ValueError as error:
            ask.error = str(error)
        return []

    def answer(self, request: int, ask: Ask) -> Actions:
        if ask.error:
            return self.refuse(request, ask, "Unavailable")
        ask.answered = self.now
        assert ask.seen is not None
        slow = f" (read at {ask.seen:.4f} s)" if self.now - ask.seen > 0.05 else ""
        self.note("store", f"answers {server_name(ask.server)}: {show(ask.value)}{slow}")
        return [["answer", request, ask.value]]

    def refuse(self, request: int, ask: Ask, error: str) -> Actions:
        ask.answered, ask.error = self.now, ask.error or error
        self.note("store", f"answers {server_name(ask.server)}: {ask.error}")
        return [["refuse", request, error, f"the store: {ask.error}"]]

    # --- the cache

    def take_write(self, server: int, connection: int, data: str, line: int | None) -> None:
        if server not in range(self.plan.servers):
            raise HostLost("the component's process sent a request that cannot be")
        try:
            commands = resp.parse_commands(data.encode("latin-1"))
        except (ValueError, UnicodeEncodeError):
            raise HostLost("the component's process sent what is no Redis command") from None
        trip = Trip(server, connection, commands, self.now, line)
        self.history.trips.append(trip)
        self.note(server_name(server), f"to the cache: {show_commands(commands)}", line)
        there, back = self.conditions.latency("cache", server)
        fault = self.conditions.fault("cache", server, self.now)
        if fault is None:
            self.schedule(self.now + there, lambda: self.execute(trip, back))
            return
        trip.fault = fault.mode
        if fault.mode == "refuse":
            self.schedule(self.now + there, lambda: self.reset(trip))
        elif fault.mode == "error":
            reply = resp.error("LOADING Redis is loading the dataset in memory") * len(commands)
            self.schedule(self.now + there + back, lambda: self.feed(trip, reply))
        elif fault.mode == "no-answer":
            self.schedule(self.now + there, lambda: self.execute(trip, None))
        elif fault.mode == "late":
            self.schedule(self.now + fault.delay, lambda: self.execute(trip, None))
        elif fault.mode == "slow":
            self.schedule(self.now + there, lambda: self.execute(trip, fault.delay))

    def take_close(self, server: int, connection: int, data: str, line: int | None) -> None:
        """The server hears of it after all that was sent before: at once, unless something is under way."""
        last = max((t.sent for t in self.history.trips if t.connection == connection), default=self.now)
        self.schedule(max(self.now, last + 11.0), lambda: self.forget(connection))

    def forget(self, connection: int) -> Actions:
        self.cache.close(connection)
        return []

    def execute(self, trip: Trip, back: float | None) -> Actions:
        reply = self.cache.execute(trip.connection, trip.commands)
        trip.executed = self.now
        if back is not None:
            self.schedule(self.now + back, lambda: self.feed(trip, reply))
        if trip.fault in ("late", "no-answer"):
            self.note("cache", f"does {show_commands(trip.commands)}, sent at {trip.sent:.4f} s")
        return []

    def feed(self, trip: Trip, reply: bytes) -> Actions:
        trip.answered = self.now
        self.note("cache", f"answers {server_name(trip.server)}: {show_reply(reply)}")
        return [["feed", trip.server, trip.connection, reply.decode("latin-1")]]

    def reset(self, trip: Trip) -> Actions:
        trip.answered = self.now
        self.note("cache", f"refuses {server_name(trip.server)}")
        return [["reset", trip.server, trip.connection]]

    # --- the record

    def note(self, who: str, what: str, line: int | None = None) -> Actions:
        if len(self.history.moments) < MOMENTS:
            self.history.moments.append(Moment(round(self.now, 6), who, what, line))
        return []

    def trouble(self, kind: str, text: str, line: int | None) -> None:
        self.history.troubles.append(Trouble(kind, round(self.now, 6), text, line))
        self.note("app", f"{kind}: {text}", line)
