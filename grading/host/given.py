"""What a slot gives to its components and is itself another slot's exercise: base62.

Only where the schema says so is this imported, and no component may import it: in its own exercise it is not there.
"""

from __future__ import annotations

from reference.shortener.components import ALPHABET

VALUES = {symbol: value for value, symbol in enumerate(ALPHABET)}


class Base62:
    """By the contract of `url-shortener/base62`."""

    def encode(self, number: int, length: int = 1) -> str:
        if number < 0:
            raise ValueError(f"{number} is negative")
        width = max(length, 1)
        while 62**width <= number:
            width += 1
        return "".join(ALPHABET[number // 62**place % 62] for place in reversed(range(width)))

    def decode(self, text: str) -> int:
        if not text or not VALUES.keys() >= set(text):
            raise ValueError(f"not in base 62: {text!r}")
        return sum(VALUES[symbol] * 62**place for place, symbol in enumerate(reversed(text)))
