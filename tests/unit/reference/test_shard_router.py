"""The slot `url-shortener/shard-router`: both fillings, and how a router that serves is checked."""

import random
import subprocess
import sys
from collections import Counter
from typing import Any

import pytest

from reference.platform.contained import ComponentError
from reference.shortener.components import ALPHABET
from reference.shortener.plain.shard_router import ShardRouter as Plain
from reference.shortener.routers import RouterFactory
from reference.shortener.routing import Placement
from reference.shortener.shard_router import ShardRouter

FOUR = ("shard-1", "shard-2", "shard-3", "shard-4")


def random_codes(number: int) -> list[str]:
    draw = random.Random(3)
    return ["".join(draw.choices(ALPHABET, k=7)) for _ in range(number)]


CODES = {"random": random_codes(40_000), "in a row": [f"code{n:05}" for n in range(40_000)]}


@pytest.mark.parametrize("codes", CODES)
@pytest.mark.parametrize("number", [1, 2, 3, 4, 7])
@pytest.mark.parametrize("make", [ShardRouter, Plain])
def test_codes_spread_evenly(make: Any, number: int, codes: str) -> None:
    shards = [f"shard-{n}" for n in range(1, number + 1)]
    router = make(shards=shards)
    counts = Counter(router.shard_of(code) for code in CODES[codes])
    expected = len(CODES[codes]) / number
    assert set(counts) == set(shards)
    chi_square = sum((count - expected) ** 2 / expected for count in counts.values())
    assert chi_square < 23  # 6 degrees of freedom: one of a thousand even hashes is above


@pytest.mark.parametrize(("make", "share"), [(ShardRouter, 0.25), (Plain, 0.75)])
def test_from_three_shards_to_four(make: Any, share: float) -> None:
    three, four = make(shards=FOUR[:3]), make(shards=FOUR)
    moved = [code for code in CODES["random"] if three.shard_of(code) != four.shard_of(code)]
    assert len(moved) / len(CODES["random"]) == pytest.approx(share, abs=0.01)
    if make is ShardRouter:
        assert {four.shard_of(code) for code in moved} == {"shard-4"}


def test_a_shard_that_leaves_is_inherited_by_all_others() -> None:
    four, three = ShardRouter(shards=FOUR), ShardRouter(shards=["shard-1", "shard-2", "shard-4"])
    heirs = Counter(three.shard_of(code) for code in CODES["random"] if four.shard_of(code) == "shard-3")
    assert set(heirs) == {"shard-1", "shard-2", "shard-4"}
    assert min(heirs.values()) > 0.9 * max(heirs.values())
    stayed = [code for code in CODES["random"] if four.shard_of(code) != "shard-3"]
    assert all(three.shard_of(code) == four.shard_of(code) for code in stayed)


def test_the_reference_does_not_mind_in_which_order_it_is_told_the_shards() -> None:
    one, two = ShardRouter(shards=FOUR), ShardRouter(shards=FOUR[::-1])
    assert all(one.shard_of(code) == two.shard_of(code) for code in CODES["random"][:1000])


@pytest.mark.parametrize("module", ["shard_router", "plain.shard_router"])
def test_every_process_comes_to_the_same_answer(module: str) -> None:
    text = (
        f"from reference.shortener.{module} import ShardRouter\n"
        f"print([ShardRouter(shards={FOUR}).shard_of(c) for c in {CODES['random'][:20]}])"
    )
    runs = {
        subprocess.run(
            [sys.executable, "-c", text], env={"PYTHONHASHSEED": seed}, capture_output=True, check=True
        ).stdout
        for seed in ("1", "2")
    }
    assert len(runs) == 1


@pytest.mark.anyio
async def test_what_a_router_answers_is_checked() -> None:
    class Wrong:
        def __init__(self, *, shards: list[str]) -> None: ...

        def shard_of(self, code: str) -> str:
            if code == "raise":
                raise SystemExit
            return "shard-9"

    errors: list[str] = []
    factory = RouterFactory(count=errors.append, replace=Wrong)
    router = await factory.make(Placement({"filling": "reference"}, FOUR))
    with pytest.raises(ComponentError, match="no shard in use"):
        router.shard_of("abc")
    with pytest.raises(ComponentError, match="SystemExit"):
        router.shard_of("raise")
    assert errors == ["WrongAnswer", "SystemExit"]
    await router.close()


@pytest.mark.anyio
async def test_there_is_no_such_filling() -> None:
    with pytest.raises(ValueError, match="no filling 'other'"):
        await RouterFactory().make(Placement({"filling": "other"}, FOUR))
