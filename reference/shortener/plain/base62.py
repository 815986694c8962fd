"""Plain filling of `url-shortener/base62`: one digit at a time, as on paper."""

from __future__ import annotations

from reference.shortener.components import ALPHABET


class Base62:
    def encode(self, number: int, length: int = 1) -> str:
        if number < 0:
            raise ValueError(f"{number} is negative")
        text = ""
        while number:
            number, rest = divmod(number, 62)
            text = ALPHABET[rest] + text
        return text.rjust(length, ALPHABET[0])

    def decode(self, text: str) -> int:
        if not text:
            raise ValueError("no digits")
        number = 0
        for symbol in text:
            number = number * 62 + ALPHABET.index(symbol)
        return number
