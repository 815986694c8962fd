"""Who knows a thousand codes guesses the others no better than the density tells; and a counter would be found out."""

import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from reference.shortener.base62 import Base62
from reference.shortener.components import CODE_LENGTH, SNOWFLAKE_EPOCH
from reference.shortener.guessability import Guessing, guess
from reference.shortener.hash_codes import HashCodes
from reference.shortener.key_pool import KeyPool
from reference.shortener.permutation import Permutation
from reference.shortener.plain import hash_codes as plain_hash_codes
from reference.shortener.random_codes import RandomCodes
from reference.shortener.snowflake_codes import SnowflakeCodes
from reference.shortener.worker_ids import SqlWorkerIds
from tests.unit.reference.codes_world import KEY, Clock, MemoryNamespace, MemorySql

pytestmark = pytest.mark.anyio

ISSUED = 6000
KNOWN = 1000
NEXT_TO_NOTHING = 1e-6
"""What blind guessing brings by so small a chance, it does not bring."""


async def by_hash(make: Any = HashCodes) -> set[str]:
    codes, namespace = make(base62=Base62(), random=random.Random(1), key=KEY), MemoryNamespace()
    return {await codes.new_code(f"https://example.org/{n}", namespace) for n in range(ISSUED)}


async def by_snowflake() -> set[str]:
    """Three servers, ninety codes a second each."""
    clock, database, namespace = Clock(), MemorySql(), MemoryNamespace()
    servers = [
        SnowflakeCodes(base62=Base62(), workers=SqlWorkerIds(database, clock), clock=clock, key=KEY)
        for _ in range(3)
    ]
    issued = set()
    for n in range(ISSUED):
        clock.time += 1 / 270
        issued.add(await servers[n % 3].new_code("", namespace))
    return issued


async def by_pool() -> set[str]:
    keys = KeyPool(
        pool=None,  # type: ignore[arg-type]
        ranges=Ranges(),
        base62=Base62(),
        clock=Clock(),
        key=KEY,
        batch=1,
        low_water=1,
    )
    return {code for _ in range(ISSUED // 1000) for code in await keys.next_codes(1000)}


class Ranges:
    async def allot(self) -> range:
        return range(7 * ISSUED, 8 * ISSUED)


async def at_random() -> set[str]:
    codes, namespace = RandomCodes(random.Random(1)), MemoryNamespace()
    return {await codes.new_code("", namespace) for _ in range(ISSUED)}


@pytest.mark.parametrize("issue", [by_hash, by_snowflake, by_pool, at_random])
async def test_known_codes_do_not_help(issue: Any) -> None:
    issued = await issue()
    assert len(issued) == ISSUED
    found = guess(issued, KNOWN, random.Random(2))
    assert found.tries > 500_000
    assert found.chance > NEXT_TO_NOTHING, found


async def test_known_codes_do_not_help_with_the_plain_hash() -> None:
    found = guess(await by_hash(plain_hash_codes.HashCodes), KNOWN, random.Random(2))
    assert found.chance > NEXT_TO_NOTHING, found


def where_there_are_many_codes() -> Guessing:
    """In a space so small that blind guessing finds hundreds, so that a slight advantage shows too."""
    length, count = 4, 30_000
    permutation = Permutation(62**length, KEY)
    issued = {Base62().encode(permutation.of(n), length) for n in range(count)}
    return guess(issued, KNOWN, random.Random(3))


def test_known_codes_do_not_help_where_there_are_many() -> None:
    found = where_there_are_many_codes()
    assert found.expected > 300
    assert 0.0001 < found.chance < 0.9999, found


# --- what such a check must find out


def counter() -> Iterator[int]:
    yield from range(10**9, 10**9 + ISSUED)


def sparse_counter() -> Iterator[int]:
    yield from range(10**9, 10**9 + 37 * ISSUED, 37)


def snowflakes() -> Iterator[int]:
    for n in range(ISSUED):
        seconds, sequence = divmod(n, 90)
        yield (int(Clock().time - SNOWFLAKE_EPOCH) + seconds << 12) + sequence


@pytest.mark.parametrize("numbers", [counter, sparse_counter, snowflakes])
@pytest.mark.parametrize("encode", ["as it is", "turned round"])
def test_numbers_in_a_row_are_found_out(numbers: Callable[[], Iterator[int]], encode: str) -> None:
    issued = {Base62().encode(number, CODE_LENGTH) for number in numbers()}
    if encode == "turned round":
        issued = {code[::-1] for code in issued}
    found = guess(issued, KNOWN, random.Random(2))
    assert found.hits > 100
    assert found.chance < NEXT_TO_NOTHING


def test_a_permutation_of_one_round_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reference.shortener.permutation.ROUNDS", 1)
    found = where_there_are_many_codes()
    assert found.chance < NEXT_TO_NOTHING, found


@pytest.mark.parametrize(
    ("tries", "hits", "density", "chance"),
    [
        (10, 0, 0.5, 1.0),
        (1, 1, 0.25, 0.25),
        (2, 1, 0.5, 0.75),
        (10, 10, 0.5, 0.5**10),
        (1000, 900, 0.001, 0.0),
    ],
)
def test_the_chance_is_the_tail_of_a_binomial_distribution(
    tries: int, hits: int, density: float, chance: float
) -> None:
    assert Guessing(tries, hits, density).chance == pytest.approx(chance, abs=1e-12)
