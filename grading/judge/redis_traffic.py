"""What the component sends to its Redis: when it arrives, what comes back, or that nothing does."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from grading.judge import resp
from grading.judge.conditions import REDIS
from grading.judge.history import Trip
from grading.judge.protocol import HostLost
from grading.judge.wording import show_commands, show_reply

if TYPE_CHECKING:
    from grading.judge.redis_model import RedisModel
    from grading.judge.world import Actions, World

LATEST = 11.0
"""Seconds after which nothing that a connection carried is under way any more."""


class RedisTraffic:
    def __init__(self, world: World) -> None:
        self.world = world
        self.name = world.names["redis"]

    @functools.cached_property
    def model(self) -> RedisModel:
        """Made when it is first needed: most slots have no Redis."""
        from grading.judge.redis_model import RedisModel  # late: fakeredis loads while the host starts

        world = self.world
        return RedisModel(lambda: world.epoch + world.now, world.plan.seed)

    def take_write(self, server: int, connection: int, data: str, line: int | None) -> None:
        world = self.world
        world.check_server(server)
        try:
            commands = resp.parse_commands(data.encode("latin-1"))
        except (ValueError, UnicodeEncodeError):
            raise HostLost("the component's process sent what is no Redis command") from None
        trip = Trip(server, connection, commands, world.now, line)
        world.history.trips.append(trip)
        world.note(world.plan.called(server), lambda: f"to the {self.name}: {show_commands(commands)}", line)
        there, back = world.conditions.latency(self.name, server, REDIS)
        fault = world.conditions.fault(self.name, server, world.now)
        arrival = world.now + there
        trip.fault = fault.mode if fault is not None else ""
        if fault is None:
            world.schedule(arrival, lambda: self.execute(trip, back))
        elif fault.mode == "refuse":
            world.schedule(arrival, lambda: self.reset(trip))
        elif fault.mode == "error":
            reply = resp.error("LOADING Redis is loading the dataset in memory") * len(commands)
            world.schedule(arrival + back, lambda: self.feed(trip, reply))
        elif fault.mode == "no-answer":
            world.schedule(arrival, lambda: self.execute(trip, None))
        elif fault.mode == "late":
            world.schedule(world.now + fault.delay, lambda: self.execute(trip, None))
        elif fault.mode == "slow":
            world.schedule(arrival, lambda: self.execute(trip, fault.delay))
        world.maybe_crash(server)

    def take_close(self, server: int, connection: int, data: str, line: int | None) -> None:
        """The server hears of it after all that was sent before: at once, unless something is under way."""
        sent = (trip.sent for trip in self.world.history.trips if trip.connection == connection)
        last = max(sent, default=self.world.now)
        self.world.schedule(max(self.world.now, last + LATEST), lambda: self.forget(connection))

    def hang_up(self, server: int) -> None:
        """All connections of a server that has died."""
        for connection in {trip.connection for trip in self.world.history.trips if trip.server == server}:
            self.world.schedule(self.world.now + LATEST, lambda each=connection: self.forget(each))  # type: ignore[misc]

    def forget(self, connection: int) -> Actions:
        self.model.close(connection)
        return []

    def execute(self, trip: Trip, back: float | None) -> Actions:
        reply = self.model.execute(trip.connection, trip.commands)
        trip.executed = self.world.now
        if back is not None:
            self.world.schedule(self.world.now + back, lambda: self.feed(trip, reply))
        if trip.fault in ("late", "no-answer"):
            self.world.note(self.name, f"does {show_commands(trip.commands)}, sent at {trip.sent:.4f} s")
        return []

    def feed(self, trip: Trip, reply: bytes) -> Actions:
        trip.answered = self.world.now
        server = self.world.plan.called(trip.server)
        self.world.note(self.name, lambda: f"answers {server}: {show_reply(reply)}")
        return [["feed", trip.server, trip.connection, reply.decode("latin-1")]]

    def reset(self, trip: Trip) -> Actions:
        trip.answered = self.world.now
        self.world.note(self.name, f"refuses {self.world.plan.called(trip.server)}")
        return [["reset", trip.server, trip.connection]]
