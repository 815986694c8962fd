"""Makers of short codes with the mistakes that published listings have, small enough to be counted through."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

TIME_SHIFT, WORKER_SHIFT = 22, 12
"""Snowflake's usual layout: 41 bits of milliseconds, 10 of worker, 12 of sequence (Twitter, 2010)."""

WORDS = 624
"""Outputs of 32 bits that tell the whole state of Python's `random`."""


class TextbookSnowflake:
    """Identifiers as most write-ups make them: they trust their clock, and that nobody else has their worker number.

    `clock`: milliseconds since the epoch of one's choice.
    """

    def __init__(self, worker: int, clock: Callable[[], int]) -> None:
        self.worker = worker
        self.clock = clock
        self.tick = -1
        self.sequence = 0

    def next(self) -> int:
        tick = self.clock()
        self.sequence = self.sequence + 1 if tick == self.tick else 0
        self.tick = tick
        return tick << TIME_SHIFT | self.worker << WORKER_SHIFT | self.sequence


def seconds_within(characters: int) -> float:
    """For how long after their epoch identifiers of the usual layout fit so many characters of base 62."""
    seconds: float = 62**characters / 2**TIME_SHIFT / 1000
    return seconds


def clone(outputs: Sequence[int]) -> random.Random:
    """A generator that goes on exactly as the one that gave these: 624 values of `getrandbits(32)` in a row.

    The Mersenne Twister hands out the words of its state one after another, each mixed in a way that can be undone.
    ValueError: not 624 values.
    """
    if len(outputs) != WORDS:
        raise ValueError(f"{len(outputs)} outputs; the state has {WORDS} words")
    copy = random.Random()
    copy.setstate((3, (*(unmixed(output) for output in outputs), WORDS), None))
    return copy


def unmixed(output: int) -> int:
    """The word of the state behind an output. Each of the four steps of the mixing is undone, the last one first.

    A step is y = x ^ (x shifted & mask): the outermost bits of x stand in y as they are, and each pass gets more.
    """
    word = output
    for shift, mask in ((-18, 0xFFFFFFFF), (15, 0xEFC60000), (7, 0x9D2C5680), (-11, 0xFFFFFFFF)):
        mixed = word
        for _ in range(5):
            word = mixed ^ ((word << shift if shift > 0 else word >> -shift) & mask)
    return word
