"""The faults: how each begins and ends, what shows that it met work, and what it may cost."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from reference.platform.settings import Settings
from workbench.stack import Metrics, Stack

Doing = Callable[[Stack], object]
Met = Callable[[Metrics, Metrics], bool]


LASTS = 4.0
"""Seconds that a fault lasts, unless it takes longer to meet work."""


@dataclass(frozen=True, slots=True)
class Fault:
    """`met`: whether the app servers' metrics, before the fault and at its end, show that it met work; None: visitors
    ask for what it takes away all the time, so there was work. `may_lose`: clicks that were answered and may go
    uncounted. `setting`: of the servers, while it lasts: (name, value, value afterwards). `rates`: of journeys that
    have to be more frequent for it. `lasts`: seconds."""

    begin: Doing
    end: Doing
    met: Met | None = None
    may_lose: int = 0
    setting: tuple[str, object, object] | None = None
    rates: Mapping[str, float] = field(default_factory=dict)
    lasts: float = LASTS


def grew(metric: str, *outcomes: str) -> Met:
    """A figure of that metric with one of these outcomes has grown."""

    def met(before: Metrics, after: Metrics) -> bool:
        return any(
            after.value(metric, outcome=outcome) > before.value(metric, outcome=outcome)
            for outcome in outcomes
        )

    return met


def kill(stack: Stack, service: str) -> None:
    """It is gone. Where services share a process (embedded), its edges refuse, as a dead one's would."""
    stack.kill(service) if service in stack.status().roles else stack.cut(service)


def pause(stack: Stack, service: str) -> None:
    """It takes connections and answers nothing."""
    stack.pause(service) if service in stack.status().roles else stack.hang(service)


def revive(stack: Stack, service: str) -> None:
    stack.revive(service) if service in stack.status().roles else stack.mend(service)


def killed(service: str, **more: object) -> Fault:
    return Fault(lambda stack: kill(stack, service), lambda stack: revive(stack, service), **more)  # type: ignore[arg-type]


def paused(service: str, **more: object) -> Fault:
    return Fault(lambda stack: pause(stack, service), lambda stack: revive(stack, service), **more)  # type: ignore[arg-type]


def cut(target: str, **more: object) -> Fault:
    """The service lives, and nobody reaches it: connections are refused, and open ones end."""
    return Fault(lambda stack: stack.cut(target), lambda stack: stack.mend(target), **more)  # type: ignore[arg-type]


def slowed(target: str, seconds: float, **more: object) -> Fault:
    """All that goes there and comes back takes `seconds` longer, each way."""
    return Fault(lambda stack: stack.slow(target, seconds), lambda stack: stack.mend(target), **more)  # type: ignore[arg-type]


def in_a_transaction(stack: Stack) -> None:
    """The consumer is killed while what it has counted is under way to the store. Effect and offset are one
    transaction, whose commit takes a while on a slow edge, so that one is open at nearly every moment."""
    stack.slow("consumer->store", 0.2)
    time.sleep(1.5)
    stack.kill("consumer")


def out_of_a_transaction(stack: Stack) -> None:
    stack.mend("consumer->store")
    stack.revive("consumer")


ONE_BUFFER = Settings().click_buffer
"""Clicks that a server may have in memory: the stated loss."""

CACHE_MET = grew("cache_commands_total", "error")
POOL_MET = grew("pool_commands_total", "error")
SHARD_MET = grew("store_operations_total", "unavailable", "timeout")
LOG_MET = grew("click_events_total", "retried")
AHEAD = 3600.0
"""Seconds that a wrong clock is ahead."""

FAULTS: dict[str, Fault] = {
    "nothing": Fault(lambda stack: None, lambda stack: None),
    "app server killed": killed("app-1", may_lose=ONE_BUFFER),
    "app server paused": paused("app-1"),
    "app server drained": Fault(lambda stack: stack.restart("app-1"), lambda stack: None, may_lose=0),
    "app server's clock wrong": Fault(
        lambda stack: stack.skew("app-1", AHEAD), lambda stack: stack.skew("app-1", 0)
    ),
    "cache killed": killed("cache", met=CACHE_MET),
    "cache paused": paused("cache", met=CACHE_MET),
    "cache cut off": cut("cache", met=CACHE_MET),
    "cache slow": slowed("cache", 0.05),
    "cache flushed": Fault(
        lambda stack: stack.flush("cache"), lambda stack: None, met=grew("cache_commands_total", "ok")
    ),
    "edge cold": Fault(
        lambda stack: stack.flush("edge"),
        lambda stack: None,
        setting=("redirect_max_age", 2.0, 0.0),
        may_lose=10**9,
    ),
    # Each server has up to a hundred codes in hand, which must be used up first.
    "pool killed": killed(
        "pool", met=POOL_MET, setting=("code_strategy", "pool", "random"), rates={"shorten": 40.0}, lasts=10.0
    ),
    "shard killed": killed("shard-1", met=SHARD_MET),
    "shard paused": paused("shard-1", met=SHARD_MET),
    "shard slow": slowed("shard-1", 0.1),
    "store killed": killed("store"),
    "store paused": paused("store"),
    "log killed": killed("log", met=LOG_MET),
    "log paused": paused("log", met=LOG_MET),
    "consumer killed": killed("consumer"),
    "consumer killed in a transaction": Fault(in_a_transaction, out_of_a_transaction),
}
