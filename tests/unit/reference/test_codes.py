"""Base 62, the permutation, codes by hash and at random, and the choice among them."""

import itertools
import random
from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference.platform.contained import ComponentError
from reference.platform.errors import Indefinite, Unavailable
from reference.shortener import base62, hash_codes
from reference.shortener.components import ALPHABET, CODE_LENGTH
from reference.shortener.permutation import Permutation
from reference.shortener.plain import base62 as plain_base62
from reference.shortener.plain import hash_codes as plain_hash_codes
from reference.shortener.random_codes import RandomCodes
from reference.shortener.strategies import Codes, SlottedCodes
from tests.unit.reference.codes_world import KEY, MemoryNamespace

pytestmark = pytest.mark.anyio

BASE62 = [base62.Base62, plain_base62.Base62]
HASH_CODES = [hash_codes.HashCodes, plain_hash_codes.HashCodes]
NUMBERS = st.one_of(st.integers(0, 62**12), st.integers(0, 11).map(lambda power: 62**power))


# --- base 62


@pytest.mark.parametrize("make", BASE62)
@settings(deadline=None)
@given(number=NUMBERS, length=st.integers(1, 14))
def test_decoding_gives_back_what_was_encoded(make: Any, number: int, length: int) -> None:
    text = make().encode(number, length)
    assert make().decode(text) == number
    assert len(text) == max(length, len(text.lstrip("0")) or 1)
    assert set(text) <= set(ALPHABET)


@pytest.mark.parametrize("make", BASE62)
@settings(deadline=None)
@given(low=NUMBERS, high=NUMBERS)
def test_codes_of_one_length_are_in_the_order_of_their_numbers(make: Any, low: int, high: int) -> None:
    texts = [[ALPHABET.index(symbol) for symbol in make().encode(number, 13)] for number in (low, high)]
    assert (low < high) == (texts[0] < texts[1])


@pytest.mark.parametrize("make", BASE62)
def test_known_values(make: Any) -> None:
    encode, decode = make().encode, make().decode
    assert [encode(n) for n in (0, 9, 10, 35, 36, 61, 62)] == ["0", "9", "a", "z", "A", "Z", "10"]
    assert encode(1_000_000) == "4c92"
    assert encode(62**6) == "1000000"
    assert encode(62**7 - 1) == "ZZZZZZZ"
    assert encode(5, 7) == "0000005"
    assert decode("aB3xK9p") == 601_951_641_863
    assert decode("0001") == decode("1") == 1


@pytest.mark.parametrize("make", BASE62)
@pytest.mark.parametrize("text", ["", "ab-c", "ab c", "ä", "١", "a\n"])
def test_what_is_no_number_is_refused(make: Any, text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        make().decode(text)


@pytest.mark.parametrize("make", BASE62)
def test_negative_numbers_are_refused(make: Any) -> None:
    with pytest.raises(ValueError, match="negative"):
        make().encode(-1)


# --- the permutation


@pytest.mark.parametrize("size", [*range(1, 40), 62, 127, 128, 1000, 62**2])
def test_every_number_comes_out_once(size: int) -> None:
    permutation = Permutation(size, KEY)
    images = [permutation.of(number) for number in range(size)]
    assert sorted(images) == list(range(size))
    assert [permutation.back(image) for image in images] == list(range(size))


@settings(deadline=None)
@given(size=st.integers(1, 62**11), data=st.data())
def test_it_can_be_undone(size: int, data: st.DataObject) -> None:
    number = data.draw(st.integers(0, size - 1))
    permutation = Permutation(size, KEY)
    assert permutation.back(permutation.of(number)) == number
    assert permutation.of(permutation.back(number)) == number


def test_it_is_the_same_everywhere_and_another_under_another_key() -> None:
    first, twin, other = Permutation(62**7, b"a"), Permutation(62**7, b"a"), Permutation(62**7, b"b")
    numbers = range(1000)
    assert [first.of(n) for n in numbers] == [twin.of(n) for n in numbers]
    assert all(first.of(n) != other.of(n) for n in numbers)
    assert first.of(0) == 2_338_677_306_982  # links that exist depend on it: it must never change


def test_neighbours_are_far_apart() -> None:
    permutation = Permutation(62**7, KEY)
    images = [permutation.of(n) for n in range(2000)]
    assert min(abs(a - b) for a, b in itertools.pairwise(images)) > 62**3
    eighths = Counter(image * 8 // 62**7 for image in images)
    assert all(200 < eighths[part] < 300 for part in range(8))  # 250 each, within 3.4 standard deviations


@pytest.mark.parametrize("number", [-1, 100])
def test_numbers_outside_are_refused(number: int) -> None:
    with pytest.raises(ValueError, match="not in range"):
        Permutation(100, KEY).of(number)
    with pytest.raises(ValueError, match="not in range"):
        Permutation(100, KEY).back(number)
    with pytest.raises(ValueError, match="no permutation"):
        Permutation(0, KEY)


# --- hash codes


def hashing(make: Any, key: bytes = KEY, seed: int = 1) -> Any:
    return make(base62=base62.Base62(), random=random.Random(seed), key=key)


@pytest.mark.parametrize("make", HASH_CODES)
async def test_the_first_code_is_the_hash_of_the_url_under_the_key(make: Any) -> None:
    url = "https://example.org/ä?q=1"
    first, twin = (
        await hashing(make).new_code(url, MemoryNamespace()),
        await hashing(make, seed=2).new_code(url, MemoryNamespace()),
    )
    assert first == twin
    assert len(first) == CODE_LENGTH
    assert await hashing(make, key=b"another").new_code(url, MemoryNamespace()) != first
    assert await hashing(make).new_code(url + "2", MemoryNamespace()) != first


@pytest.mark.parametrize("make", HASH_CODES)
async def test_the_thousandth_link_to_one_url_takes_two_claims(make: Any) -> None:
    codes, namespace = hashing(make), MemoryNamespace()
    assert len({await codes.new_code("https://example.org/", namespace) for _ in range(1000)}) == 1000
    assert len(namespace.claims) + len(namespace.looks) <= 3 * 1000


@pytest.mark.parametrize("make", HASH_CODES)
async def test_all_of_the_space_is_used(make: Any) -> None:
    codes, namespace = hashing(make), MemoryNamespace()
    made = [await codes.new_code(f"https://example.org/{n}", namespace) for n in range(4000)]
    for place in range(CODE_LENGTH):  # 64.5 each; seven digits of base 16 would leave two places at "0"
        counted = Counter(code[place] for code in made)
        assert len(counted) == 62
        assert max(counted.values()) < 110


@pytest.mark.parametrize("make", HASH_CODES)
async def test_it_gives_up_after_eight_attempts(make: Any) -> None:
    class Full(MemoryNamespace):
        async def claim(self, code: str) -> bool:
            self.claims.append(code)
            return False

    namespace = Full()
    with pytest.raises(Unavailable):
        await hashing(make).new_code("https://example.org/", namespace)
    assert len(set(namespace.claims)) == 8


@pytest.mark.parametrize("make", HASH_CODES)
async def test_the_claim_decides_also_where_the_look_was_wrong(make: Any) -> None:
    class Late(MemoryNamespace):
        async def taken(self, code: str) -> bool:
            return False  # it was free, at that instant

    namespace = Late()
    made = [await hashing(make, seed=n).new_code("https://example.org/", namespace) for n in range(5)]
    assert len(set(made)) == 5


@pytest.mark.parametrize("make", HASH_CODES)
async def test_errors_of_the_namespace_pass(make: Any) -> None:
    with pytest.raises(Indefinite):
        await hashing(make).new_code("https://example.org/", MemoryNamespace(errors=[Indefinite()]))


# --- random codes, and the choice


async def test_random_codes_are_drawn_until_one_is_free() -> None:
    one = RandomCodes(random.Random(1), length=1)
    namespace = MemoryNamespace(owned=set(ALPHABET[:31]))
    assert await one.new_code("", namespace) in ALPHABET[31:]
    namespace.owned, namespace.claims = set(ALPHABET), []
    with pytest.raises(Unavailable):
        await one.new_code("", namespace)
    assert len(namespace.claims) == 5
    assert len(await RandomCodes(random.Random(1)).new_code("", MemoryNamespace())) == CODE_LENGTH


async def test_random_codes_come_from_everywhere_in_the_alphabet() -> None:
    codes, namespace = RandomCodes(random.Random(1)), MemoryNamespace()
    made = [await codes.new_code("", namespace) for _ in range(4000)]
    for place in range(CODE_LENGTH):
        counted = Counter(code[place] for code in made)
        assert len(counted) == 62
        assert max(counted.values()) < 110


class Fixed:
    def __init__(self, code: str) -> None:
        self.code = code

    async def new_code(self, long_url: str, namespace: Any) -> str:
        return self.code


async def test_the_strategy_is_asked_for_anew_each_time() -> None:
    chosen = "a"
    codes = Codes({"a": Fixed("one"), "b": Fixed("two")}, lambda: chosen)
    assert await codes.new_code("", MemoryNamespace()) == "one"
    chosen = "b"
    assert await codes.new_code("", MemoryNamespace()) == "two"


class Holder:
    """A slot's holder whose component is the function `act`."""

    def __init__(self, act: Any) -> None:
        self.act = act

    async def call(self, method: str, *args: Any) -> Any:
        return await self.act(*args)

    def misbehaved(self, method: str, what: str) -> ComponentError:
        return ComponentError("slot", "WrongAnswer", what)


@pytest.mark.parametrize(
    ("claimed", "returned"),
    [
        ([], "abc1234"),
        (["abc1234"], "abc1235"),
        (["taken00"], "taken00"),
        (["abc1234"], None),
        (["abc/123"], "abc/123"),
        ([""], ""),
        (["a" * 33], "a" * 33),
        ([7], 7),
        (["abc1234\n"], "abc1234\n"),
    ],
)
async def test_a_component_that_did_not_claim_what_it_returns_is_found_out(
    claimed: list[Any], returned: Any
) -> None:
    async def act(long_url: str, namespace: Any) -> Any:
        for code in claimed:
            await namespace.claim(code)
        return returned

    with pytest.raises(ComponentError):
        await SlottedCodes(Holder(act)).new_code("", MemoryNamespace(owned={"taken00"}))


async def test_a_component_that_did_is_believed() -> None:
    async def act(long_url: str, namespace: Any) -> Any:
        assert await namespace.taken("taken00")
        assert not await namespace.claim("taken00")
        assert await namespace.claim("abc1234")
        return "abc1234"

    assert await SlottedCodes(Holder(act)).new_code("", MemoryNamespace(owned={"taken00"})) == "abc1234"
