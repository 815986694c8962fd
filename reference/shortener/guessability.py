"""Who knows some codes: do they find others more often than by chance?

An adversary who holds a thousand codes can try whatever lies near them, in every sense of near that numbers have. If
codes tell nothing about one another, each guess hits with the *density*: codes issued, by codes that there are. The
density itself is no protection against patience: where there are six thousand million links, one guess in 587 hits.
"""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from reference.shortener.components import ALPHABET

OTHER_ALPHABET = ALPHABET[:10] + ALPHABET[36:] + ALPHABET[10:36]
"""Upper case before lower case, as ASCII has it: another order, and so another sense of near."""


@dataclass(frozen=True, slots=True)
class Guessing:
    """What became of `tries` different guesses at codes with this `density`."""

    tries: int
    hits: int
    density: float

    @property
    def expected(self) -> float:
        return self.tries * self.density

    @property
    def chance(self) -> float:
        """The probability of so many hits, or more, by blind guessing: the upper tail of a binomial distribution.

        Next to nothing: the codes tell something about one another."""
        term = math.exp(self.tries * math.log1p(-self.density))
        below = 0.0
        for hits in range(self.hits):
            below += term
            term *= (self.tries - hits) / (hits + 1) * self.density / (1 - self.density)
        return max(0.0, 1.0 - below)


def guess(issued: Collection[str], known: int, source: random.Random, near: int = 10) -> Guessing:
    """Draws `known` of the codes `issued`, and tries for the others what lies near them.

    All codes have one length. ValueError: there are not more than `known`."""
    if len(issued) <= known:
        raise ValueError("nothing is left to be guessed")
    seen = source.sample(sorted(issued), known)
    length = len(seen[0])
    tries = set(neighbours(seen, near)) - set(seen)
    others = len(issued) - known
    return Guessing(len(tries), len(tries & set(issued)), others / (62**length - known))


def neighbours(codes: Sequence[str], near: int) -> Iterator[str]:
    """Codes that lie near those given, as numbers or as texts."""
    length = len(codes[0])
    for alphabet in (ALPHABET, OTHER_ALPHABET):
        for turned in (False, True):  # least significant digit last, or first
            values = sorted(value(code[::-1] if turned else code, alphabet) for code in codes)
            for number in set(near_numbers(values, near, (62**length).bit_length())):
                if 0 <= number < 62**length:
                    code = text(number, alphabet, length)
                    yield code[::-1] if turned else code
    for code in codes:
        for place in range(length):  # all that differ in one character: the same prefix, the same ending
            yield from (code[:place] + symbol + code[place + 1 :] for symbol in ALPHABET)


def near_numbers(values: Sequence[int], near: int, bits: int) -> Iterator[int]:
    """Up to `near` away; one bit away; as far beyond a number as the one before lies below it."""
    for number in values:
        yield from range(number - near, number + near + 1)
        yield from (number ^ 1 << bit for bit in range(bits))
    for before, number in itertools.pairwise(values):
        yield 2 * number - before
        yield (number + before) // 2


def value(code: str, alphabet: str) -> int:
    number = 0
    for symbol in code:
        number = number * 62 + alphabet.index(symbol)
    return number


def text(number: int, alphabet: str, length: int) -> str:
    digits = []
    for _ in range(length):
        number, digit = divmod(number, 62)
        digits.append(alphabet[digit])
    return "".join(reversed(digits))
