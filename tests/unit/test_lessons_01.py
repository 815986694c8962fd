"""What 01-requirements shows beside the stack."""

import pytest
from workbench.lessons.alias_race import InsertDecides, LooksFirst, both_win

pytestmark = pytest.mark.anyio


async def test_whoever_looks_first_gives_a_name_to_two() -> None:
    assert await both_win(LooksFirst(), 20) == 20
    assert await both_win(InsertDecides(), 20) == 0
