"""The capacity model on a stack that runs: it comes to an end, and to figures that can be. How large they are is the
machine's business, so nothing here depends on it."""

import asyncio
import math

import pytest
from workbench import calibrate, create_links
from workbench.stack import Stack


@pytest.mark.slow
def test_it_measures_fits_predicts_and_leaves_the_stack_as_it_was() -> None:
    async def run(stack: Stack) -> None:
        codes = await create_links(stack, 120)
        before = await asyncio.to_thread(stack.cpu)
        loads = ((40.0, 1.0), (120.0, 1.0), (60.0, 0.2))
        model = await calibrate(stack, codes, loads=loads, seconds=0.8)
        found = await model.check(rate=80.0, hit_rate=0.5, seconds=0.8)
        after = await asyncio.to_thread(stack.cpu)
        assert model.hit > 0
        for cost in (model.hit, model.miss, model.fixed, model.balancer):
            assert math.isfinite(cost)
            assert cost >= 0
        assert model.cost(0.5) > 0
        assert found.predicted > 0
        assert found.measured > 0
        assert math.isfinite(found.error)
        assert 0 < found.sample.misses < found.sample.redirects
        assert [sample.hit_rate < 0.7 for sample in model.samples] == [False, False, True]
        needed = model.servers_for(350_000, hit_rate=0.9)
        assert 1 <= needed.low <= needed.count <= needed.high
        assert set(after) == set(stack.status().roles)
        assert all(after[role] >= before[role] > 0 for role in before)

    with Stack(servers=2) as stack:
        asyncio.run(run(stack))
        assert stack.settings()["fast_path"] is True


def test_too_few_codes_are_refused_before_anything_is_measured() -> None:
    with pytest.raises(ValueError, match="3 codes"):
        asyncio.run(calibrate(Stack(), ["a", "b", "c"]))
