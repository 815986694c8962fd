"""What the capstone does for each slot: the settings that make the slot matter, and the faults that fit it.

A scene is the same for every seed but for who is hit and the exact moments. Times are fractions of the load's length.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field

EVERYTHING = frozenset({"shorten", "follow", "delete", "stats"})
NOTHING: frozenset[str] = frozenset()

SERVERS = ("app-1", "app-2", "app-3")
CLICK_BUFFER = 100
"""Clicks in one server's memory at most: what one killed server may lose."""
SETTINGS = {
    "click_buffer": CLICK_BUFFER,
    "spare_shards": 1,
    "store_timeout": 3.0,  # generous: a busy machine must not look like a fault
    "cache_timeout": 0.5,
    "log_timeout": 0.5,
}
MEND_LAG = 1.5
"""Seconds after a fault's end in which errors are still its own: health checks take a moment."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is broken on purpose. `at`, `lasts`: seconds. `excuses`: the requests that may fail meanwhile.
    `meets`: the requests that must have been under way for it to have met any work."""

    kind: str
    """kill, cut, slow, flush, drain, reshard, set"""
    target: str
    at: float
    lasts: float = 0.0
    value: float | int | str = 0
    excuses: frozenset[str] = NOTHING
    meets: frozenset[str] = EVERYTHING

    @property
    def is_fault(self) -> bool:
        return self.kind != "set"

    def words(self) -> str:
        """As the report says it."""
        match self.kind:
            case "kill":
                return f"kill -9 {self.target}"
            case "cut":
                return f"the way {self.where} is cut"
            case "slow":
                return f"the way {self.where} is {self.value} s slower, in each direction"
            case "flush":
                return "the cache is emptied"
            case "drain":
                return "somebody takes all codes out of the key pool"
            case "reshard":
                return f"the links move onto {self.value} shards"
            case _:
                return f"{self.target} is set to {self.value}"

    @property
    def where(self) -> str:
        source, arrow, service = self.target.rpartition("->")
        return f"from {source} to the {service}" if arrow else f"to the {service}"


@dataclass(frozen=True, slots=True)
class Scene:
    """`strategy`: how codes are made. `repeats`: the share of new links to a URL that was shortened before. `race`:
    the moment (fraction) at which links are deleted while a slow server reads them; `deletions`: those at which
    links are deleted that everybody has just followed. `faults`: of a run."""

    strategy: str
    faults: tuple[Fault, ...]
    repeats: float = 0.15
    race: float | None = None
    deletions: tuple[float, ...] = ()
    keepers: int = 1
    drained: bool = False
    """Whether the key pool is empty when the component takes its place: then all codes are the component's own."""
    settings: dict[str, object] = field(default_factory=lambda: dict(SETTINGS))


def scene_for(slot: str, seed: int, seconds: float) -> Scene:
    """ValueError: there is no such slot."""
    dice = random.Random(f"{slot} {seed}")
    first, second = dice.sample(SERVERS, 2)

    def moment(fraction: float) -> float:
        return round(seconds * (fraction + dice.uniform(-0.015, 0.015)), 3)

    def kill(role: str, fraction: float, lasts: float = 1.0) -> Fault:
        if role.startswith("app"):
            return Fault("kill", role, moment(fraction), lasts, excuses=EVERYTHING)
        meets = frozenset({"follow"}) if role == "consumer" else frozenset({"shorten"})
        return Fault("kill", role, moment(fraction), lasts, meets=meets)

    def cut(target: str, fraction: float, excuses: set[str], meets: set[str]) -> Fault:
        return Fault("cut", target, moment(fraction), 1.2, 0, frozenset(excuses), frozenset(meets))

    def slow(target: str, fraction: float, by: float, excuses: set[str], meets: set[str]) -> Fault:
        return Fault("slow", target, moment(fraction), 1.5, by, frozenset(excuses), frozenset(meets))

    match slot.removeprefix("url-shortener/"):
        case "base62":
            return Scene(
                "hash",
                (
                    kill(first, 0.2),
                    Fault("set", "code_strategy", moment(0.4), value="snowflake"),
                    slow("store", 0.5, 0.15, {"shorten", "delete", "stats"}, {"shorten"}),
                    Fault("set", "code_strategy", moment(0.66), value="pool"),
                    kill(second, 0.75),
                ),
                drained=True,
            )
        case "hash-codes":
            return Scene(
                "hash",
                (
                    kill(first, 0.2),
                    slow("shards", 0.48, 0.25, set(EVERYTHING), {"shorten"}),
                    kill(second, 0.75),
                ),
                repeats=0.4,
            )
        case "snowflake-codes":
            away = {"shorten", "delete", "stats"}
            return Scene(
                "snowflake", (kill(first, 0.2), cut("store", 0.48, away, {"shorten"}), kill(second, 0.75))
            )
        case "key-pool":
            dry = Fault(
                "drain", "pool", moment(0.2), excuses=frozenset({"shorten"}), meets=frozenset({"shorten"})
            )
            return Scene(
                "pool",
                (
                    dry,
                    cut("pool", 0.42, {"shorten"}, {"shorten"}),
                    kill("keeper-1", 0.6),
                    kill(first, 0.75),
                ),
                drained=True,
            )
        case "redirect-cache":
            late = moment(0.38)
            return Scene(
                "random",
                (
                    cut("cache", 0.2, {"delete"}, {"follow"}),
                    Fault("flush", "cache", late - 0.25, meets=frozenset({"follow"})),
                    Fault(
                        "slow",
                        f"{first}->shards",
                        late,
                        2.2,
                        0.75,
                        EVERYTHING,
                        frozenset({"follow", "delete"}),
                    ),
                    Fault("flush", "cache", moment(0.59), meets=frozenset({"follow"})),
                    Fault(
                        "cut", f"{second}->shards", moment(0.59), 1.0, 0, EVERYTHING, frozenset({"follow"})
                    ),
                    slow("cache", 0.7, 0.4, {"delete"}, {"follow"}),
                    kill(second, 0.86),
                ),
                race=late / seconds,
                deletions=(0.23, 0.74),
            )
        case "shard-router":
            grow = Fault("reshard", "shards", moment(0.25), value=4)
            return Scene(
                "hash", (grow, kill("keeper-1", 0.27, 0.6), kill(first, 0.6)), repeats=0.3, keepers=2
            )
        case "click-aggregator":
            return Scene(
                "random",
                (
                    slow("log", 0.15, 0.4, set(), {"follow"}),  # appends time out, and are done all the same
                    kill("consumer", 0.38),
                    slow("consumer->store", 0.56, 0.2, set(), {"follow"}),
                    kill("consumer", 0.75),
                ),
            )
    raise ValueError(f"no slot {slot!r}; there are: {', '.join(SLOTS)}")


SLOTS = tuple(
    f"url-shortener/{name}"
    for name in (
        "base62",
        "hash-codes",
        "snowflake-codes",
        "key-pool",
        "redirect-cache",
        "shard-router",
        "click-aggregator",
    )
)
