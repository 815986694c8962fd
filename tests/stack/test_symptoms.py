"""Every wrong `redirect-cache` shows its symptom to clients of a live stack; the reference and the odd ones show none.

A wrong component sits on one server; all others hold the reference, whose layout in Redis it shares. An odd one has a
layout of its own, so two servers hold it: servers that share a cache must agree on what lies in it.
Servers are used in pairs, several pairs at once: every fault is on the edges of one server.
All of it takes minutes, and is for the slow lane.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

import httpx
import pytest
from workbench.stack import Stack

from grading.matrix import Kind, entries, filling
from tests.stack.clients import errors_logged
from tests.stack.symptoms import answered, probes
from tests.stack.symptoms.bench import SLOT, TTL, Bench

pytestmark = pytest.mark.anyio

PAIRS = [("app-2", "app-3"), ("app-4", "app-5"), ("app-6", "app-7"), ("app-8", "app-9")]

SETTINGS = {"store_timeout": 8.0, "cache_timeout": 1.0}

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Candidate:
    name: str
    source: str
    symptom: str = ""
    own_layout: bool = False


def listed(kind: Kind) -> list[Candidate]:
    """The manifest's `wrong` or `odd` ones."""
    return [
        Candidate(entry.name, entry.source, entry.symptom, own_layout=kind == "odd")
        for entry in entries(SLOT, kind)
    ]


WRONG = listed("wrong")
RIGHT = [Candidate("reference", filling(SLOT, "reference")), *listed("odd")]
SLOW_TO_SHOW = [one for one in WRONG if one.symptom == probes.TOO_LONG]
ON_NEW_LINKS = [one for one in WRONG if one.symptom == probes.NEW_LINK]


@pytest.fixture(
    scope="module",
    params=["embedded", pytest.param("local", marks=[pytest.mark.local, pytest.mark.slow, pytest.mark.soak])],
)
def profile(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def stack(profile: str) -> Iterator[Stack]:
    """A query may take seconds here: several symptoms show only then. A busy machine must not look like a cache
    that is away."""
    with Stack(profile=profile, servers=9, settings=SETTINGS) as stack:
        yield stack


@pytest.fixture(scope="module")
def sown(stack: Stack) -> dict[str, answered.Sown]:
    """Unknown codes that each component was asked for, before any of the tests below; then the TTL is made short."""

    async def sow() -> dict[str, answered.Sown]:
        found = await on_pairs(stack, [*RIGHT, *SLOW_TO_SHOW], lambda _, bench: answered.sow_unknown(bench))
        await asyncio.to_thread(stack.set, "cache_ttl", TTL)
        return found

    return asyncio.run(sow())


async def on_pairs(
    stack: Stack, candidates: list[Candidate], examine: Callable[[Candidate, Bench], Awaitable[T]]
) -> dict[str, T]:
    """Puts each candidate on the next free pair of servers and examines it there."""
    waiting = list(reversed(candidates))
    found: dict[str, T] = {}

    async def work(server: str, sibling: str) -> None:
        async with httpx.AsyncClient(limits=httpx.Limits(max_connections=100)) as client:
            while waiting:
                candidate = waiting.pop()
                bench = Bench(stack, server, sibling, client)
                holders = [server, sibling] if candidate.own_layout else [server]
                await asyncio.to_thread(stack.swap, SLOT, candidate.source, holders)
                try:
                    found[candidate.name] = await examine(candidate, bench)
                finally:
                    await asyncio.to_thread(stack.unswap, SLOT, holders)

    async with asyncio.TaskGroup() as pairs:
        for pair in PAIRS:
            pairs.create_task(work(*pair))
    return found


def test_every_symptom_has_somebody_who_shows_it() -> None:
    assert {one.symptom for one in WRONG} == probes.SYMPTOMS


@pytest.mark.slow
async def test_wrong_ones_show_their_symptom(stack: Stack, sown: dict[str, answered.Sown]) -> None:
    async def examine(candidate: Candidate, bench: Bench) -> str | None:
        for _ in range(5):  # a busy machine can hide a symptom that hangs on moments; it cannot make one up
            if shown := await probes.HERE[candidate.symptom](bench):
                return shown
        return None

    here = [one for one in WRONG if one.symptom in probes.HERE]
    seen = await on_pairs(stack, here, examine)
    assert [f"{one.name}: no {one.symptom}" for one in here if not seen[one.name]] == []


@pytest.mark.slow
@pytest.mark.parametrize("one_in", [6, pytest.param(1, marks=pytest.mark.soak)])
async def test_right_ones_show_none(stack: Stack, sown: dict[str, answered.Sown], one_in: int) -> None:
    seen = await on_pairs(stack, RIGHT[::one_in], lambda _, bench: probes.seen_of_all(bench))
    shown = {name: shown for name, shown in seen.items() if shown}
    servers = [server for pair in PAIRS for server in pair]
    assert shown == {}, f"{shown}\n{errors_logged(stack, servers)}"


@pytest.mark.slow
async def test_new_links(profile: str) -> None:
    with Stack(profile=profile, servers=3, settings=SETTINGS | {"code_length": 1}) as stack:
        async with httpx.AsyncClient() as client:
            bench = Bench(stack, "app-2", "app-3", client)
            shown = []
            for candidate in [*RIGHT, *ON_NEW_LINKS]:
                await asyncio.to_thread(
                    stack.flush, "cache"
                )  # the reference may have left what another can read
                await asyncio.to_thread(stack.swap, SLOT, candidate.source, "app-2")
                if await answered.new_link_is_404(bench):
                    shown.append(candidate.name)
    assert shown == [one.name for one in ON_NEW_LINKS]


@pytest.mark.slow
async def test_unknown_codes_are_forgotten(stack: Stack, sown: dict[str, answered.Sown]) -> None:
    """The last, for it has to wait until a minute has passed."""

    async def harvest(candidate: Candidate, bench: Bench) -> str | None:
        return await sown[candidate.name].harvest(bench)

    seen = await on_pairs(stack, [*RIGHT, *SLOW_TO_SHOW], harvest)
    assert [name for name, shown in seen.items() if shown] == [one.name for one in SLOW_TO_SHOW]


@pytest.mark.slow
def test_the_stack_has_served_on(stack: Stack, sown: dict[str, answered.Sown]) -> None:
    """Wrong is not broken: no server had to be started again for any of this."""
    assert [str(incident) for incident in stack.incidents() if incident.kind != "raised"] == []
