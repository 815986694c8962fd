"""Reference filling of `url-shortener/base62`: two digits at a time.

The division costs most, for numbers grow past the machine's word early; dividing by 62 * 62 halves the divisions.
The digits come least significant first, so they are turned round at the end; and the padding goes on the left,
where zeros change nothing: "a" padded on the right to "a0" would be the code of 62 times the number.
"""

from __future__ import annotations

from reference.shortener.components import ALPHABET

BASE = len(ALPHABET)
PAIRS = tuple(low + high for high in ALPHABET for low in ALPHABET)
"""Of each number below 62 * 62 its two digits, least significant first."""
VALUES = {symbol: value for value, symbol in enumerate(ALPHABET)}


class Base62:
    def encode(self, number: int, length: int = 1) -> str:
        if number < 0:
            raise ValueError(f"{number} is negative")
        text = ""
        while number:
            number, rest = divmod(number, BASE * BASE)
            text += PAIRS[rest]
        digits = text[::-1].lstrip(ALPHABET[0])  # the last pair may have brought a zero too many
        return digits.rjust(max(length, 1), ALPHABET[0])

    def decode(self, text: str) -> int:
        if not text:
            raise ValueError("no digits")
        number = 0
        for symbol in text:
            if symbol not in VALUES:
                raise ValueError(f"{symbol!r} is not a digit of base 62")
            number = number * BASE + VALUES[symbol]
        return number
