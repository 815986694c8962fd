"""Each fault under load, on real services: what was acknowledged is kept. What each journey does meanwhile is for the
table to say (`python -m compose.chaos`): it depends on the machine, and no mark may."""

import pytest

from compose.chaos.faults import FAULTS
from compose.chaos.run import run
from tests.compose.conftest import Running

pytestmark = [pytest.mark.slow, pytest.mark.compose, pytest.mark.anyio]


@pytest.mark.parametrize("name", FAULTS)
async def test_nothing_acknowledged_is_lost_and_nothing_is_counted_twice(name: str, running: Running) -> None:
    outcome = await run(name, FAULTS[name], running.project, running.http)
    assert outcome.broken == []
    assert outcome.met, "the fault met no work"
    assert len(outcome.during) > 100
