"""The faults: how each begins and ends, what shows that it met work, and what it may cost."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from compose.chaos.project import Project
from reference.platform.settings import Settings

Doing = Callable[[Project], object]
Figures = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Fault:
    """`met`: whether the app servers' metrics, before the fault and at its end, show that it met work; None: visitors
    ask for what it takes away all the time, so there was work. `may_lose`: clicks that were answered and may go
    uncounted. `setting`: of the servers, while it lasts: (name, value, value afterwards). `rates`: of journeys that
    have to be more frequent for it. `lasts`: seconds."""

    begin: Doing
    end: Doing
    met: Callable[[Figures, Figures], bool] | None = None
    may_lose: int = 0
    setting: tuple[str, str, str] | None = None
    rates: Mapping[str, float] = field(default_factory=dict)
    lasts: float = 4.0


def grew(metric: str, *labels: str) -> Callable[[Figures, Figures], bool]:
    """A figure of that metric with one of these labels has grown."""

    def met(before: Figures, after: Figures) -> bool:
        return any(
            after[name] > before.get(name, 0.0)
            for name in after
            if f" {metric}{{" in name and any(label in name for label in labels)
        )

    return met


def killed(service: str, **more: object) -> Fault:
    """It is gone, and so is its address: whoever calls it waits for an answer of nobody."""
    return Fault(lambda project: project.kill(service), lambda project: project.start(service), **more)  # type: ignore[arg-type]


def paused(service: str, **more: object) -> Fault:
    """It takes connections and answers nothing."""
    return Fault(
        lambda project: project.call("pause", service),
        lambda project: project.call("unpause", service),
        **more,  # type: ignore[arg-type]
    )


ONE_BUFFER = Settings().click_buffer
"""Clicks that a server may have in memory: the stated loss."""

CACHE_MET = grew("cache_commands_total", 'outcome="error"')
POOL_MET = grew("pool_commands_total", 'outcome="error"')
SHARD_MET = grew("store_operations_total", 'outcome="unavailable"', 'outcome="timeout"')
LOG_MET = grew("click_events_total", 'outcome="retried"')

FAULTS: dict[str, Fault] = {
    "nothing": Fault(lambda project: None, lambda project: None),
    "app server killed": killed("app-1", may_lose=ONE_BUFFER),
    "app server paused": paused("app-1"),
    "app server drained": Fault(
        lambda project: project.run("stop", "app-1"), lambda project: project.start("app-1")
    ),
    "cache killed": killed("cache", met=CACHE_MET),
    "cache paused": paused("cache", met=CACHE_MET),
    "cache flushed": Fault(
        lambda project: project.run("exec", "-T", "cache", "redis-cli", "flushall"),
        lambda project: None,
        met=grew("cache_commands_total", 'outcome="ok"'),
    ),
    # Each server has up to a hundred codes in hand, which must be used up first.
    "pool killed": killed(
        "pool", met=POOL_MET, setting=("code_strategy", "pool", "random"), rates={"shorten": 40.0}, lasts=10.0
    ),
    "shard killed": killed("shard-1", met=SHARD_MET),
    "shard paused": paused("shard-1", met=SHARD_MET),
    "store killed": killed("store"),
    "store paused": paused("store"),
    "log killed": killed("kafka", met=LOG_MET),
    "log paused": paused("kafka", met=LOG_MET),
    "consumer killed": killed("consumer"),
}
