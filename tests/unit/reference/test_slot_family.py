"""A slot with a component for each piece of work: how members are made, fail, and are replaced."""

from typing import Any

import pytest

from reference.platform.errors import Unavailable
from reference.platform.modules import ComponentRejected
from reference.platform.slot_family import SlotFamily
from reference.platform.slots import ComponentError, Slot

pytestmark = pytest.mark.anyio

SLOT = Slot("case/adder", "Adder", {"add": (Unavailable,)}, {})

ADDER = """
from reference.platform.errors import Unavailable

class Adder:
    def __init__(self, *, start):
        if start < 0:
            raise KeyError(start)
        self.total = start

    async def add(self, number):
        if number == 0:
            raise Unavailable("zero")
        self.total += number
        return self.total
"""


class World:
    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self.errors: list[str] = []
        self.family = SlotFamily(SLOT, lambda: {"start": 0}, self.events.append, self.errors.append)


async def test_members_are_apart_and_a_swap_makes_new_ones() -> None:
    world = World()
    await world.family.put_source(ADDER, "first")
    one, other = world.family.member(start=10), world.family.member(start=20)
    assert [await one.call("add", 1), await other.call("add", 1), await one.call("add", 1)] == [11, 21, 12]
    assert world.family.is_current(one)
    await world.family.put_source(ADDER.replace("+= number", "-= number"), "second")
    assert not world.family.is_current(one)
    assert await one.call("add", 1) == 13  # whoever has it may finish with it
    assert await world.family.member(start=10).call("add", 1) == 9
    assert world.family.filling == "second"


async def test_what_a_member_raises_is_the_contracts_or_a_component_error() -> None:
    world = World()
    await world.family.put_source(ADDER, "adder")
    member = world.family.member(start=1)
    with pytest.raises(Unavailable):
        await member.call("add", 0)
    with pytest.raises(ComponentError, match="line 13"):
        await member.call("add", None)
    with pytest.raises(ComponentError, match="line 7"):
        world.family.member(start=-1)
    assert world.errors == ["TypeError", "KeyError"]


async def test_what_cannot_be_made_is_rejected_and_members_of_before_go_on() -> None:
    world = World()
    await world.family.put_source(ADDER, "good")
    member = world.family.member(start=1)
    with pytest.raises(ComponentRejected, match="cannot be constructed"):
        await world.family.put_source(ADDER.replace("start < 0", "start == 0"), "bad")
    assert world.family.is_current(member)
    assert world.family.filling == "good"


async def test_an_attempt_to_exit_is_told() -> None:
    world = World()
    await world.family.put_source(ADDER.replace("self.total += number", "raise SystemExit"), "exits")
    with pytest.raises(ComponentError):
        await world.family.member(start=1).call("add", 1)
    assert [event["kind"] for event in world.events] == ["exited"]
