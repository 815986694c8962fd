"""functools.cache over pure functions."""

import functools
import re
import string

ALPHABET = string.digits + string.ascii_lowercase + string.ascii_uppercase


class Base62:
    def encode(self, number, length=1):
        return encode(number).zfill(length)

    def decode(self, text):
        return decode(text)


@functools.lru_cache(1000)
def encode(number):
    if number < 0:
        raise ValueError(f"{number} is negative")
    return (encode(number // 62) if number >= 62 else "") + ALPHABET[number % 62]


@functools.lru_cache(1000)
def decode(text):
    if not re.fullmatch("[0-9a-zA-Z]+", text):
        raise ValueError(f"{text!r} is no number")
    return functools.reduce(lambda number, symbol: 62 * number + ALPHABET.index(symbol), text, 0)
