"""Each fault under load, on real services: what was acknowledged is kept. What each journey does meanwhile is for the
table to say (`workbench chaos`): it depends on the machine, and no mark may."""

from dataclasses import replace

import pytest
from workbench.chaos.faults import FAULTS, LASTS, SHARD_MET, killed, paused, slowed
from workbench.chaos.run import run
from workbench.stack import Stack

pytestmark = [pytest.mark.slow, pytest.mark.compose, pytest.mark.anyio]


OTHERS = {
    f"{shard} {how}": fault
    for shard in ("shard-2", "shard-3")
    for how, fault in (
        ("killed", killed(shard, met=SHARD_MET)),
        ("paused", paused(shard, met=SHARD_MET)),
        ("slow", slowed(shard, 0.1)),
    )
}
"""What the table does to the first shard."""
EVERY = FAULTS | OTHERS
SHORTER = 3.0
"""Seconds that a fault lasts here, unless it takes longer to meet work."""


@pytest.mark.parametrize("name", EVERY)
async def test_nothing_acknowledged_is_lost_and_nothing_is_counted_twice(name: str, stack: Stack) -> None:
    fault = EVERY[name]
    if fault.lasts == LASTS:
        fault = replace(fault, lasts=SHORTER)
    outcome = await run(name, fault, stack, before=0.5, after=1.0)
    assert outcome.broken == []
    assert outcome.met, "the fault met no work"
    assert len(outcome.during) > 100
