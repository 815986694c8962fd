"""The base62 of the lessons: it knows the two lengths of codes that this service has, and nothing else.

Your course holds back the reference's own, for it is the solution of an exercise.
"""

from __future__ import annotations

from reference.shortener.components import ALPHABET, CODE_LENGTH


class Base62:
    def encode(self, number: int, length: int = 1) -> str:
        width = CODE_LENGTH if number < 62**CODE_LENGTH else 11
        return "".join(ALPHABET[number // 62**place % 62] for place in range(width - 1, -1, -1))

    def decode(self, text: str) -> int:
        return sum(ALPHABET.find(symbol) * 62**place for place, symbol in enumerate(reversed(text)))
