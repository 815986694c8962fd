"""A slot under swaps: what is rejected, how the old component leaves, what becomes of what a component raises."""

import asyncio
import sys
from collections.abc import AsyncIterator
from typing import Any

import pytest

from reference.platform import contained, fillings
from reference.platform.contained import LONGEST, TOLD, ComponentError, Slot
from reference.platform.errors import Unavailable
from reference.platform.fillings import Equipment
from reference.platform.modules import ComponentRejected, line_in_component
from reference.platform.slots import SlotHolder

pytestmark = pytest.mark.anyio

SLOT = Slot("case/echo", "Echo", {"say": (Unavailable,)}, {})

PLAIN = """
class Echo:
    def __init__(self, *, notes):
        self.notes = notes

    async def say(self, text):
        return text

    async def start(self): self.notes.append("start")
    async def drain(self): self.notes.append("drain")
    async def stop(self): self.notes.append("stop")
"""


class World:
    def __init__(self) -> None:
        self.notes: list[str] = []
        self.events: list[dict[str, Any]] = []
        self.errors: list[str] = []
        self.holder = SlotHolder(SLOT, self.equip, self.events.append, self.errors.append)

    def equip(self) -> Equipment:
        async def close() -> None:
            self.notes.append("close")

        return Equipment({"notes": self.notes}, close)

    async def put(self, body: str, before: str = "") -> Any:
        """Swaps in a component whose `say` has `body`, four lines below `before`."""
        head = "class Echo:\n    def __init__(self, notes): pass\n    async def say(self, text):\n"
        source = f"{before}{head}        {body}\n"
        return await self.holder.put_source(source, "yours")


@pytest.fixture
async def world() -> AsyncIterator[World]:
    world = World()
    yield world
    await world.holder.stop()


async def test_a_component_lives_from_start_to_stop(world: World) -> None:
    answer = await world.holder.put_source(PLAIN, "first")
    assert answer == {"slot": "case/echo", "filling": "first", "problems": []}
    assert await world.holder.call("say", "hello") == "hello"
    await world.put("return text.upper()")
    assert await world.holder.call("say", "hello") == "HELLO"
    assert world.notes == ["start", "drain", "stop", "close"]
    assert world.holder.filling == "yours"


async def test_the_old_component_ends_its_calls_before_it_is_drained(world: World) -> None:
    await world.holder.put_source(
        PLAIN.replace("return text", "await text.wait(); self.notes.append('said')"), "a"
    )
    go = asyncio.Event()
    call = asyncio.create_task(world.holder.call("say", go))
    await asyncio.sleep(0)
    swap = asyncio.create_task(world.put("return text"))
    await asyncio.sleep(0.01)
    assert await world.holder.call("say", "new") == "new"
    assert world.notes == ["start"]
    go.set()
    await swap
    await call
    assert world.notes == ["start", "said", "drain", "stop", "close"]


async def test_a_component_that_never_ends_a_call_is_left_behind(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.put("import asyncio; await asyncio.sleep(60)")
    call = asyncio.create_task(world.holder.call("say", "x"))
    await asyncio.sleep(0)
    monkeypatch.setattr(fillings, "PATIENCE", 0.05)
    answer = await world.put("return text")
    assert answer["problems"] == ["1 calls had not ended after 0 s"]
    call.cancel()
    await asyncio.gather(call, return_exceptions=True)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("class Echo\n", r"cannot be loaded \(line 1\): SyntaxError"),
        ("x = 1\n\nboom\n", r"cannot be loaded \(line 3\): NameError"),
        ("import sys\nsys.exit(3)\n", r"cannot be loaded \(line 2\): SystemExit: 3"),
        ("x = 1\n", "defines no class Echo"),
        ("Echo = 7\n", "defines no class Echo"),
        ("class Echo:\n    pass\n", "cannot be constructed: TypeError"),
        ("class Echo:\n    def __init__(self, notes): 1/0\n", r"constructed \(line 2\): ZeroDivisionError"),
        ("class Echo:\n    def __init__(self, notes): pass\n", "Echo has no method say"),
        (PLAIN.replace("async def say", "def say"), r"Echo\.say must be defined with `async def`"),
        (
            PLAIN.replace('self.notes.append("start")', "raise KeyError(1)"),
            r"start failed \(line 9\): KeyError",
        ),
    ],
)
async def test_what_cannot_serve_is_rejected_and_the_old_one_stays(
    world: World, source: str, message: str
) -> None:
    await world.holder.put_source(PLAIN, "old")
    modules = set(sys.modules)
    with pytest.raises(ComponentRejected, match=message):
        await world.holder.put_source(source, "new")
    assert world.holder.filling == "old"
    assert await world.holder.call("say", "still") == "still"
    assert set(sys.modules) == modules


async def test_a_module_is_forgotten_with_its_component(world: World) -> None:
    modules = set(sys.modules)
    await world.put("return text")
    assert len(set(sys.modules) - modules) == 1
    await world.put("return text")
    assert len(set(sys.modules) - modules) == 1
    await world.holder.again()
    assert await world.holder.call("say", "again") == "again"
    assert len(set(sys.modules) - modules) == 1
    await world.holder.stop()
    assert set(sys.modules) == modules


async def test_a_component_may_use_dataclasses(world: World) -> None:
    before = "from __future__ import annotations\nfrom dataclasses import dataclass\n@dataclass\nclass P:\n    x: int\n"
    await world.put("return P(text).x", before)
    assert await world.holder.call("say", 3) == 3


async def test_the_contracts_errors_pass(world: World) -> None:
    before = "from reference.platform.errors import Unavailable\n"
    await world.put("raise Unavailable('store')", before)
    with pytest.raises(Unavailable):
        await world.holder.call("say", "x")
    assert world.errors == []


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ("raise KeyError('x')", "KeyError"),
        ("raise TimeoutError", "TimeoutError"),
        ("import asyncio; raise asyncio.CancelledError", "CancelledError"),
        ("raise GeneratorExit", "GeneratorExit"),
        ("raise BaseException", "BaseException"),
    ],
)
async def test_anything_else_is_the_components_error(world: World, body: str, error: str) -> None:
    await world.put(body)
    with pytest.raises(ComponentError, match="line 4") as caught:
        await world.holder.call("say", "x")
    assert (caught.value.error, caught.value.slot) == (error, "case/echo")
    assert world.errors == [error]
    assert line_in_component(caught.value, "case/echo") == 4
    (told,) = world.events
    assert (told["kind"], told["component"], told["line"]) == ("raised", "case/echo", 4)
    assert error in told["what"]


async def test_an_error_is_told_once_a_line_and_anew_of_another_component(world: World) -> None:
    body = "raise KeyError(text) if text == 'a' else ValueError(text)"
    for _ in range(2):
        await world.put(body)
        for text in "aabab":
            with pytest.raises(ComponentError):
                await world.holder.call("say", text)
    assert [told["what"] for told in world.events] == [
        "say raised KeyError: 'a'",
        "say raised ValueError: b",
    ] * 2
    assert len(world.errors) == 10


async def test_what_raises_ever_new_errors_floods_nobody(world: World) -> None:
    await world.put("raise type(text, (Exception,), {})('x' * 1000)")
    for number in range(50):
        with pytest.raises(ComponentError):
            await world.holder.call("say", f"E{number}")
    assert len(world.events) == TOLD
    assert all(len(told["what"]) == LONGEST for told in world.events)


@pytest.mark.parametrize("name", ["SystemExit", "KeyboardInterrupt"])
async def test_an_attempt_to_exit_is_told_and_comes_to_nothing(world: World, name: str) -> None:
    await world.put(f"raise {name}")
    with pytest.raises(ComponentError):
        await world.holder.call("say", "x")
    assert world.events == [{"kind": "exited", "component": "case/echo", "line": 4, "what": f"raised {name}"}]


async def test_a_cancelled_call_is_cancelled_and_no_error(world: World) -> None:
    await world.put("import asyncio; await asyncio.sleep(60)")
    call = asyncio.create_task(world.holder.call("say", "x"))
    await asyncio.sleep(0.01)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert world.errors == []


async def test_a_call_without_end_is_ended(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contained, "PATIENCE", 0.02)
    await world.put("import asyncio; await asyncio.sleep(60)")
    with pytest.raises(ComponentError, match="not answered"):
        await world.holder.call("say", "x")


async def test_a_component_that_leaves_badly_leaves(world: World) -> None:
    source = PLAIN.replace('self.notes.append("drain")', "raise SystemExit")
    await world.holder.put_source(source.replace('self.notes.append("stop")', "raise KeyError('no')"), "bad")
    answer = await world.put("return text")
    assert answer["problems"] == ["drain raised SystemExit: ", "stop raised KeyError: 'no'"]
    assert world.notes == ["start", "close"]


class Pure:
    """A slot with a pure method."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self.errors: list[str] = []
        slot = Slot("case/double", "Double", {"of": (ValueError,)}, {}, pure=frozenset({"of"}))
        self.holder = SlotHolder(slot, lambda: Equipment({}, nothing), self.events.append, self.errors.append)

    async def put(self, body: str) -> Any:
        return await self.holder.put_source(f"class Double:\n    def of(self, n):\n        {body}\n", "yours")


async def nothing() -> None: ...


async def test_a_pure_method_is_called_at_once() -> None:
    pure = Pure()
    await pure.put("return 2 * n")
    assert pure.holder.call_pure("of", 21) == 42
    with pytest.raises(ComponentRejected, match="plain function"):
        await pure.holder.put_source("class Double:\n    async def of(self, n): pass\n", "yours")
    assert pure.holder.call_pure("of", 21) == 42


async def test_what_a_pure_method_raises() -> None:
    pure = Pure()
    await pure.put("raise [ValueError, KeyError, SystemExit][n](n)")
    with pytest.raises(ValueError, match="0"):
        pure.holder.call_pure("of", 0)
    for number in (1, 2):
        with pytest.raises(ComponentError, match="line 3"):
            pure.holder.call_pure("of", number)
    assert pure.errors == ["KeyError", "SystemExit"]
    assert [event["what"] for event in pure.events] == ["of raised KeyError: 1", "raised SystemExit"]


async def test_the_error_of_another_slots_component_keeps_its_name(world: World) -> None:
    await world.put("raise text")
    with pytest.raises(ComponentError) as caught:
        await world.holder.call("say", ComponentError("case/other", "KeyError", "Other.say raised KeyError"))
    assert caught.value.slot == "case/other"
    assert world.errors == []


async def test_an_unknown_filling(world: World) -> None:
    with pytest.raises(ValueError, match="no filling"):
        await world.holder.fill("nothing")


async def test_a_second_instance_that_cannot_be_made_leaves_the_first(world: World) -> None:
    once = PLAIN.replace("self.notes = notes", "assert not notes, 'once only'; self.notes = notes")
    await world.holder.put_source(once, "once")
    modules = set(sys.modules)
    with pytest.raises(ComponentRejected, match="once only"):
        await world.holder.again()
    assert await world.holder.call("say", "still") == "still"
    assert set(sys.modules) == modules
