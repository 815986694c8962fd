"""A task is ended even if somebody on its way swallows a cancellation."""

import asyncio

import pytest

from reference.platform import tasks

pytestmark = pytest.mark.anyio


async def test_a_swallowed_cancellation_is_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "AGAIN", 0.01)
    swallowed = 0

    async def stubborn() -> None:
        nonlocal swallowed
        while True:
            try:
                await asyncio.sleep(3600)
            except asyncio.CancelledError:
                if swallowed == 2:
                    raise
                swallowed += 1

    async def failing() -> None:
        try:
            await asyncio.sleep(3600)
        finally:
            raise ValueError("on the way out")

    given = [asyncio.create_task(stubborn()), asyncio.create_task(failing())]
    await asyncio.sleep(0)
    await tasks.end([*given, None])
    assert [task.done() for task in given] == [True, True]
    assert swallowed == 2


async def test_nothing_to_end() -> None:
    await tasks.end([])
