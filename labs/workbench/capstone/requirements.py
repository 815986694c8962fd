"""The requirements' texts, and for each slot what to read when one is not met."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Requirement:
    id: str
    title: str
    points: float
    promise: str
    why: str


def requirements() -> tuple[Requirement, ...]:
    texts = tomllib.loads(Path(__file__).with_suffix(".toml").read_text("utf-8"))
    return tuple(Requirement(**each) for each in texts["requirements"])


CONTRACTS = {
    "base62": "codes.py: encode pads with the digit 0 on the left, and decode takes back what encode gave",
    "hash-codes": "codes.py: only a code that `claim` has granted is yours; a collision is answered with a fresh salt",
    "snowflake-codes": "codes.py: who takes over a worker number begins after its `floor`",
    "key-pool": "codes.py: what is drawn from `pool:unused` is yours alone; what was allotted and not added is lost",
    "redirect-cache": "redirect_cache.py: what `resolve` may answer, and what `invalidate` promises to whom",
    "shard-router": "shards.py: a pure function of the code and the shards, the same in every process",
    "click-aggregator": "clicks.py: clicks come again, late and out of order; every click counts once",
}
"""The docstring that says what is promised, in reference/shortener/components."""


def read_next(slot: str) -> str:
    """What to do now: the judge knows the cause better, for it chooses every interleaving."""
    name = slot.rpartition("/")[2]
    return (
        f"The contract: reference/shortener/components/{CONTRACTS[name]}. Then let the judge look for the smallest run "
        f"that shows the mistake: `workbench check FILE --slot {slot}`."
    )
